package formats

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/pipeline"
)

// A Format is a format of files with flows.
type Format struct {
	// Name is what users call it.
	Name string
	// Doc says in a line what it is.
	Doc string
	// Exts are the extensions of its files, the usual one first.
	Exts []string
	// Text tells that it is made for people, so that it may go to a terminal.
	Text bool
	// Versions tells that flows in it have a format version of mitmproxy.
	Versions bool
	// Packs tells that it compresses by itself.
	Packs bool

	// open returns a source; nil if the format cannot be read.
	open func(*opening) (pipeline.Source, error)
	// create returns a sink; nil if the format cannot be written.
	create func(io.Writer, *SinkOptions) (Sink, error)
}

// table lists the formats.
func table() []*Format {
	return slices.Concat([]*Format{mitm, pack, jsonLines, archive, zippedArchive}, tables, commands)
}

// All returns the formats, the most important first.
func All() []*Format { return table() }

// CanRead tells whether f can be an input.
func (f *Format) CanRead() bool { return f.open != nil }

// CanWrite tells whether f can be an output.
func (f *Format) CanWrite() bool { return f.create != nil }

// Copies tells whether a sink for f writes the records of a dump as they are, so
// that nobody needs to look into them.
func (f *Format) Copies() bool { return f == mitm }

// Named returns the format with a name, nil if there is none.
func Named(name string) *Format {
	for _, f := range table() {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// OfFile returns the format that the name of a file asks for, nil if it asks for
// none. A container around it does not matter: a.jsonl.gz is JSON Lines.
func OfFile(name string) *Format {
	if ContainerOfFile(name) != dumpfile.ContainerNone {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	ext := strings.ToLower(filepath.Ext(name))
	for _, f := range table() {
		if slices.Contains(f.Exts, ext) {
			return f
		}
	}
	return nil
}

// ContainerOfFile returns the container that the name of a file asks for.
func ContainerOfFile(name string) dumpfile.Container {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".gz":
		return dumpfile.ContainerGzip
	case ".zst":
		return dumpfile.ContainerZstd
	}
	return dumpfile.ContainerNone
}

// A SkipError says why a format has no way to express a flow. The others can be
// written.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return e.Reason }
