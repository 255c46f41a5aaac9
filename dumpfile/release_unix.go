//go:build unix && !linux

package dumpfile

import "golang.org/x/sys/unix"

func releasePages(data []byte) { _ = unix.Madvise(data, unix.MADV_DONTNEED) }
