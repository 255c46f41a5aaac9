package dumpfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

const (
	// wholeRecord is the size up to which a record is read as a whole even if
	// parts of it could be left in the input.
	wholeRecord = 16 << 10
	// wholeElement is the same for the elements of larger records. It must
	// not be smaller than the longest integer.
	wholeElement = 8 << 10
	// wholeStream is wholeRecord for streams, where leaving something out saves
	// memory but no time.
	wholeStream = 1 << 20
	// keepElements is how much memory for elements is kept for the next record.
	keepElements = 1 << 10
)

// input is what the records of an input have in common.
type input struct {
	opts    ReaderOptions
	codec   tnetstring.Codec
	at      io.ReaderAt // nil for a stream
	mapping *Mapping    // nil unless the input is one, and plain; at is nil then
	size    int64       // -1 if unknown
	shape   *shape

	wholeRecord, wholeElement int64 // the constants; smaller in tests
	partSize                  int64 // of a mapped file; 0 but in tests
}

// loader reads records through a window.
type loader struct {
	*input
	w window
	n int64 // records read

	slab   *state.Slab   // for the batch at hand
	src    *state.Source // for the contiguous run of w with number srcRun
	srcRun int
	levels [][]state.Value // elements of the containers being walked
	spare  []byte          // memory for the next record
	// recycle takes back the memory of records that were forgotten.
	recycle func()
}

// newLoader returns a loader for records of an input that can be read anywhere.
func (in *input) newLoader(alloc func(int) []byte) *loader {
	l := &loader{input: in, w: window{at: in.at}}
	l.w.alloc = func(n int) []byte {
		c := l.spare
		if l.spare = nil; len(c) < n+firstRead {
			c = alloc(n)
		}
		return c
	}
	return l
}

// forget lets go of the memory of l, which others are going to use.
func (l *loader) forget() {
	l.src, l.spare = nil, nil
	l.w.chunk, l.w.pos, l.w.end = nil, 0, 0
}

// source returns the source of elements that begin at the window.
func (l *loader) source() *state.Source {
	if l.src == nil || l.w.runs != l.srcRun {
		run := l.w.run
		l.src = &state.Source{Codec: l.codec, Data: l.w.chunk[run:], Off: l.w.off - int64(l.w.pos-run), Slab: l.slab}
		l.srcRun = l.w.runs
	}
	return l.src
}

// next reads the record at the window into rec. At the end of the input it returns
// io.EOF; what is wrong with the record is an *Error; errors of the input are
// returned as they are.
func (l *loader) next(rec *Record) error {
	*rec = Record{Index: l.n, Offset: l.w.off, in: l.input}
	if err := l.w.more(1); err != nil {
		if isEOF(err) && l.w.at != nil && l.w.off < l.size {
			return l.fail(rec, err) // it was longer when we began
		}
		return err
	}
	var head int
	for {
		var payload int64
		var err error
		head, payload, err = l.codec.Prefix(l.w.bytes())
		if err != nil {
			if l.blankToEnd() {
				return io.EOF
			}
			return l.fail(rec, err)
		}
		if head > 0 {
			rec.Size = int64(head) + payload + 1
			break
		}
		if err := l.w.more(len(l.w.bytes()) + 1); err != nil {
			return l.fail(rec, err)
		}
	}
	if rec.Size > l.opts.MaxRecord {
		return l.fail(rec, &LimitError{Limit: "max-record", Max: l.opts.MaxRecord,
			What: fmt.Sprintf("a flow of %d bytes", rec.Size-int64(head)-1)})
	}
	var kind state.Kind
	var err error
	switch {
	case rec.Size <= l.wholeRecord || l.w.at == nil && !l.opts.DropLarge:
		kind, err = l.whole(rec)
	case l.w.at != nil:
		kind, err = l.leave(rec, head)
	default:
		kind, err = l.drop(rec, head)
	}
	if err != nil {
		return l.fail(rec, err)
	}
	l.n++
	if kind != state.KindMap {
		return rec.Wrap(rec.notFlow(kind))
	}
	return nil
}

// notFlow says what a record is that is not a map. If it cannot even be
// decoded, that is the better explanation.
func (r *Record) notFlow(kind state.Kind) error {
	if r.raw == nil && r.left && r.Size <= wholeStream {
		r.raw, _ = r.Bytes()
		r.src = &state.Source{Codec: r.in.codec, Data: r.raw, Off: r.Offset}
	}
	if r.raw != nil {
		v, err := state.OpenAt(r.src, r.raw)
		if err == nil {
			err = state.Validate(v)
		}
		if err != nil {
			return err
		}
	}
	switch kind {
	case state.KindInt:
		return fmt.Errorf("%w but an int", ErrNotFlow)
	case state.KindNull, state.KindBytes, state.KindText:
		return fmt.Errorf("%w but %s", ErrNotFlow, kind)
	default:
		return fmt.Errorf("%w but a %s", ErrNotFlow, kind)
	}
}

// whole reads the record at the window into memory.
func (l *loader) whole(rec *Record) (state.Kind, error) {
	if err := l.need(rec.Size); err != nil {
		return 0, err
	}
	b := l.w.bytes()[:rec.Size]
	kind, ok := tnetstring.KindOf(b[len(b)-1])
	rec.src, rec.raw = l.source(), b
	if !ok || kind != state.KindMap {
		v, err := state.OpenAt(rec.src, b)
		if err != nil {
			return 0, err
		}
		kind = v.Kind()
	}
	l.w.advance(len(b))
	return kind, nil
}

// leave leaves the record at the window, of which head bytes are its prefix,
// in the input. Only its end is looked at.
func (l *loader) leave(rec *Record, head int) (state.Kind, error) {
	rec.head = l.w.bytes()
	n := min(rec.Size-int64(head), lenOfVersion)
	l.w.jump(rec.Offset + rec.Size - n)
	l.w.ahead = nextRead
	if err := l.w.more(int(n)); err != nil {
		return 0, err
	}
	kind, err := l.tag(int(n) - 1)
	if err != nil {
		return 0, err
	}
	rec.left, rec.version = true, versionAtEnd(l.w.bytes()[:n])
	l.w.advance(int(n))
	return kind, nil
}

// tag returns the kind of a record, the tag of which is byte i of the window.
func (l *loader) tag(i int) (state.Kind, error) {
	tag := l.w.bytes()[i]
	kind, ok := tnetstring.KindOf(tag)
	if !ok {
		return 0, l.locate(&tnetstring.SyntaxError{Offset: i, Err: fmt.Errorf("%w %q", tnetstring.ErrTag, tag)})
	}
	return kind, nil
}

// fetch reads the record, which was left in the input, without bringing large
// byte strings into memory.
func (l *loader) fetch(rec *Record) (state.Value, error) {
	l.w.begin(rec.Offset, rec.head)
	l.w.limit = rec.Offset + rec.Size
	head, _, err := l.prefix(rec.Offset + rec.Size)
	var v state.Value
	if err == nil {
		v, err = l.walk(l.shape, 0, head, rec.Size)
	}
	if l.spare == nil {
		l.spare = l.w.chunk[l.w.end:]
	}
	switch {
	case err == nil:
		return v, nil
	case inRecord(err):
		// It is not built as its keys suggest, or malformed: then what is wrong
		// is found again by whoever looks into it.
		whole := &state.Extent{Reader: l.at, Off: rec.Offset, Len: rec.Size}
		return state.ExternalContainer(l.codec, state.KindMap, whole, 0), nil
	}
	return v, l.fail(rec, err)
}

// drop reads the record at the window of a stream, of which head bytes are its
// prefix, without what may be dropped.
func (l *loader) drop(rec *Record, head int) (state.Kind, error) {
	v, err := l.walk(l.shape, 0, head, rec.Size)
	if err == nil {
		rec.root, rec.opened = v, true
		return v.Kind(), nil
	}
	if !inRecord(err) {
		return 0, err
	}
	// A map that is malformed is a record all the same.
	rec.err = l.fail(rec, err)
	if err := l.w.skip(rec.Offset + rec.Size - 1 - l.w.off); err != nil {
		return 0, err
	}
	if err := l.w.more(1); err != nil {
		return 0, err
	}
	kind, err := l.tag(0)
	if err == nil {
		l.w.advance(1)
	}
	return kind, err
}

// blankToEnd tells whether nothing but ASCII white space is left, and a little
// of it: an editor's or a shell's addition to the file.
func (l *loader) blankToEnd() bool {
	const most = 64
	if l.opts.Strict {
		return false
	}
	for n := 0; n < most; n++ {
		if err := l.w.more(n + 1); err != nil {
			return isEOF(err)
		}
		switch l.w.bytes()[n] {
		case ' ', '\t', '\r', '\n':
		default:
			return false
		}
	}
	return false
}

// fail turns an error met while reading rec into the one to return.
func (l *loader) fail(rec *Record, err error) error {
	e := &Error{Name: l.opts.Name, Flow: rec.Index, Offset: rec.Offset, At: l.w.off, Err: err}
	switch err := err.(type) {
	case *LimitError:
		e.At = rec.Offset
		return e
	case *ContainerError:
		e.At += int64(len(l.w.bytes()))
		return e
	case *tnetstring.SyntaxError:
		e.At += int64(err.Offset)
		return e
	case *state.PathError:
		e.Path, e.Err = err.Path, err.Err
		if err.Offset != state.NoOffset {
			e.At = err.Offset
		}
		return e
	}
	if !isEOF(err) {
		return err
	}
	end := l.w.off + int64(len(l.w.bytes()))
	if (l.w.at != nil || l.mapping != nil) && l.size >= 0 {
		if end < l.size {
			e.Err = fmt.Errorf("input became shorter while it was read: %w", io.ErrUnexpectedEOF)
			return e
		}
		end = l.size
	}
	e.At = max(end, rec.Offset)
	e.Err = &TruncatedError{Have: e.At - rec.Offset, Want: rec.Size}
	return e
}

// need makes n bytes contiguous in the window. A large run of bytes is asked
// for bit by bit, so that memory is taken only for what is there.
func (l *loader) need(n int64) error {
	for have := int64(chunkSize); have < n; have *= 2 {
		if err := l.w.more(int(have)); err != nil {
			return err
		}
	}
	return l.w.more(int(n))
}

// errShape says that a record is not built as its keys suggest.
var errShape = errors.New("not what its key suggests")

// walk reads the list or map of size bytes at the window, of which head bytes
// are its prefix, without bringing large byte strings into memory. depth is the
// number of containers around it.
func (l *loader) walk(s *shape, depth int, head int, size int64) (state.Value, error) {
	if err := l.codec.CheckDepth(depth + 1); err != nil {
		return state.Value{}, l.locate(err)
	}
	start := l.w.off
	tagAt := start + size - 1
	l.w.advance(head)
	level := len(l.levels)
	if level == cap(l.levels) {
		l.levels = append(l.levels, nil)
	} else {
		l.levels = l.levels[:level+1]
	}
	elems := l.levels[level][:0]
	var err error
	if s.kind == state.KindMap {
		elems, err = l.entries(s, depth+1, tagAt, elems)
	} else {
		elems, err = l.list(s, depth+1, tagAt, elems)
	}
	if l.levels[level] = nil; cap(elems) <= keepElements {
		l.levels[level] = elems
	}
	l.levels = l.levels[:level]
	if err != nil {
		return state.Value{}, err
	}
	elems = l.slab.Copy(elems)
	if err := l.w.more(1); err != nil {
		return state.Value{}, err
	}
	if kind, ok := tnetstring.KindOf(l.w.bytes()[0]); !ok || kind != s.kind {
		return state.Value{}, errShape
	}
	l.w.advance(1)
	whole := &state.Extent{Reader: l.w.at, Off: start, Len: size}
	if s.kind == state.KindMap {
		return state.ExternalMap(l.source(), whole, depth, elems), nil
	}
	return state.ExternalList(l.source(), whole, depth, elems), nil
}

func (l *loader) entries(s *shape, depth int, end int64, dst []state.Value) ([]state.Value, error) {
	m := tnetstring.NewEntries(l.codec, dst)
	for l.w.off < end {
		// Most entries are in the window already.
		b := l.w.bytes()
		if left := end - l.w.off; int64(len(b)) > left {
			b = b[:left]
		}
		if n := m.AddUsual(l.source(), b); n > 0 {
			l.w.advance(n)
			continue
		}
		key, err := l.element(nil, depth, end, true)
		if err != nil {
			return nil, err
		}
		if err := l.codec.CheckKey(key); err != nil {
			return nil, err
		}
		val, err := l.element(s.below(key), depth, end, false)
		if err != nil {
			return nil, at(err, key)
		}
		if err := m.Add(key, val); err != nil {
			return nil, err
		}
	}
	return m.Done(), nil
}

func (l *loader) list(s *shape, depth int, end int64, elems []state.Value) ([]state.Value, error) {
	for i := 0; l.w.off < end; i++ {
		v, err := l.element(s.elem, depth, end, false)
		if err == nil {
			err = l.locate(l.codec.CheckCount(i + 1))
		}
		if err != nil {
			return nil, at(err, i)
		}
		elems = append(elems, v)
	}
	return elems, nil
}

// at puts a step before the path of an error about the record; errors of the
// input stay as they are.
func at(err error, step any) error {
	switch err := err.(type) {
	case *tnetstring.SyntaxError, *state.PathError:
		return state.At(err, step)
	}
	return err
}

// element reads one element inside a container that ends at end.
func (l *loader) element(s *shape, depth int, end int64, key bool) (state.Value, error) {
	head, payload, err := l.prefix(end)
	if err != nil {
		return state.Value{}, err
	}
	size := int64(head) + payload + 1
	droppable := s != nil && s.kind == state.KindBytes
	switch {
	case size <= l.wholeElement || key || l.w.at == nil && s == nil:
		if err := l.need(size); err != nil {
			return state.Value{}, err
		}
		v, n, err := l.codec.Element(l.source(), l.w.bytes()[:size])
		if err != nil {
			return v, l.locate(err)
		}
		l.w.advance(n)
		return v, nil
	case s != nil && !droppable:
		start := l.w.off
		v, err := l.walk(s, depth, head, size)
		if err == nil || l.w.at == nil || !inRecord(err) {
			return v, err
		}
		// Not what its key suggests: take it as a whole.
		l.w.jump(start)
		if err := l.w.more(head); err != nil {
			return v, err
		}
	}
	return l.outside(depth, head, payload)
}

// inRecord tells whether err is about the content of a record, not about its
// frame or the input.
func inRecord(err error) bool {
	switch err.(type) {
	case *tnetstring.SyntaxError, *state.PathError:
		return true
	}
	return err == errShape
}

// prefix parses the prefix of the element at the window.
func (l *loader) prefix(end int64) (head int, payload int64, err error) {
	left := end - l.w.off
	for n := int64(16); ; n *= 4 {
		n = min(n, left)
		if err := l.w.more(int(n)); err != nil {
			return 0, 0, err
		}
		b := l.w.bytes()
		if int64(len(b)) > left {
			b = b[:left]
		}
		head, payload, err = l.codec.NestedPrefix(b, left)
		if err != nil {
			return 0, 0, l.locate(err)
		}
		if head > 0 {
			return head, payload, nil
		}
		if n == left {
			return 0, 0, l.locate(&tnetstring.SyntaxError{Err: tnetstring.ErrPrefix})
		}
	}
}

// locate gives a syntax error at the window its offset in the input.
func (l *loader) locate(err error) error {
	if se, ok := err.(*tnetstring.SyntaxError); ok {
		return &state.PathError{Offset: l.w.off + int64(se.Offset), Err: se.Err}
	}
	return err
}

// outside leaves the large element at the window in the input.
func (l *loader) outside(depth, head int, payload int64) (state.Value, error) {
	whole := &state.Extent{Reader: l.w.at, Off: l.w.off, Len: int64(head) + payload + 1}
	content := &state.Extent{Reader: l.w.at, Off: l.w.off + int64(head), Len: payload}
	if err := l.w.skip(int64(head) + payload); err != nil {
		return state.Value{}, err
	}
	if err := l.w.more(1); err != nil {
		return state.Value{}, err
	}
	tag := l.w.bytes()[0]
	kind, ok := tnetstring.KindOf(tag)
	switch {
	case !ok:
		return state.Value{}, l.locate(&tnetstring.SyntaxError{Err: fmt.Errorf("%w %q", tnetstring.ErrTag, tag)})
	case kind >= state.KindList:
		l.w.advance(1)
		return state.ExternalContainer(l.codec, kind, whole, depth), nil
	case kind != state.KindBytes && kind != state.KindText:
		return state.Value{}, l.locate(&tnetstring.SyntaxError{Err: fmt.Errorf("%s of %d bytes", kind, payload)})
	}
	l.w.advance(1)
	return state.External(kind, content), nil
}
