package dumpfile

import (
	"runtime/debug"

	"github.com/flowtool/flowtool/state"
)

const (
	// maxBatch is the largest number of records in a batch.
	maxBatch = 1024
	// maxLeft is the same for those that were left in the input.
	maxLeft = 32
	// maxMapped is how many bytes of a mapped file, and one record more, a batch may
	// have if somebody is going to look at all of them (see partSize). It is larger than
	// other batches, because it takes no memory of its own.
	maxMapped = 1 << 20
	// maxUntouched is the same if nobody is going to look at large content, though it
	// may be written.
	maxUntouched = 32 << 20
	// keepChunks is how much memory a batch keeps after a large record.
	keepChunks = 4
)

// A Batch is a run of records that share memory, for programs that hand
// records to several goroutines. The memory is used again by the next
// [Reader.ReadBatch] into the same Batch, so nothing of a record may be kept
// beyond that.
type Batch struct {
	Records []Record
	// Source is for whoever fills the batch with records of an [Origin]: what
	// they are made of, and memory for them. It is kept with the batch.
	Source any
	// Faults are parts of such an input that gave no record, while reading goes on
	// behind them.
	Faults []error
	// Skipped is the number of flows of such an input that come before the batch
	// and were skipped because nobody wants them.
	Skipped int64
	// Room is how much of a mapped file a batch may bring into memory, about and in
	// bytes; 0 stands for no limit. It is set by who reads the batch.
	Room int64
	// Weight is how many bytes of memory such records, and what they are made of,
	// are going to take.
	Weight int64

	chunks [][]byte
	used   int
	slab   state.Slab
	loader *loader // of the records that were left in the input
	framed int     // chunks in use by the others
	// What is to be released of a mapped file.
	mapping *Mapping
	end     int64
	touched int64 // about how much is in memory then
	part    part  // see Parts
}

// Check returns err, what working on the batch came to, unless a mapped file is not
// there any more as far as the batch reaches. Then what was found in the batch
// means nothing, and the error says so.
func (b *Batch) Check(err error) error {
	if b.mapping == nil || err != errShorter && b.mapping.whole(b.end) {
		return err
	}
	return b.Records[0].Wrap(errShorter)
}

// Release tells that nobody is going to look at the batch any more, nor at what
// came before it. It is called for batches in the order of the input. Only
// mapped files care.
func (b *Batch) Release() {
	if b.mapping != nil {
		b.mapping.release(b.end, b.touched)
		b.mapping = nil
	}
}

// oneByOne is the format version before which records may have to be migrated
// in order, and therefore before anybody works on them.
const oneByOne = 12

// recycleChunks is how many chunks the records that were left in the input may
// take before those that were forgotten make room.
const recycleChunks = 2

func (b *Batch) chunk(int) []byte {
	if b.used == len(b.chunks) {
		b.chunks = append(b.chunks, make([]byte, chunkSize))
	}
	b.used++
	return b.chunks[b.used-1]
}

// recycle makes the memory free that records which were left in the input took.
// All of them must have been forgotten.
func (b *Batch) recycle() {
	if b.used > b.framed+recycleChunks {
		b.used = b.framed
		b.loader.forget()
	}
}

// Held returns how many bytes of records b holds in memory, or will hold.
func (b *Batch) Held() int64 {
	n := b.Weight
	if b.mapping != nil {
		return 0 // the system can take it back
	}
	for i := range b.Records {
		n += int64(len(b.Records[i].raw))
	}
	return n
}

// Reset empties b, which keeps its memory.
func (b *Batch) Reset() {
	clear(b.Records)
	b.Records, b.used = b.Records[:0], 0
	clear(b.Faults)
	b.Faults, b.Skipped, b.Weight = b.Faults[:0], 0, 0
	b.slab.Reset()
	b.mapping, b.touched = nil, 0
}

// trim gives back the memory that only a large record needed.
func (b *Batch) trim() {
	if len(b.chunks) > keepChunks {
		clear(b.chunks[keepChunks:])
		b.chunks = b.chunks[:keepChunks]
	}
}

// ReadBatch fills b with the next records, at least one, as many as fit in
// little memory and can be had without waiting for the input. Errors are those
// of [Reader.ReadRecord]; records before an error are returned first.
func (d *Reader) ReadBatch(b *Batch) (err error) {
	b.Reset()
	if d.mapped() {
		defer d.catch(debug.SetPanicOnFault(true), &err)
	}
	b.trim()
	if d.pending != nil {
		err := d.pending
		d.pending = nil
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	if d.load.mapping != nil {
		err := d.section(b, d.Offset()+d.partSize(d.average, b.Room))
		if err != nil {
			return d.afterwards(b, err)
		}
		return nil
	}
	d.load.slab = &b.slab
	defer func() { d.load.slab = nil }()
	defer d.lend(b)()
	d.load.w.rehouse(firstRead)
	var rec Record
	left := 0
	for len(b.Records) == 0 || len(b.Records) < maxBatch && left < maxLeft && b.used <= 2 && d.load.fits() {
		if err := d.next(&rec); err != nil {
			return d.afterwards(b, err)
		}
		if rec.left {
			rec.loader = b.loader
			left++
		}
		b.Records = append(b.Records, rec)
		if rec.left && rec.version < oneByOne {
			break // it may be opened at once, and not forgotten before the batch
		}
	}
	return nil
}

// lend makes the memory of b that of the window until done is called.
func (d *Reader) lend(b *Batch) (done func()) {
	d.load.w.alloc = b.chunk
	if b.loader == nil || b.loader.input != d.load.input {
		b.loader = d.load.newLoader(b.chunk)
		b.loader.slab = &b.slab
		b.loader.recycle = b.recycle
	}
	b.loader.forget()
	return func() {
		d.load.w.alloc = newChunks()
		b.framed = b.used
	}
}

// afterwards keeps an error until the records before it were returned.
func (d *Reader) afterwards(b *Batch, err error) error {
	if len(b.Records) == 0 {
		return err
	}
	d.pending = err
	return nil
}

// fits tells whether the next record can be read into the chunk at hand, and,
// from a stream, without reading.
func (l *loader) fits() bool {
	have := len(l.w.bytes())
	head, payload, err := l.codec.Prefix(l.w.bytes())
	size := int64(head) + payload + 1
	if l.w.at == nil {
		return err == nil && head > 0 && size <= int64(have)
	}
	room := int64(len(l.w.chunk) - l.w.pos)
	if err == nil && head > 0 && size <= l.wholeRecord {
		return size <= room
	}
	return room >= 2*wholeRecord
}
