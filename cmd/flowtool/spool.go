package main

import (
	"bufio"
	"cmp"
	"io"
	"os"
)

// A spool keeps flows for a second look, where the input cannot be read again: a
// dump in a temporary file. As captures hold secrets, nobody else may read it, and
// where the system allows that it has no name, so that nothing of it is left
// whatever happens.
type spool struct {
	file  *os.File
	buf   *bufio.Writer
	size  int64
	named bool
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "flowtool-*")
	if err != nil {
		return nil, err
	}
	return &spool{file: f, buf: bufio.NewWriterSize(f, 256<<10), named: os.Remove(f.Name()) != nil}, nil
}

// write appends records to the spool.
func (s *spool) write(records []byte) error {
	s.size += int64(len(records))
	_, err := s.buf.Write(records)
	return err
}

// rewind makes the spool ready for reading.
func (s *spool) rewind() error {
	err := s.buf.Flush()
	if err == nil {
		_, err = s.file.Seek(0, io.SeekStart)
	}
	return err
}

// close removes the spool.
func (s *spool) close() error {
	err := s.file.Close()
	if s.named {
		err = cmp.Or(err, os.Remove(s.file.Name()))
	}
	return err
}
