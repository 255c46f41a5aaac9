package dumpfile

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// releasePages is not announced to the scheduler as system calls are: it takes some 100
// microseconds for the few megabytes at a time, in which the processor would be given to
// another thread, and then the scheduler would look for more such calls every 20
// microseconds. That takes a tenth of the time of a filter.
func releasePages(data []byte) {
	_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), unix.MADV_DONTNEED)
}
