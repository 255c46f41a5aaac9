package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/state"
)

// out is what tests collect from a batch.
type out struct {
	indexes []int64
	ids     []string
}

func (o *out) reset() { o.indexes, o.ids = o.indexes[:0], o.ids[:0] }

// collect runs a pipeline over data and returns the indexes and ids it emits.
func collect(ctx context.Context, in io.Reader, workers int, work func(*pipeline.Item, *out) error) (got out, batches int, err error) {
	r := dumpfile.NewReader(in, &dumpfile.ReaderOptions{Name: "in"})
	defer r.Close()
	err = pipeline.Run(ctx, sourceOf(r), pipeline.Options{Workers: workers}, work, func(o *out) error {
		got.indexes = append(got.indexes, o.indexes...)
		got.ids = append(got.ids, o.ids...)
		batches++
		o.reset()
		return nil
	})
	return got, batches, err
}

// sourceOf returns what reads the input of r on several workers, if there is such a thing.
func sourceOf(r *dumpfile.Reader) pipeline.Source {
	if p := r.Parts(); p != nil {
		return p
	}
	return r
}

// mapped maps a file. It returns nil if the system has no such thing.
func mapped(t *testing.T, f *os.File) io.Reader {
	t.Helper()
	m, err := dumpfile.Map(f)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func note(it *pipeline.Item, o *out) error {
	f, err := it.Flow(false)
	if err != nil {
		return err
	}
	o.indexes = append(o.indexes, it.Index)
	o.ids = append(o.ids, f.ID())
	return nil
}

// many returns a dump of several megabytes.
func many(t testing.TB) []byte {
	return bytes.Repeat(flowtest.Read(t, flowtest.Path("har", "corpus.mitm")), 30)
}

const manyFlows = 30 * 62

// noLeaks fails the test if it leaves goroutines behind.
func noLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
	})
}

func TestOrder(t *testing.T) {
	noLeaks(t)
	data := many(t)
	want, _, err := collect(t.Context(), bytes.NewReader(data), 1, note)
	if err != nil || len(want.indexes) != manyFlows {
		t.Fatalf("%d flows, %v", len(want.indexes), err)
	}
	for _, workers := range []int{0, 2, 16} {
		for _, in := range []struct {
			name string
			r    io.Reader
		}{
			{"file", bytes.NewReader(data)},
			{"stream", io.MultiReader(bytes.NewReader(data))},
			{"small reads", iotest.HalfReader(io.MultiReader(bytes.NewReader(data)))},
			{"mapped file", mapped(t, flowtest.TempFile(t, data))},
		} {
			if in.r == nil {
				continue
			}
			var n atomic.Int64
			got, batches, err := collect(t.Context(), in.r, workers, func(it *pipeline.Item, o *out) error {
				if n.Add(1)%50 == 0 {
					time.Sleep(time.Millisecond) // let other batches overtake
				}
				return note(it, o)
			})
			if err != nil {
				t.Errorf("%s, %d workers: %v", in.name, workers, err)
			}
			if batches < 5 {
				t.Errorf("%s: only %d batches, which proves nothing", in.name, batches)
			}
			if !slices.Equal(got.indexes, want.indexes) || !slices.Equal(got.ids, want.ids) {
				t.Errorf("%s, %d workers: other results", in.name, workers)
			}
		}
	}
}

// TestPicked: the values of the keys that were asked for are at hand, unless the record is not
// what it is going to be.
func TestPicked(t *testing.T) {
	data := slices.Concat(many(t), flowtest.Read(t, flowtest.Path("real", "http1.mitm")), largeFlow(t, 4<<20))
	keys := &state.Keys{Keys: []string{"id", "nothing", "request", "type"}, Inner: 2, InnerKeys: []string{"method", "nothing"}}
	for name, in := range map[string]io.Reader{
		"file": bytes.NewReader(data), "stream": io.MultiReader(bytes.NewReader(data)), "mapped file": mapped(t, flowtest.TempFile(t, data)),
	} {
		if in == nil {
			continue
		}
		r := dumpfile.NewReader(in, nil)
		picked, other := 0, 0
		err := pipeline.Run(t.Context(), sourceOf(r), pipeline.Options{Workers: 3, Keys: keys}, func(it *pipeline.Item, o *out) error {
			got := it.Picked()
			m, err := it.Newest()
			if err != nil {
				return err
			}
			if again := it.Picked(); again != nil {
				t.Errorf("%s: values of flow %d after its state was asked for", name, it.Index)
			}
			if got == nil {
				o.ids = append(o.ids, "")
				return nil
			}
			for i, key := range keys.Keys {
				if want, _ := m.Get(key); !state.Equal(got.Values[i], want) {
					t.Errorf("%s: %s of flow %d is %v, want %v", name, key, it.Index, got.Values[i], want)
				}
			}
			request, err := m.Map("request")
			if (got.Inner == nil) != (err != nil) {
				t.Errorf("%s: flow %d has a request: %v, %v", name, it.Index, got.Inner != nil, err)
			}
			for i := range got.Inner {
				if want, _ := request.Get(keys.InnerKeys[i]); !state.Equal(got.Inner[i], want) {
					t.Errorf("%s: %s of flow %d is %v, want %v", name, keys.InnerKeys[i], it.Index, got.Inner[i], want)
				}
			}
			o.ids = append(o.ids, "picked")
			return nil
		}, func(o *out) error {
			for _, id := range o.ids {
				if id == "" {
					other++
				} else {
					picked++
				}
			}
			o.reset()
			return nil
		})
		if err != nil || picked < manyFlows || other == 0 {
			t.Errorf("%s: %d flows were picked from, %d not, %v", name, picked, other, err)
		}
	}
}

// TestOldVersions: records whose migration depends on earlier ones are migrated
// in order, whoever works on them.
func TestOldVersions(t *testing.T) {
	noLeaks(t)
	old := flowtest.Read(t, flowtest.Path("real", "http1.mitm"))
	data := bytes.Repeat(old, 10)
	render := func(it *pipeline.Item, o *out) error {
		if it.Version != migrate.Number(17) {
			return fmt.Errorf("version %v", it.Version)
		}
		f, err := it.Flow(true)
		if err != nil {
			return err
		}
		o.indexes = append(o.indexes, it.Index)
		o.ids = append(o.ids, fmt.Sprint(f.ID(), f.TimestampStart(), f.(*flow.HTTP).Request().URL()))
		return nil
	}
	want, _, err := collect(t.Context(), bytes.NewReader(data), 1, render)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := collect(t.Context(), bytes.NewReader(data), 8, render)
	if err != nil || !slices.Equal(got.ids, want.ids) {
		t.Errorf("other results with many workers, %v", err)
	}
}

func TestEmpty(t *testing.T) {
	noLeaks(t)
	got, _, err := collect(t.Context(), strings.NewReader(""), 4, note)
	if err != nil || len(got.ids) != 0 {
		t.Errorf("%v, %v", got.ids, err)
	}
}

func TestNotADump(t *testing.T) {
	noLeaks(t)
	_, _, err := collect(t.Context(), strings.NewReader("hello"), 4, note)
	if _, ok := errors.AsType[*dumpfile.FormatError](err); !ok {
		t.Errorf("error is %v", err)
	}
}

// TestStop stops at a flow, in work and in emit.
func TestStop(t *testing.T) {
	data := many(t)
	for _, at := range []int64{0, 1, 500, manyFlows - 1} {
		for _, workers := range []int{1, 8} {
			t.Run(fmt.Sprintf("work at %d of %d workers", at, workers), func(t *testing.T) {
				noLeaks(t)
				got, _, err := collect(t.Context(), bytes.NewReader(data), workers, func(it *pipeline.Item, o *out) error {
					if it.Index >= at {
						return pipeline.ErrStop
					}
					return note(it, o)
				})
				if err != nil || int64(len(got.ids)) != at {
					t.Errorf("%d flows, %v", len(got.ids), err)
				}
			})
		}
	}
	t.Run("wrapped", func(t *testing.T) {
		noLeaks(t)
		_, _, err := collect(t.Context(), bytes.NewReader(data), 4, func(*pipeline.Item, *out) error {
			return fmt.Errorf("enough: %w", pipeline.ErrStop)
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("emit", func(t *testing.T) {
		noLeaks(t)
		emitted := 0
		err := pipeline.Run(t.Context(), dumpfile.NewReader(bytes.NewReader(data), nil), pipeline.Options{Workers: 8}, note, func(o *out) error {
			o.reset()
			if emitted++; emitted == 2 {
				return pipeline.ErrStop
			}
			return nil
		})
		if err != nil || emitted != 2 {
			t.Errorf("%d batches, %v", emitted, err)
		}
	})
}

// TestErrors: what comes before an error is emitted, whatever goes wrong and
// whoever is faster.
func TestErrors(t *testing.T) {
	data := many(t)
	boom := errors.New("boom")
	t.Run("work", func(t *testing.T) {
		noLeaks(t)
		for range 20 {
			got, _, err := collect(t.Context(), bytes.NewReader(data), 8, func(it *pipeline.Item, o *out) error {
				switch {
				case it.Index == 700:
					time.Sleep(time.Millisecond)
					return boom
				case it.Index > 1000:
					return errors.New("a later error")
				}
				return note(it, o)
			})
			if err != boom || len(got.ids) != 700 {
				t.Fatalf("%d flows, %v", len(got.ids), err)
			}
		}
	})
	t.Run("emit", func(t *testing.T) {
		noLeaks(t)
		err := pipeline.Run(t.Context(), dumpfile.NewReader(bytes.NewReader(data), nil), pipeline.Options{Workers: 8}, note, func(*out) error { return boom })
		if err != boom {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("truncated", func(t *testing.T) {
		noLeaks(t)
		got, _, err := collect(t.Context(), bytes.NewReader(data[:len(data)-10]), 8, note)
		e, ok := errors.AsType[*dumpfile.Error](err)
		if !ok || e.Flow != manyFlows-1 || !errors.Is(err, io.ErrUnexpectedEOF) || len(got.ids) != manyFlows-1 {
			t.Errorf("%d flows, %v", len(got.ids), err)
		}
	})
	t.Run("input", func(t *testing.T) {
		noLeaks(t)
		in := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(boom))
		got, _, err := collect(t.Context(), in, 8, note)
		if !errors.Is(err, boom) || len(got.ids) != manyFlows {
			t.Errorf("%d flows, %v", len(got.ids), err)
		}
	})
	t.Run("version", func(t *testing.T) {
		noLeaks(t)
		bad := bytes.Clone(data)
		last := bytes.LastIndex(bad, []byte("7:version;2:21#"))
		copy(bad[last:], "7:version;2:22#")
		got, _, err := collect(t.Context(), bytes.NewReader(bad), 8, note)
		e, ok := errors.AsType[*dumpfile.Error](err)
		if !ok || e.Flow != manyFlows-1 || e.Name != "in" || len(got.ids) != manyFlows-1 {
			t.Errorf("%d flows, %v", len(got.ids), err)
		}
		if ve, ok := errors.AsType[*migrate.VersionError](err); !ok || ve.Have != migrate.Number(22) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestCancel(t *testing.T) {
	data := many(t)
	t.Run("before", func(t *testing.T) {
		noLeaks(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got, _, err := collect(ctx, bytes.NewReader(data), 4, note)
		if !errors.Is(err, context.Canceled) || len(got.ids) != 0 {
			t.Errorf("%d flows, %v", len(got.ids), err)
		}
	})
	t.Run("during", func(t *testing.T) {
		noLeaks(t)
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			got, _, err := collect(ctx, bytes.NewReader(data), 8, func(it *pipeline.Item, o *out) error {
				if it.Index == 900 {
					cancel()
				}
				return note(it, o)
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error is %v", err)
			}
			// Nothing is missing between what was emitted.
			for i, n := range got.indexes {
				if n != int64(i) {
					t.Fatalf("flow %d is where flow %d should be", n, i)
				}
			}
		}
	})
	t.Run("cause", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		<-ctx.Done()
		if _, _, err := collect(ctx, bytes.NewReader(data), 4, note); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
	})
}

// TestWaitsForNothing: a batch is emitted as soon as the input makes us wait.
func TestWaitsForNothing(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	synctest.Test(t, func(t *testing.T) {
		in, feed := io.Pipe()
		emitted := 0
		done := make(chan error)
		go func() {
			done <- pipeline.Run(t.Context(), dumpfile.NewReader(in, nil), pipeline.Options{Workers: 4}, note, func(o *out) error {
				emitted += len(o.ids)
				o.reset()
				return nil
			})
		}()
		offsets := []int{}
		for rec, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Records() {
			if err != nil {
				t.Fatal(err)
			}
			offsets = append(offsets, int(rec.Offset+rec.Size))
		}
		from := 0
		for i, to := range offsets {
			feed.Write(data[from:to])
			from = to
			synctest.Wait()
			if emitted != i+1 {
				t.Fatalf("after flow %d, %d flows are emitted", i, emitted)
			}
		}
		feed.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestGoroutinesEnd checks in a bubble, which ends only when all goroutines in
// it have, that a pipeline which ends early leaves none.
func TestGoroutinesEnd(t *testing.T) {
	data := many(t)
	for name, work := range map[string]func(*pipeline.Item, *out) error{
		"at the end": note,
		"stop":       func(*pipeline.Item, *out) error { return pipeline.ErrStop },
		"error":      func(*pipeline.Item, *out) error { return io.ErrUnexpectedEOF },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, err := collect(t.Context(), bytes.NewReader(data), 16, work)
				if name == "error" != (err != nil) {
					t.Error(err)
				}
			})
		})
	}
}

// TestBackpressure: a slow consumer does not make the pipeline read on and on.
func TestBackpressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &countingReader{r: bytes.NewReader(many(t))}
		hold := make(chan struct{})
		done := make(chan error)
		const workers = 2
		go func() {
			done <- pipeline.Run(t.Context(), dumpfile.NewReader(in, nil), pipeline.Options{Workers: workers}, note, func(o *out) error {
				o.reset()
				<-hold
				return nil
			})
		}()
		synctest.Wait()
		if most := int64((2*workers+3)*256<<10 + 1<<20); in.n > most {
			t.Errorf("%d bytes were read for a consumer that takes none", in.n)
		}
		close(hold)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// TestStrict: a flow with a field of the wrong type.
func TestStrict(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	data = bytes.Replace(data, []byte("4:path;1:/,"), []byte("4:path;1:/;"), 1)
	_, _, err := collect(t.Context(), bytes.NewReader(data), 4, func(it *pipeline.Item, o *out) error {
		_, err := it.Flow(true)
		return err
	})
	e, ok := errors.AsType[*dumpfile.Error](err)
	if !ok || e.Flow != 0 {
		t.Errorf("error is %v", err)
	}
	if _, ok := errors.AsType[*flow.FieldError](err); !ok {
		t.Errorf("error is %v", err)
	}
}

// TestFileShrinks truncates a file while it is read.
func TestFileShrinks(t *testing.T) {
	capture := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	large := largeFlow(t, 4<<20)
	// copies, a large body, copies
	data := slices.Concat(bytes.Repeat(capture, 20), large, bytes.Repeat(capture, 20))
	bodyAt := int64(20 * len(capture))
	for _, tt := range []struct {
		name   string
		cut    int64 // to which the file is truncated
		detail bool  // whether bodies are fetched
		want   string
	}{
		{"within a flow", bodyAt + int64(len(large)) + 5*int64(len(capture)) + 300, false, "input became shorter while it was read"},
		{"within the large body", bodyAt + int64(len(large))/2, false, "input became shorter while it was read"},
		{"within the large body, which is fetched", bodyAt + int64(len(large))/2, true, "input"},
		{"between two flows", bodyAt + int64(len(large)) + 5*int64(len(capture)), false, "input became shorter while it was read"},
		{"to nothing", 0, false, ""},
	} {
		shrink := func(t *testing.T, inMemory, parts bool) {
			noLeaks(t)
			f := flowtest.TempFile(t, data)
			var in io.Reader = f
			if inMemory {
				if in = mapped(t, f); in == nil {
					t.Skip("files cannot be mapped")
				}
			}
			r := dumpfile.NewReader(in, &dumpfile.ReaderOptions{Name: "in.mitm"})
			defer r.Close()
			var src pipeline.Source = r
			if parts {
				src = sourceOf(r)
			}
			flows, truncated := 0, false
			err := pipeline.Run(t.Context(), src, pipeline.Options{Workers: 1}, func(it *pipeline.Item, o *out) error {
				fl, err := it.Flow(false)
				if err != nil {
					return err
				}
				if tt.detail {
					if resp := fl.(*flow.HTTP).Response(); resp != nil {
						if _, err := resp.Body.Bytes(); err != nil {
							return it.Wrap(err)
						}
					}
				}
				o.indexes = append(o.indexes, it.Index)
				return nil
			}, func(o *out) error {
				flows += len(o.indexes)
				o.reset()
				if !truncated {
					truncated = true
					return os.Truncate(f.Name(), tt.cut)
				}
				return nil
			})
			t.Logf("%d flows, %v", flows, err)
			if flows == 0 {
				t.Error("no flows before the end")
			}
			e, ok := errors.AsType[*dumpfile.Error](err)
			if !ok {
				t.Fatalf("error is %v, want one about a flow", err)
			}
			if int64(flows) != e.Flow {
				t.Errorf("%d flows are delivered, but the error is about flow %d", flows, e.Flow)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		}
		t.Run(tt.name, func(t *testing.T) { shrink(t, false, false) })
		t.Run(tt.name+", mapped", func(t *testing.T) { shrink(t, true, false) })
		t.Run(tt.name+", in parts", func(t *testing.T) { shrink(t, true, true) })
	}
}

// TestErrorWhileWaitingForMemory: a worker that waits until others have let go of
// their records learns that nobody is going to.
func TestErrorWhileWaitingForMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some 200 MB")
	}
	boom := errors.New("boom")
	small := flowtest.Read(t, flowtest.Path("real", "append-v21.mitm"))
	large := largeFlow(t, 20<<20)
	data := slices.Concat(small, large, large, large, large)
	for _, tt := range []struct {
		name string
		work func(*pipeline.Item, *out) error
		emit func(*out) error
		want error
	}{
		{"emit", note, func(*out) error { time.Sleep(200 * time.Millisecond); return boom }, boom},
		{"stop", note, func(*out) error { time.Sleep(200 * time.Millisecond); return pipeline.ErrStop }, nil},
		{"work", func(*pipeline.Item, *out) error { time.Sleep(200 * time.Millisecond); return boom },
			func(*out) error { return nil }, boom},
	} {
		for _, workers := range []int{1, 2, 4} {
			t.Run(fmt.Sprintf("%s, %d workers", tt.name, workers), func(t *testing.T) {
				noLeaks(t)
				r := dumpfile.NewReader(io.MultiReader(bytes.NewReader(data)), nil)
				defer r.Close()
				done := make(chan error, 1)
				go func() { done <- pipeline.Run(t.Context(), r, pipeline.Options{Workers: workers}, tt.work, tt.emit) }()
				select {
				case err := <-done:
					if err != tt.want {
						t.Errorf("error is %v", err)
					}
				case <-time.After(20 * time.Second):
					t.Fatal("it hangs")
				}
			})
		}
	}
}

// largeFlow returns the record of a flow with a large body.
func largeFlow(t *testing.T, size int) []byte {
	t.Helper()
	req, err := flow.NewRequest("GET", "http://x.example/large", flow.Headers{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp := flow.NewResponse(200, flow.Headers{}, make([]byte, size))
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, resp)
	var b bytes.Buffer
	w := dumpfile.NewWriter(&b)
	if err := errors.Join(w.WriteFlow(f), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
