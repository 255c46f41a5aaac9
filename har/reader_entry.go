package har

import (
	"bytes"
	"fmt"

	"github.com/flowtool/flowtool/internal/jsonscan"
)

// inEntry goes on to the end of an entry.
func (d *Reader) inEntry(b *Batch, buf []byte, atEnd bool) (more bool) {
	f := &d.f
	if f.startAt < 0 {
		f.startAt = d.off + int64(f.start)
		f.value.reset(d.opts.MaxDepth)
		if f.lined {
			f.value.resetLined(d.opts.MaxDepth, len(f.indent))
		}
	}
	within := buf
	if f.pin >= 0 {
		within = buf[:min(len(buf), f.start+d.opts.MaxEntry)]
	}
	var done bool
	f.pos, done = f.value.scan(within, f.pos)
	size := d.off + int64(f.pos) - f.startAt
	switch {
	case done && f.value.tooDeep && f.cause == nil:
		f.cause = d.errorAt(f.count, f.startAt, errTooDeep(d.opts.MaxDepth))
	case done:
	case f.value.bad && f.value.strict:
		f.cause = d.errorAt(f.count, d.off+int64(f.pos), errDamaged)
		f.value.strict = false
		return !d.goBack(size) && f.pos == len(buf)
	case f.pos < len(buf) || size >= int64(d.opts.MaxEntry) && f.pin >= 0:
		f.cause = d.errorAt(f.count, f.startAt, fmt.Errorf("%w: the limit is %d bytes (MaxEntry)", ErrTooLong, d.opts.MaxEntry))
		if !d.goBack(size) {
			f.pin = -1
		}
		return false
	case atEnd:
		f.cause = d.errorAt(f.count, d.off+int64(f.pos), &endError{"an entry"})
		if f.pin < 0 || !d.goBack(size) {
			d.err = f.cause
		}
		return false
	default:
		return true
	}
	d.endEntry(b, f.pos)
	return false
}

// endEntry adds the entry that ends at a position. One that is known to be bad
// has no data.
func (d *Reader) endEntry(b *Batch, end int) {
	f := &d.f
	e := RawEntry{Index: f.count, Offset: f.startAt, opts: d.opts, err: f.cause}
	if f.cause == nil {
		e.start, e.end = f.start, end
	}
	if f.count == 0 {
		d.head = d.log
	}
	b.Entries = append(b.Entries, e)
	f.count++
	f.pos, f.pin = end, -1
	f.where = inEntries
	if !f.array {
		f.where = betweenValues
	}
}

// goBack returns to the start of a damaged entry, to look at its lines. It does
// not if these tell nothing, or if that was done too often for the
// work to stay in proportion to the input.
func (d *Reader) goBack(size int64) bool {
	f := &d.f
	if f.value.indent < 0 || f.pin < 0 || f.again+size > 4*(f.startAt+size)+1<<20 {
		return false
	}
	f.again += size
	f.where, f.pos, f.pin = inDamage, f.start, -1
	return true
}

// inDamage looks for a line that ends the damaged entry or begins the next one.
func (d *Reader) inDamage(b *Batch, buf []byte, atEnd bool) (more bool) {
	f := &d.f
	for {
		n := bytes.IndexByte(buf[f.pos:], '\n')
		if n < 0 {
			f.pos = len(buf)
			break
		}
		line := f.pos + n + 1
		first := line
		for first < len(buf) && jsonscan.IsSpace(buf[first]) && buf[first] != '\n' {
			first++
		}
		if first == len(buf) {
			f.pos += n // see the whole line
			break
		}
		indent := string(buf[line:first])
		switch c := buf[first]; {
		case c == '}' && indent == f.indent:
			d.endEntry(b, first+1)
			return false
		case c == '{' && indent == f.indent, c == ']' && f.array && (indent == "" || len(indent) < len(f.indent)):
			d.endEntry(b, line-1)
			return false
		}
		f.pos = first
	}
	if atEnd {
		f.cause.Err = &endError{"an entry"}
		d.err = f.cause
		return false
	}
	if len(buf)-f.pos > maxIndent {
		f.pos = len(buf)
	}
	return true
}
