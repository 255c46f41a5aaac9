// Package pipeline is the engine of the verbs: one goroutine finds records,
// several work on them in batches, and the results are handed on in the order
// of the input.
//
// Memory is bounded: a batch is a quarter of a megabyte or one record,
// whichever is larger, and there are a few batches per worker. The results do
// not depend on the number of workers.
package pipeline

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// An Item is a record on its way through the pipeline.
type Item struct {
	*dumpfile.Record
	// Version is the format version the record was written in.
	Version migrate.Version

	state  *state.Map
	stream *migrate.Stream
	up     bool
	err    error
}

// Newest returns the state of the item, brought to the newest format version.
// It must not be kept: see [dumpfile.Batch].
func (it *Item) Newest() (*state.Map, error) {
	if it.err != nil || it.up {
		return it.state, it.err
	}
	it.up = true
	m, err := it.State()
	if err == nil {
		it.Version, err = migrate.VersionOf(m)
	}
	if err == nil {
		m, err = it.stream.Up(m)
	}
	it.state, it.err = m, it.Wrap(err)
	return it.state, it.err
}

// prepare does what has to be done in the order of the records: migrations
// that depend on earlier ones.
func (it *Item) prepare() {
	if it.EndsAsVersion21() {
		it.Version = migrate.Newest
		return
	}
	m, err := it.State()
	if err == nil {
		it.Version, err = migrate.VersionOf(m)
	}
	if err != nil {
		it.err = it.Wrap(err)
		return
	}
	if !migrate.Stateless(it.Version) {
		_, _ = it.Newest()
	}
}

// ErrStop ends a pipeline early without being an error: returned by the work
// function after the last item it wants, or by emit.
var ErrStop = errors.New("pipeline: stop")

// maxHeld is how many bytes of records that were read as a whole may be on their
// way at once, unless it is a single batch. It matters for large bodies from a
// stream; those of a file stay in the file until somebody asks.
const maxHeld = 32 << 20

// Run reads the records of r and calls work for each, on several goroutines at
// once but for one batch in order and with one T; it then calls emit with the T
// of every batch, in the order of the input and on the calling goroutine. A T
// is used again after it was emitted. workers is the number of goroutines that
// work; 0 means one per processor.
//
// If work returns an error, what was done of the batch is emitted, then Run
// returns the error. It also returns errors of r, of emit, and of ctx. The end
// of the input, and [ErrStop], are not errors.
//
// When Run returns, nothing that it started is running any more. If reading r
// can block for long, what r reads from should be made to fail when ctx ends
// and when emit returns an error; Run waits for it.
func Run[T any](ctx context.Context, r *dumpfile.Reader, workers int, work func(*Item, *T) error, emit func(*T) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type job struct {
		batch dumpfile.Batch
		items []Item
		out   T
		err   error
		done  chan struct{}
		held  int64 // bytes of records in memory, as far as they count
	}
	held := semaphore.NewWeighted(maxHeld)
	depth := 2*workers + 1
	free := make(chan *job, depth)
	for range depth {
		free <- &job{done: make(chan struct{}, 1)}
	}
	todo := make(chan *job, depth)  // to the workers
	order := make(chan *job, depth) // the same jobs, to the emitter
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()

	group.Go(func() {
		defer close(todo)
		defer close(order)
		stream := r.Stream()
		for {
			var j *job
			select {
			case j = <-free:
			case <-ctx.Done():
				return
			}
			if ctx.Err() != nil {
				return
			}
			j.items, j.err = j.items[:0], r.ReadBatch(&j.batch)
			for i := range j.batch.Records {
				j.items = append(j.items, Item{Record: &j.batch.Records[i], stream: stream})
				j.items[i].prepare()
			}
			last := j.err != nil
			j.held = min(j.batch.Held(), maxHeld)
			if held.Acquire(ctx, j.held) != nil {
				return
			}
			order <- j // never blocks: there are depth jobs
			todo <- j
			if last {
				return
			}
		}
	})
	for range workers {
		group.Go(func() {
			for j := range todo {
				for i := range j.items {
					if ctx.Err() != nil {
						break // nobody will see the result
					}
					if err := work(&j.items[i], &j.out); err != nil {
						j.err = err
						break
					}
				}
				j.done <- struct{}{}
			}
		})
	}
	for {
		select {
		case j, ok := <-order:
			if !ok {
				return ctx.Err()
			}
			<-j.done
			if ctx.Err() != nil {
				return ctx.Err() // the batch may be incomplete
			}
			err := j.err
			if emitErr := emit(&j.out); emitErr != nil {
				err = emitErr
			}
			switch {
			case errors.Is(err, ErrStop), err == io.EOF:
				return nil
			case err != nil:
				return err
			}
			held.Release(j.held)
			free <- j
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Flow returns the item as a typed flow, which must not be kept. With strict it
// is checked completely (see [flow.FromState]); otherwise it is checked and
// decoded only as far as somebody looks ([flow.View]), and [flow.Flow.Damage]
// tells afterwards whether something was wrong there.
func (it *Item) Flow(strict bool) (flow.Flow, error) {
	m, err := it.Newest()
	if err != nil {
		return nil, err
	}
	make := flow.View
	if strict {
		make = flow.FromState
	}
	f, err := make(m)
	if err != nil {
		return nil, it.Wrap(err)
	}
	return f, nil
}
