package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// output is where a command writes its data: standard output, or a file that
// appears under its name when it is complete.
type output struct {
	io.Writer
	stdout bool
	device *os.File // a device or a pipe, which is written to as it is; or nil
	temp   *os.File // nil if there is nothing to rename
	target string
	was    os.FileInfo // what is replaced must still be this; nil if it does not matter
}

// addOutput adds the flag that names the output.
func addOutput(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "output", "o", "", "write to `FILE` instead of standard output")
}

// create opens the output at path, "" or "-" being standard output. A file is
// written beside its place and put there by finish, with mode 0600 because
// captures hold secrets. No input may be the output.
func (a *app) create(path string, inputs []string) (*output, error) {
	if path == "" || path == "-" {
		if f, ok := a.out.(*os.File); ok && isRegular(f) {
			if info, err := f.Stat(); err == nil && a.isInput(info, inputs) {
				return nil, usagef("standard output is an input")
			}
		}
		return &output{Writer: a.out, stdout: true}, nil
	}
	if link, err := filepath.EvalSymlinks(path); err == nil {
		path = link // the link stays, what it points to is replaced
	} else if _, err := os.Readlink(path); err == nil {
		return nil, usagef("%s is a link to nothing", path)
	}
	if old, err := os.Stat(path); err == nil {
		if a.isInput(old, inputs) {
			return nil, usagef("%s is an input, so it cannot be the output", path)
		}
		if old.IsDir() {
			return nil, usagef("%s is a directory, so it cannot be the output", path)
		}
		if !old.Mode().IsRegular() { // a device or a pipe: nothing to replace
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			return &output{Writer: f, device: f}, err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s: %w", path, pe.Err) // and not the name of the temporary file
		}
		return nil, err
	}
	return &output{Writer: temp, temp: temp, target: path}, nil
}

// rewrite opens an output that takes the place of a file, with its permissions and
// its owner, unless that changes meanwhile.
func (a *app) rewrite(path string) (*output, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return nil, err
	}
	to, err := a.create(target, nil)
	if err == nil {
		to.was = info
		// The owner first, because changing it may take permissions away.
		err = cmp.Or(keepOwner(to.temp, info), to.temp.Chmod(info.Mode().Perm()))
		if err != nil {
			err = to.discard(err)
		}
	}
	return to, err
}

// discard forgets a file and leaves what is in its place.
func (o *output) discard(err error) error {
	return errors.Join(err, o.temp.Close(), os.Remove(o.temp.Name()))
}

// isInput tells whether one of the inputs is the file that info describes.
func (a *app) isInput(info os.FileInfo, inputs []string) bool {
	return slices.ContainsFunc(inputs, func(in string) bool { return a.sameFile(in, info) })
}

// sameFile tells whether the input arg is the file that info describes.
func (a *app) sameFile(arg string, info os.FileInfo) bool {
	var in os.FileInfo
	var err error
	if arg != "-" {
		in, err = os.Stat(arg)
	} else if f, ok := a.in.(*os.File); ok {
		in, err = f.Stat()
	}
	return err == nil && in != nil && os.SameFile(in, info)
}

// finish puts a file in its place, unless the command failed: because of err, or
// with the given exit status.
func (o *output) finish(err error, status int) error {
	if o.device != nil {
		if closed := o.device.Close(); err == nil && closed != nil {
			err = &outputError{closed}
		}
	}
	if o.temp == nil {
		return err
	}
	var synced error
	if o.was != nil { // the only copy is about to go
		synced = o.temp.Sync()
	}
	closed := cmp.Or(synced, o.temp.Close())
	if err == nil && status != exitTrouble {
		if changed := o.unchanged(); changed != nil {
			return errors.Join(changed, os.Remove(o.temp.Name()))
		}
		if err = closed; err == nil {
			err = os.Rename(o.temp.Name(), o.target)
		}
		if err == nil {
			return nil
		}
		err = &outputError{err}
	}
	return errors.Join(err, os.Remove(o.temp.Name()))
}

// unchanged returns an error if what is to be replaced has been written to since
// it was read: a capture may still be going on.
func (o *output) unchanged() error {
	if o.was == nil {
		return nil
	}
	now, err := os.Stat(o.target)
	if err == nil && written(o.was, now) {
		err = fmt.Errorf("%s changed while it was read, so it was not replaced", o.target)
	}
	return err
}

// written tells whether a file was written to, or replaced by another one.
func written(was, now os.FileInfo) bool {
	return !os.SameFile(was, now) || was.Size() != now.Size() || !was.ModTime().Equal(now.ModTime())
}

// sameOutput tells whether two names of outputs, "" and "-" being standard output,
// stand for the same.
func sameOutput(a, b string) bool {
	if a == "" || a == "-" || b == "" || b == "-" {
		return strings.TrimPrefix(a, "-") == strings.TrimPrefix(b, "-")
	}
	if x, err := os.Stat(a); err == nil {
		if y, err := os.Stat(b); err == nil && os.SameFile(x, y) {
			return true
		}
	}
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}
