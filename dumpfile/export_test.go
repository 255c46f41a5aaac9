package dumpfile

// SetWhole makes r leave smaller elements in the input than it would otherwise,
// so that small dumps test what is made for large ones.
func SetWhole(r *Reader, record, element int64) {
	_, _, _ = r.Format() // which decides on the limits for the input
	r.load.wholeRecord, r.load.wholeElement = record, element
}

// Mapped returns a mapping of data that are in memory.
func Mapped(data []byte) *Mapping { return &Mapping{data: data} }

// SetPartSize gives the parts of a mapped dump a size of their own.
func SetPartSize(r *Reader, n int64) { r.load.partSize = n }
