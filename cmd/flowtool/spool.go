package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// A spool keeps flows for a second look, where the input cannot be read again: a
// dump in a temporary file. As captures hold secrets, nobody else may read it, and
// where the system allows that it has no name, so that nothing of it is left
// whatever happens.
type spool struct {
	input string // its name
	file  *os.File
	buf   *bufio.Writer
	size  int64
	named bool
}

func newSpool(input string) (*spool, error) {
	f, err := os.CreateTemp("", "flowtool-*")
	if err != nil {
		return nil, spoolError(input, err)
	}
	return &spool{input: input, file: f, buf: bufio.NewWriterSize(f, 256<<10), named: os.Remove(f.Name()) != nil}, nil
}

// spoolError returns an error about the temporary file that says how to have it
// elsewhere.
func spoolError(input string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err // the name of the file says nothing
	}
	variable := "TMPDIR"
	if runtime.GOOS == "windows" {
		variable = "TMP"
	}
	return fmt.Errorf("%s: keeping its flows in a temporary file in %s: %w; set %s to another folder", input, os.TempDir(), err, variable)
}

// write appends records to the spool.
func (s *spool) write(records []byte) error {
	s.size += int64(len(records))
	if _, err := s.buf.Write(records); err != nil {
		return spoolError(s.input, err)
	}
	return nil
}

// rewind makes the spool ready for reading.
func (s *spool) rewind() error {
	err := s.buf.Flush()
	if err == nil {
		_, err = s.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return spoolError(s.input, err)
	}
	return nil
}

// close removes the spool.
func (s *spool) close() error {
	err := s.file.Close()
	if s.named {
		err = cmp.Or(err, os.Remove(s.file.Name()))
	}
	return err
}
