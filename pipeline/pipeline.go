// Package pipeline is the engine of the verbs: several goroutines read batches of
// records, work on them, and hand the results on in the order of the input.
//
// A batch passes five stages. It is read, by one goroutine at a time; decoded, by many;
// settled, where what depends on the batches before is done in their order; worked
// on, by many; and emitted, in order again.
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
	"github.com/flowtool/flowtool/state"
)

// ErrStop ends a pipeline early without being an error: returned by the work
// function after the last item it wants, or by emit.
var ErrStop = errors.New("pipeline: stop")

// maxHeld is how many bytes of records that were read as a whole may be on their
// way at once, unless it is a single batch. It matters for large bodies from a
// stream; those of a file stay in the file until somebody asks.
const maxHeld = 32 << 20

// maxMapped is how much of a mapped file may be in memory, about.
const maxMapped = 40 << 20

// A Source is where records come from: a [*dumpfile.Reader], which does everything
// when it reads a batch, or [*dumpfile.Parts], or an input in another format; these two
// are Decoders.
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
	// and nothing behind them. The pipeline numbers them.
	DecodeBatch(*dumpfile.Batch) error
}

// A Settler is a Decoder that is sure of its records only when those of the batches
// before are known.
type Settler interface {
	Decoder
	// SettleBatch is called for the batches in the order of the input, by one goroutine
	// at a time, after DecodeBatch, of which it gets the error. It numbers the records,
	// and may replace them. After an error those count that the batch has then.
	SettleBatch(b *dumpfile.Batch, err error) error
}

// Options are the options of [Run]. The zero value means the defaults.
type Options struct {
	// Workers is the number of goroutines that work; 0 means one per processor.
	Workers int
	// Target is the format version that [Item.Migrated] is asked for; the zero
	// Version if it is not.
	Target migrate.Version
	// Keys are the keys of a flow that work looks at first of all, nil if there are
	// none; see [Item.Picked].
	Keys *state.Keys
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
		held: semaphore.NewWeighted(maxHeld),
	}
	e.decoder, _ = src.(Decoder)
	e.settler, _ = src.(Settler)
	if opts.Target != (migrate.Version{}) {
		e.target = migrate.NewStream(nil)
	}
	e.wake.L = &e.mu
	for range depth {
		j := new(job[T])
		j.batch.Room = max(1, maxMapped/int64(depth))
		e.free = append(e.free, j)
	}
	e.settling.waiting, e.emitting.waiting = make([]*job[T], depth), make([]*job[T], depth)
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
	seq     int
	last    int // the worker that read it last
	batch   dumpfile.Batch
	decoded bool // by a Decoder
	items   []Item
	picks   dumpfile.Picks
	done    int // items that have been worked on
	out     T
	err     error
	held    int64 // bytes of records in memory, as far as they count
}

// engine is a run of the pipeline. Nobody has a role of their own: a worker that is
// free does what can be done next. So next to nobody ever waits to be woken, which
// takes longer than the work on a batch.
type engine[T any] struct {
	ctx    context.Context
	cancel context.CancelFunc // wakes who waits for memory
	src    Source
	opts   Options
	work   func(*Item, *T) error
	emit   func(*T) error
	held   *semaphore.Weighted

	decoder Decoder         // src, if it is one
	settler Settler         // the same
	target  *migrate.Stream // to the target; nil if there is none

	seq   int   // of the next job; who is reading may use it
	index int64 // of the next record; who is settling may use it

	stop atomic.Bool // nobody is going to see further results

	mu       sync.Mutex // guards what follows
	wake     sync.Cond  // when there is more to do
	free     []*job[T]
	reading  bool      // somebody is at it
	ended    bool      // nothing more is to be read
	settling queue[T]  // was read
	todo     []*job[T] // was settled
	emitting queue[T]  // was worked on
	err      error     // what ended the run
	flows    int64     // see Options.Flows
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
		j, settled := e.take(id)
		switch {
		case j == nil:
			return
		case settled:
			e.do(j)
			e.inOrder(&e.emitting, j, e.finish)
		case e.read(j):
			e.decode(j)
			e.inOrder(&e.settling, j, e.settle)
		}
	}
}

// take returns a job that was settled and is to be worked on or, if there is none, a
// free one for the next batch; nil if there is nothing more to do.
func (e *engine[T]) take(id int) (j *job[T], settled bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.stop.Load() {
		if len(e.todo) > 0 {
			j := e.todo[0]
			e.todo = slices.Delete(e.todo, 0, 1)
			return j, true
		}
		if !e.reading && !e.ended && len(e.free) > 0 {
			e.reading = true
			return e.takeFree(id), false
		}
		e.wake.Wait()
	}
	return nil, false
}

// takeFree returns a free job, rather one that the worker filled before, whose memory
// is in the caches of its processor.
func (e *engine[T]) takeFree(id int) *job[T] {
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

// queue holds jobs for a stage that they pass in the order of the input.
type queue[T any] struct {
	waiting []*job[T] // by their number modulo the number of jobs
	next    int       // number of the next job
	busy    bool      // somebody is at it
}

// inOrder does f to j when the jobs before were through, and to what waits behind it. If
// somebody is at that already, or a job before is missing, others will do it.
func (e *engine[T]) inOrder(q *queue[T], j *job[T], f func(*job[T])) {
	e.mu.Lock()
	q.waiting[j.seq%len(q.waiting)] = j
	for !q.busy && !e.stop.Load() && e.ctx.Err() == nil {
		slot := &q.waiting[q.next%len(q.waiting)]
		due := *slot
		if due == nil {
			break
		}
		*slot = nil
		q.next++
		q.busy = true
		e.mu.Unlock()
		f(due)
		e.mu.Lock()
		q.busy = false
	}
	e.mu.Unlock()
}

// do works on the items of a job.
func (e *engine[T]) do(j *job[T]) {
	defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &j.err)
	for i := range j.items {
		if e.stop.Load() {
			return
		}
		if i%together == 0 && e.opts.Keys != nil {
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

// together is how many records are looked at side by side: no more can be gained from
// more of them.
const together = 32

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

// read reads the next batch. It returns false if that is not wanted any more.
func (e *engine[T]) read(j *job[T]) bool {
	if e.decoder != nil {
		j.batch.Reset()
	}
	j.items, j.done, j.decoded = j.items[:0], 0, false
	j.err = e.src.ReadBatch(&j.batch)
	j.held = min(j.batch.Held(), maxHeld)
	ok := e.held.Acquire(e.ctx, j.held) == nil
	j.seq = e.seq
	e.seq++

	e.mu.Lock()
	defer e.mu.Unlock()
	e.reading, e.ended = false, e.ended || !ok || j.err != nil
	if !e.ended {
		e.wake.Signal()
	}
	return ok
}

// decode makes the records of a job, if they have to be made.
func (e *engine[T]) decode(j *job[T]) {
	if e.decoder == nil || j.err != nil {
		return
	}
	j.err = e.decoder.DecodeBatch(&j.batch)
	j.decoded = true
}

// settle does what has to be done in the order of the records.
func (e *engine[T]) settle(j *job[T]) {
	switch {
	case e.decoder == nil:
	case e.settler == nil:
		e.index += j.batch.Skipped
		for i := range j.batch.Records {
			j.batch.Records[i].Index = e.index
			e.index++
		}
	case j.decoded:
		j.err = e.settler.SettleBatch(&j.batch, j.err)
	}
	e.prepare(j)

	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = e.ended || j.err != nil
	e.todo = append(e.todo, j)
	e.wake.Signal()
}

// prepare makes the items of a job, and does for them what depends on earlier ones.
func (e *engine[T]) prepare(j *job[T]) {
	defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &j.err)
	stream := e.src.Stream()
	for i := range j.batch.Records {
		j.items = append(j.items, Item{Record: &j.batch.Records[i], stream: stream, target: e.target, to: e.opts.Target})
		j.items[i].prepare()
	}
}

// finish emits a job.
func (e *engine[T]) finish(j *job[T]) {
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
	defer e.mu.Unlock()
	if err != nil {
		e.err = err
		e.stop.Store(true)
		e.wake.Broadcast()
		e.cancel()
	}
	e.free = append(e.free, j)
	e.wake.Signal()
}
