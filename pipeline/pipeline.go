// Package pipeline is the engine of the verbs: several goroutines take turns at
// finding records, work on them in batches, and hand the results on in the order
// of the input.
//
// Memory is bounded: a batch is a quarter of a megabyte or one record,
// whichever is larger, and there are a few batches per worker. Batches of mapped
// files are larger, but take memory only where somebody looks. The results do not
// depend on the number of workers.
package pipeline

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/migrate"
)

// ErrStop ends a pipeline early without being an error: returned by the work
// function after the last item it wants, or by emit.
var ErrStop = errors.New("pipeline: stop")

// maxHeld is how many bytes of records that were read as a whole may be on their
// way at once, unless it is a single batch. It matters for large bodies from a
// stream; those of a file stay in the file until somebody asks.
const maxHeld = 32 << 20

// A Source is where records come from: a [*dumpfile.Reader], or an input in
// another format, which is a [Decoder].
type Source interface {
	// ReadBatch reads the next batch. It is called by one goroutine at a time. At
	// the end of the input the error is [io.EOF].
	ReadBatch(*dumpfile.Batch) error
	// Stream returns what old states need to be brought up to date in order.
	Stream() *migrate.Stream
}

// A Decoder is a source whose records have to be made. Its ReadBatch reads what
// they are made of; the batch it gets was reset.
type Decoder interface {
	Source
	// DecodeBatch makes the records of a batch (see [dumpfile.Origin]). It is called
	// for several batches at once. After an error the records that were made count,
	// and nothing behind them.
	DecodeBatch(*dumpfile.Batch) error
}

// Options are the options of [Run]. The zero value means the defaults.
type Options struct {
	// Workers is the number of goroutines that work; 0 means one per processor.
	Workers int
	// Target is the format version that [Item.Migrated] is asked for; the zero
	// Version if it is not.
	Target migrate.Version
	// Keys are the keys of a flow that work looks at first of all; see [Item.Picked].
	Keys []string
	// Flows is set to the number of flows that work was called for without error,
	// and of those that src skipped; nil if nobody wants to know.
	Flows *int64
	// Fault is told what gave no record while reading goes on behind it, in the
	// order of the input, before what comes after is emitted.
	Fault func(error)
}

// Run reads the records of src and calls work for each, on several goroutines at
// once but for one batch in order and with one T; it then calls emit with the T
// of every batch, one at a time and in the order of the input. A T is used again
// after it was emitted; it may hold items, but nothing that came from their
// states.
//
// If work returns an error, what was done of the batch is emitted, then Run
// returns the error. It also returns errors of src, of emit, and of ctx. The end
// of the input, and [ErrStop], are not errors.
//
// When Run returns, nothing that it started is running any more. If reading src
// can block for long, what it reads from should be made to fail when ctx ends
// and when emit returns an error; Run waits for it.
func Run[T any](ctx context.Context, src Source, opts Options, work func(*Item, *T) error, emit func(*T) error) error {
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	depth := 2*workers + 1
	e := &engine[T]{
		ctx: ctx, cancel: cancel, src: src, opts: opts, work: work, emit: emit,
		turn:  make(chan struct{}, 1),
		held:  semaphore.NewWeighted(maxHeld),
		ready: make([]*job[T], depth),
	}
	e.decoder, _ = src.(Decoder)
	if opts.Target != (migrate.Version{}) {
		e.target = migrate.NewStream(nil)
	}
	e.wake.L = &e.mu
	for range depth {
		e.free = append(e.free, new(job[T]))
	}
	defer context.AfterFunc(ctx, e.abandon)()
	var group sync.WaitGroup
	for id := range workers {
		group.Go(func() { e.worker(id) })
	}
	group.Wait()
	if opts.Flows != nil {
		*opts.Flows = e.flows
	}
	if err := e.err; err != nil {
		if errors.Is(err, ErrStop) || err == io.EOF {
			return nil
		}
		return err
	}
	return ctx.Err()
}

// A job is a batch on its way.
type job[T any] struct {
	seq   int
	last  int // the worker that had it last
	batch dumpfile.Batch
	items []Item
	done  int // items that have been worked on
	out   T
	err   error
	held  int64 // bytes of records in memory, as far as they count
	picks dumpfile.Picks
}

// engine is a run of the pipeline. Nobody has a role of their own: a worker that
// is free reads the next batch, works on it, and emits what is due. That way the
// records are still in the caches of the processor that read them, and next to
// nobody ever waits to be woken.
type engine[T any] struct {
	ctx    context.Context
	cancel context.CancelFunc // wakes who waits for memory
	src    Source
	opts   Options
	work   func(*Item, *T) error
	emit   func(*T) error
	held   *semaphore.Weighted

	decoder Decoder         // src, if it is one
	target  *migrate.Stream // to the target; nil if there is none

	turn  chan struct{} // holds something while somebody reads; guards src and what follows
	seq   int           // of the next batch
	ended bool          // nothing more is to be read

	stop atomic.Bool // nobody is going to see further results

	mu       sync.Mutex // guards what follows
	wake     sync.Cond  // when free, prepared or stop changes
	prepared int        // number of the next job to prepare, if there is a decoder
	free     []*job[T]
	ready    []*job[T] // done, by their number modulo the number of jobs
	next     int       // number of the next job to emit
	emitting bool      // somebody is at it
	err      error     // what ended the run
	flows    int64     // see Options.Flows

	index int64 // of the next record to prepare; whose turn that is may use it
}

// abandon makes all workers return.
func (e *engine[T]) abandon() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stop.Store(true)
	e.wake.Broadcast()
}

func (e *engine[T]) worker(id int) {
	for {
		j := e.take(id)
		if j == nil {
			return
		}
		if !e.read(j) || e.decoder != nil && !e.decode(j) {
			e.put(j)
			return
		}
		e.do(j)
		e.finish(j)
	}
}

// do works on the items of a job.
func (e *engine[T]) do(j *job[T]) {
	defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &j.err)
	for i := range j.items {
		if e.stop.Load() {
			return
		}
		if i%together == 0 && len(e.opts.Keys) > 0 {
			e.pick(j, i)
		}
		if err := e.work(&j.items[i], &j.out); err != nil {
			j.err = err
			return
		}
		j.items[i].forget()
		j.done++
	}
}

// together is how many records are looked at side by side.
const together = 16

// pick looks up keys in the next items.
func (e *engine[T]) pick(j *job[T], first int) {
	items := j.items[first:min(first+together, len(j.items))]
	j.batch.Pick(&j.picks, first, len(items), e.opts.Keys)
	for i := range items {
		items[i].picked = j.picks.Of(i)
	}
}

// show emits a job.
func (e *engine[T]) show(j *job[T]) (err error) {
	defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &err)
	for _, fault := range j.batch.Faults {
		if e.opts.Fault != nil {
			e.opts.Fault(fault)
		}
	}
	return e.emit(&j.out)
}

// take returns a free job, nil if there is nothing more to do.
func (e *engine[T]) take(id int) *job[T] {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.free) == 0 && !e.stop.Load() {
		e.wake.Wait()
	}
	if e.stop.Load() {
		return nil
	}
	// Rather one of its own, whose memory is in the caches of its processor.
	at := len(e.free) - 1
	for i, j := range e.free {
		if j.last == id {
			at = i
		}
	}
	j := e.free[at]
	j.last = id
	e.free = slices.Delete(e.free, at, at+1)
	return j
}

func (e *engine[T]) put(j *job[T]) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.free = append(e.free, j)
	e.wake.Signal()
}

// read reads the next batch and does what has to be done in the order of the
// records. It returns false if there is none.
func (e *engine[T]) read(j *job[T]) bool {
	select {
	case e.turn <- struct{}{}:
	case <-e.ctx.Done():
		return false
	}
	defer func() { <-e.turn }()
	if e.ended || e.stop.Load() {
		return false
	}
	if e.decoder != nil {
		j.batch.Reset()
	}
	j.items, j.done, j.err = j.items[:0], 0, e.src.ReadBatch(&j.batch)
	e.ended = j.err != nil
	if e.decoder == nil {
		e.prepare(j)
	}
	j.held = min(j.batch.Held(), maxHeld)
	if e.held.Acquire(e.ctx, j.held) != nil {
		return false
	}
	j.seq = e.seq
	e.seq++
	return true
}

// decode makes the records of a job and prepares them when it is their turn. It
// returns false if that is not wanted any more.
func (e *engine[T]) decode(j *job[T]) bool {
	if j.err == nil {
		j.err = e.decoder.DecodeBatch(&j.batch)
	}
	if !e.myTurn(j) {
		return false
	}
	e.index += j.batch.Skipped
	for i := range j.batch.Records {
		j.batch.Records[i].Index = e.index
		e.index++
	}
	e.prepare(j)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prepared++
	e.wake.Broadcast()
	return true
}

// myTurn waits until the jobs before j have been prepared.
func (e *engine[T]) myTurn(j *job[T]) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.prepared != j.seq && !e.stop.Load() {
		e.wake.Wait()
	}
	return !e.stop.Load()
}

// prepare does what has to be done in the order of the records.
func (e *engine[T]) prepare(j *job[T]) {
	defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &j.err)
	stream := e.src.Stream()
	for i := range j.batch.Records {
		j.items = append(j.items, Item{Record: &j.batch.Records[i], stream: stream, target: e.target, to: e.opts.Target})
		j.items[i].prepare()
	}
}

// finish notes that j is done, and emits what is due unless somebody else is
// doing that.
func (e *engine[T]) finish(j *job[T]) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ready[j.seq%len(e.ready)] = j
	if e.emitting {
		return
	}
	e.emitting = true
	for !e.stop.Load() && e.ctx.Err() == nil {
		slot := &e.ready[e.next%len(e.ready)]
		j := *slot
		if j == nil {
			break
		}
		*slot = nil
		e.next++
		e.mu.Unlock()
		err := j.batch.Check(nil)
		if err == nil {
			e.flows += j.batch.Skipped + int64(j.done)
			if err = cmp.Or(e.show(j), j.err); err != nil {
				err = j.batch.Check(err)
			}
		}
		j.batch.Release()
		e.held.Release(j.held)
		e.mu.Lock()
		if err != nil {
			e.err = err
			e.stop.Store(true)
			e.wake.Broadcast()
			e.cancel()
		}
		e.free = append(e.free, j)
		e.wake.Signal()
	}
	e.emitting = false
}
