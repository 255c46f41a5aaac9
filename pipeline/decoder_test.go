package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

// parts is a source in a format of its own: a number of parts, each with the
// records of a dump behind each other. Part number bad fails, behind two
// records; every tenth part is nothing but a fault.
type parts struct {
	origin *dumpfile.Origin
	stream *migrate.Stream
	dump   []byte
	n      int
	bad    int
	skip   int64 // flows that are skipped behind every part
	read   int
}

func newParts(dump []byte, n, bad int) *parts {
	return &parts{dumpfile.NewOrigin(&dumpfile.ReaderOptions{Name: "in"}, "parts", "part"), migrate.NewStream(nil), dump, n, bad, 0, 0}
}

var errBad = errors.New("bad part")

func (s *parts) Stream() *migrate.Stream { return s.stream }

func (s *parts) ReadBatch(b *dumpfile.Batch) error {
	if s.skip > 0 && s.read > 0 {
		b.Skipped = s.skip
	}
	if s.read == s.n {
		return io.EOF
	}
	b.Source = s.read
	b.Weight = 1 << 20
	s.read++
	return nil
}

func (s *parts) DecodeBatch(b *dumpfile.Batch) error {
	number := b.Source.(int)
	time.Sleep(rand.N(time.Millisecond)) // let others overtake
	if number%10 == 9 {
		b.Faults = append(b.Faults, fmt.Errorf("part %d", number))
		return nil
	}
	n := 0
	for rec, err := range dumpfile.NewReader(bytes.NewReader(s.dump), nil).Records() {
		if err != nil {
			return err
		}
		raw, err := rec.Bytes()
		if err != nil {
			return err
		}
		if number == s.bad && n == 2 {
			return errBad
		}
		n++
		b.Append(s.origin, raw, dumpfile.Part{Number: int64(number), Offset: 1000 + int64(number), Data: []byte("as it was")})
	}
	return nil
}

// TestDecoder: records that workers make come in order, numbered from 0, and
// faults before what comes behind them.
func TestDecoder(t *testing.T) {
	dump := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	perPart := int64(0)
	for _, err := range dumpfile.NewReader(bytes.NewReader(dump), nil).Records() {
		if err != nil {
			t.Fatal(err)
		}
		perPart++
	}
	for _, workers := range []int{1, 2, 9} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			noLeaks(t)
			var indexes []int64
			var faults []string
			opts := pipeline.Options{Workers: workers, Fault: func(err error) {
				faults = append(faults, fmt.Sprintf("%v after %d", err, len(indexes)))
			}}
			err := pipeline.Run(t.Context(), newParts(dump, 25, -1), opts, func(it *pipeline.Item, o *out) error {
				if string(it.Original("parts")) != "as it was" || it.Original("other") != nil {
					return errors.New("original is wrong")
				}
				return note(it, o)
			}, func(o *out) error {
				indexes = append(indexes, o.indexes...)
				o.reset()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range indexes {
				if n != int64(i) {
					t.Fatalf("flow %d is where flow %d should be", n, i)
				}
			}
			if want := 23 * perPart; int64(len(indexes)) != want {
				t.Errorf("%d flows, want %d", len(indexes), want)
			}
			want := []string{fmt.Sprintf("part 9 after %d", 9*perPart), fmt.Sprintf("part 19 after %d", 18*perPart)}
			if !slices.Equal(faults, want) {
				t.Errorf("faults %q, want %q", faults, want)
			}
		})
	}
}

// TestSkipped: flows that the source skips count.
func TestSkipped(t *testing.T) {
	dump := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	src := newParts(dump, 3, -1)
	src.skip = 1000
	var flows int64
	var indexes []int64
	err := pipeline.Run(t.Context(), src, pipeline.Options{Workers: 3, Flows: &flows}, note, func(o *out) error {
		indexes = append(indexes, o.indexes...)
		o.reset()
		return nil
	})
	per := int64(len(indexes)) / 3
	if err != nil || flows != 3*per+3000 {
		t.Errorf("%d flows, %v", flows, err)
	}
	for i, n := range indexes {
		if want := int64(i) + int64(i)/per*1000; n != want {
			t.Fatalf("flow %d is where flow %d should be", n, want)
		}
	}
}

func TestDecoderErrors(t *testing.T) {
	dump := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	t.Run("decode", func(t *testing.T) {
		noLeaks(t)
		flows := 0
		err := pipeline.Run(t.Context(), newParts(dump, 25, 3), pipeline.Options{Workers: 5}, note, func(o *out) error {
			flows = int(o.indexes[len(o.indexes)-1]) + 1
			o.reset()
			return nil
		})
		if err != errBad || (flows-2)%3 != 0 || flows < 5 {
			t.Errorf("%d flows, %v", flows, err)
		}
	})
	t.Run("work", func(t *testing.T) {
		noLeaks(t)
		err := pipeline.Run(t.Context(), newParts(dump, 25, -1), pipeline.Options{Workers: 5}, func(it *pipeline.Item, _ *out) error {
			if it.Index == 7 {
				return it.Wrap(errBad)
			}
			return nil
		}, func(*out) error { return nil })
		e, ok := errors.AsType[*dumpfile.Error](err)
		if !ok || e.Flow != 7 || e.Unit != "part" || e.Offset != 1000+e.Part || !errors.Is(err, errBad) {
			t.Errorf("error is %v", err)
		}
		if want := fmt.Sprintf("in: part %d at offset %d: bad part", e.Part, e.Offset); err.Error() != want {
			t.Errorf("error is %q, want %q", err, want)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		noLeaks(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := pipeline.Run(ctx, newParts(dump, 1000, -1), pipeline.Options{Workers: 5}, note, func(o *out) error {
			o.reset()
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("stop", func(t *testing.T) {
		noLeaks(t)
		emitted := 0
		err := pipeline.Run(t.Context(), newParts(dump, 1000, -1), pipeline.Options{Workers: 5}, note, func(*out) error {
			emitted++
			return pipeline.ErrStop
		})
		if err != nil || emitted != 1 {
			t.Errorf("%d batches, %v", emitted, err)
		}
	})
}

// TestMigrated: records that have to be migrated in order are, whoever looks at
// them, to the target and to the newest version.
func TestMigrated(t *testing.T) {
	handshakes := flowtest.Read(t, flowtest.Path("real", "ws.mitm"))
	stream := migrate.NewStream(nil)
	var old bytes.Buffer // as version 11 has it: each connection is two flows
	w := dumpfile.NewWriter(&old)
	for m, err := range dumpfile.NewReader(bytes.NewReader(handshakes), nil).States() {
		if err != nil {
			t.Fatal(err)
		}
		states, _, err := stream.To(m, migrate.Number(11))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			if err := w.WriteState(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	type result struct{ newest, migrated []string }
	collect := func(workers int, to migrate.Version) (all result) {
		t.Helper()
		opts := pipeline.Options{Workers: workers, Target: to}
		data := bytes.Repeat(old.Bytes(), 20)
		err := pipeline.Run(t.Context(), dumpfile.NewReader(bytes.NewReader(data), nil), opts, func(it *pipeline.Item, r *result) error {
			m, err := it.Newest()
			if err != nil {
				return err
			}
			newest, err := tnetstring.Append(nil, m.Value())
			if err != nil {
				return err
			}
			r.newest = append(r.newest, string(newest))
			records, losses, err := it.Migrated()
			if err != nil {
				return err
			}
			line := fmt.Sprint(len(losses))
			for i := range records {
				raw, err := records[i].Bytes()
				if err != nil {
					return err
				}
				line += string(raw)
			}
			r.migrated = append(r.migrated, line)
			return nil
		}, func(r *result) error {
			all.newest = append(all.newest, r.newest...)
			all.migrated = append(all.migrated, r.migrated...)
			*r = result{}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, to := range []migrate.Version{migrate.Number(7), migrate.Number(11), migrate.Number(18), migrate.Newest} {
		one, many := collect(1, to), collect(8, to)
		if !slices.Equal(one.newest, many.newest) || !slices.Equal(one.migrated, many.migrated) {
			t.Errorf("version %v: results depend on the number of workers", to)
		}
	}
}
