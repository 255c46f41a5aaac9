package dumpfile

import "github.com/flowtool/flowtool/state"

const (
	// maxBatch is the largest number of records in a batch.
	maxBatch = 1024
	// maxLeft is the same for those that were left in the input.
	maxLeft = 32
	// keepChunks is how much memory a batch keeps after a large record.
	keepChunks = 4
)

// A Batch is a run of records that share memory, for programs that hand
// records to several goroutines. The memory is used again by the next
// [Reader.ReadBatch] into the same Batch, so nothing of a record may be kept
// beyond that.
type Batch struct {
	Records []Record

	chunks [][]byte
	used   int
	slab   state.Slab
	loader *loader // of the records that were left in the input
}

func (b *Batch) chunk(int) []byte {
	if b.used == len(b.chunks) {
		b.chunks = append(b.chunks, make([]byte, chunkSize))
	}
	b.used++
	return b.chunks[b.used-1]
}

// Held returns how many bytes of records b holds in memory.
func (b *Batch) Held() int64 {
	var n int64
	for i := range b.Records {
		if r := &b.Records[i]; r.InMemory() {
			n += r.Size
		}
	}
	return n
}

// ReadBatch fills b with the next records, at least one, as many as fit in
// little memory and can be had without waiting for the input. Errors are those
// of [Reader.ReadRecord]; records before an error are returned first.
func (d *Reader) ReadBatch(b *Batch) error {
	clear(b.Records)
	b.Records, b.used = b.Records[:0], 0
	b.slab.Reset()
	if len(b.chunks) > keepChunks {
		clear(b.chunks[keepChunks:])
		b.chunks = b.chunks[:keepChunks]
	}
	if d.pending != nil {
		err := d.pending
		d.pending = nil
		return err
	}
	if err := d.start(); err != nil {
		return err
	}
	w := &d.load.w
	w.alloc, d.load.slab = b.chunk, &b.slab
	defer func() { w.alloc, d.load.slab = newChunks(), nil }()
	w.rehouse(firstRead)
	if b.loader == nil || b.loader.input != d.load.input {
		b.loader = d.load.newLoader(b.chunk)
		b.loader.slab = &b.slab
	}
	b.loader.forget()
	left := 0
	for len(b.Records) == 0 || len(b.Records) < maxBatch && left < maxLeft && b.used <= 2 && d.load.fits() {
		rec, err := d.next()
		if err != nil {
			if len(b.Records) > 0 {
				d.pending = err
				return nil
			}
			return err
		}
		if rec.left {
			rec.loader = b.loader
			left++
		}
		b.Records = append(b.Records, rec)
	}
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
