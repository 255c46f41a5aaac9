// Package randomaccess finds out which inputs can be read at any offset.
package randomaccess

import (
	"io"
	"os"
)

// Of returns r for reading at any offset, with its position and its size, if it can be
// read like that: a regular file, or a reader in memory that can seek. r is where it
// was afterwards.
func Of(r io.Reader) (at io.ReaderAt, pos, size int64, ok bool) {
	if f, isFile := r.(*os.File); isFile {
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return nil, 0, 0, false
		}
	}
	at, ok1 := r.(io.ReaderAt)
	s, ok2 := r.(io.Seeker)
	if !ok1 || !ok2 {
		return nil, 0, 0, false
	}
	pos, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0, 0, false
	}
	size, err = s.Seek(0, io.SeekEnd)
	if _, back := s.Seek(pos, io.SeekStart); err != nil || back != nil {
		return nil, 0, 0, false
	}
	return at, pos, size, true
}
