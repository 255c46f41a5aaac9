package dumpfile

import (
	"bytes"
	"io"
	"runtime/debug"
	"sync/atomic"

	"github.com/flowtool/flowtool/migrate"
)

// Parts reads a mapped dump part by part, for programs with several goroutines that
// find the records of their parts at the same time. Where the first record of a part
// begins is known for sure only when the parts before were read; until then it is
// guessed, from how records end, and where the guess was wrong the part is read again.
// The result is always that of [Reader.ReadBatch].
//
// Parts is a pipeline.Settler.
type Parts struct {
	d    *Reader
	next part // where the next part begins, and its number

	settled atomic.Int64 // the number of the next part to settle
	reached atomic.Int64 // the offset where the records of settled parts end
	average atomic.Int64 // that of d when the last part was settled
	left    atomic.Bool  // there were more records in a part than a batch takes
}

// part is the part of a file that a batch is made of.
type part struct {
	number   int64
	from, to int64 // records that begin here belong to it
	begin    int64 // where the first of them begins; -1 if that is not known
	behind   int64 // where the last of them ends, if that is known
}

// Parts returns a way to read the input of d in parts, or nil if it is not a plain dump
// in a [Mapping]. Nothing must be read with d itself afterwards.
func (d *Reader) Parts() *Parts {
	if d.start() != nil || d.load.mapping == nil {
		return nil
	}
	p := &Parts{d: d, next: part{from: d.Offset()}}
	p.reached.Store(d.Offset())
	return p
}

// Stream is [Reader.Stream].
func (p *Parts) Stream() *migrate.Stream { return p.d.stream }

// ReadBatch turns b to the next part, at which it does not look. At the end of the
// input the error is [io.EOF]. It is called by one goroutine at a time.
func (p *Parts) ReadBatch(b *Batch) error {
	b.Reset()
	size, reached := p.d.load.size, p.reached.Load()
	if reached == size {
		return io.EOF
	}
	// A large record may reach far into parts that were not read yet. Or there were
	// too many records in a part: then those on their way, which go on where it ends,
	// are followed by one that does so, too, and catches up with them at the latest at
	// the end of the file, where from is the size.
	from := min(max(p.next.from, reached), size)
	if p.left.Swap(false) {
		from = reached
	}
	to := min(from+p.d.partSize(p.average.Load(), b.Room), size)
	b.part = part{number: p.next.number, from: from, to: to, begin: -1}
	p.next = part{number: p.next.number + 1, from: to}
	return nil
}

// DecodeBatch looks for the records of b. It is called by several goroutines, each with
// a Batch of its own.
func (p *Parts) DecodeBatch(b *Batch) error {
	if err := p.find(b); err != nil {
		// The guess may be to blame: it is told if it is found again.
		clear(b.Records)
		b.Records = b.Records[:0]
		b.part.begin = -1
	}
	return nil
}

func (p *Parts) find(b *Batch) (err error) {
	defer CatchFault(debug.SetPanicOnFault(true), &err)
	s := &b.part
	begin := p.guess(s)
	if begin < 0 {
		return nil
	}
	data := p.d.load.mapping.data
	at := Reader{src: p.d.src, opts: p.d.opts, started: true}
	at.load = loader{input: p.d.load.input, w: mappedWindow(data, begin)}
	err = at.section(b, s.to)
	s.begin, s.behind = begin, at.Offset()
	return err
}

// guess returns the offset of the first record of a part or, if none begins in it,
// behind it; -1 if there is no telling.
func (p *Parts) guess(s *part) int64 {
	if s.number == p.settled.Load() {
		return p.d.Offset() // which changes only when s is settled
	}
	const maxSearch = 256 << 10
	if p.average.Load() > maxSearch {
		return -1 // it is probably further away
	}
	data := p.d.load.mapping.data
	pos := max(0, s.from-lenOfVersion) // the record before may end where s begins
	for most := min(s.to, s.from+maxSearch); ; {
		i := bytes.Index(data[pos:most], []byte(keyOfVersion))
		if i < 0 {
			return -1
		}
		pos += int64(i + len(keyOfVersion))
		n := int64(bytes.IndexByte(data[pos:most], '}') + 1)
		begin := pos + n
		if n > 0 && n <= lenOfVersion && begin >= s.from && versionAtEnd(data[max(0, begin-lenOfVersion):begin]) > 0 {
			return begin
		}
	}
}

// SettleBatch makes sure that b has the records of its part. It is called for the parts in
// order, by one goroutine at a time and after DecodeBatch, which never fails. The
// error is that of [Reader.ReadRecord], with the records before it in b.
func (p *Parts) SettleBatch(b *Batch, _ error) error {
	err := p.d.settle(b)
	p.average.Store(p.d.average)
	p.reached.Store(p.d.Offset())
	p.settled.Store(b.part.number + 1)
	if p.d.Offset() < b.part.to {
		p.left.Store(true)
	}
	return err
}

// settle makes d go on behind the records of a batch, if they are those that it would
// read, or else reads them.
func (d *Reader) settle(b *Batch) (err error) {
	if d.err != nil || b.part.begin != d.Offset() {
		b.Reset()
		defer d.catch(debug.SetPanicOnFault(true), &err)
		return d.section(b, b.part.to)
	}
	for i := range b.Records {
		b.Records[i].Index = d.load.n
		d.load.n++
	}
	d.load.w.advance(int(b.part.behind - b.part.begin))
	d.measure(b)
	return nil
}

// section fills b with the next records of a mapped file that begin before an offset,
// unless they are too many.
func (d *Reader) section(b *Batch, to int64) error {
	d.load.src, d.load.slab = nil, &b.slab // so that elements come to be in b's slab
	defer func() { d.load.slab = nil }()
	defer d.measure(b)
	var rec Record
	for len(b.Records) < maxBatch && d.Offset() < to {
		if err := d.next(&rec); err != nil {
			return err
		}
		b.Records = append(b.Records, rec)
		b.mapping, b.end = d.load.mapping, d.Offset()
		b.touched += d.touched(rec.Size)
	}
	return nil
}

// measure takes note of how large records are: those of a batch, or all so far if
// these are smaller.
func (d *Reader) measure(b *Batch) {
	if n := int64(len(b.Records)); n > 0 {
		all := (d.Offset() - d.load.mapping.pos) / d.load.n
		d.average = min(all, (b.end-b.Records[0].Offset)/n)
	}
}

// touched returns about how much of a record of some size comes to be in memory.
func (d *Reader) touched(size int64) int64 {
	if d.opts.Skim || d.opts.DropLarge {
		return min(size, 128<<10) // what the system brings in where it begins and ends, unless it is written
	}
	return size
}

// partSize returns how large the next part of a mapped file should be. average is the
// size of records, 0 if that is not known. A part should be so large that handing it on
// takes little time beside the work, and where records are large half as many do; but not
// more of it than room, unless that is 0, should come to be in memory.
func (d *Reader) partSize(average, room int64) int64 {
	most := int64(maxMapped)
	switch {
	case d.load.partSize > 0:
		return d.load.partSize
	case average == 0:
		average = 16 << 10
	case d.opts.Skim:
		most = maxUntouched
	case d.opts.DropLarge:
		most = 4 * maxMapped // messages are looked at, bodies are not
	}
	if room > 0 {
		most = min(most, room/d.touched(average)*average)
	}
	size := average * 128
	if size > maxMapped {
		size = max(maxMapped, size/2)
	}
	return max(min(size, most), 64<<10)
}
