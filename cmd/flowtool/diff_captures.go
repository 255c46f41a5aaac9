package main

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/state"
)

// captures compares two captures.
func (d *diffing) captures(ctx context.Context, argA, argB string) (err error) {
	keyer := flowdiff.NewKeyer(d.columns)
	a, err := d.capture(ctx, argA, keyer, true)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, a.close()) }()
	b, err := d.capture(ctx, argB, keyer, false)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, b.close()) }()
	d.cutA, d.cutB = a.cut, b.cut
	c := &comparison{diffing: d, a: a, b: b}
	c.pair()
	if err = c.run(ctx); !fatal(err) {
		err = cmp.Or(a.unchanged(d.app), b.unchanged(d.app), err)
	}
	return err
}

// comparison is the second part of comparing two captures: who belongs together is
// known.
type comparison struct {
	*diffing
	a, b *capture
	// partner is the position in a of what each entry of b belongs to, noPartner, or
	// leftOut if the filter selects neither.
	partner []int32
	// onlyA are the flows without partner in a, in the order of the output.
	onlyA []straggler
	lead  int // how many of those come before all flows of b
}

const (
	noPartner = -1
	leftOut   = -2
)

// straggler is an entry of a that comes behind one of b in the output, or before
// all of them.
type straggler struct{ at, behind int32 }

// pair finds out which flows belong together, and the order of the output: that of
// b, in which what is only in a comes behind the flow that it follows in a. The filter
// comes last: a pair of which it selects one flow is compared.
func (c *comparison) pair() {
	mode := flowdiff.Auto
	if c.columns != nil {
		mode = flowdiff.ByKey
	}
	pairing := flowdiff.Match(c.a.entries, c.b.entries, mode)
	c.partner = slices.Repeat([]int32{noPartner}, len(c.b.entries))
	inB := slices.Repeat([]int32{noPartner}, len(c.a.entries))
	for _, p := range pairing.Pairs {
		c.partner[p.B], inB[p.A] = int32(p.A), int32(p.B)
	}
	behind := int32(noPartner)
	for i, j := range inB {
		if j == noPartner && c.a.wanted(i) {
			c.onlyA = append(c.onlyA, straggler{int32(i), behind})
		} else if j != noPartner {
			behind = j
		}
	}
	for j, i := range c.partner {
		if !c.b.wanted(j) && (i == noPartner || !c.a.wanted(int(i))) {
			c.partner[j] = leftOut
		} else if i == noPartner {
			c.tally.onlyB++
		}
	}
	slices.SortStableFunc(c.onlyA, func(x, y straggler) int { return cmp.Compare(x.behind, y.behind) })
	c.lead, _ = c.behind(0)
	c.tally.onlyA = int64(len(c.onlyA))
}

// behind returns which of the stragglers come behind an entry of b.
func (c *comparison) behind(j int) (from, to int) {
	first := func(j int) int {
		n, _ := slices.BinarySearchFunc(c.onlyA, j, func(s straggler, j int) int { return cmp.Compare(int(s.behind), j) })
		return n
	}
	return first(j), first(j + 1)
}

// pairsPiece is what is told of a batch.
type pairsPiece struct {
	told
	a            *dumpfile.Reader
	batch        dumpfile.Batch // for a
	viewA, viewB flow.Viewer
}

// run compares the pairs.
func (c *comparison) run(ctx context.Context) error {
	if c.flags.quiet && c.differ() {
		return nil // that is the answer
	}
	if err := c.leading(); err != nil || len(c.b.entries) == 0 {
		return err
	}
	// What is wrong with b was told when it was read first.
	r := &reader{app: c.app, cmd: c.cmd, flags: c.flags, bar: c.bar, quiet: true}
	err := again(ctx, r, c.b, c.work, c.emit)
	if errors.Is(err, pipeline.ErrStop) {
		return nil
	}
	if err != nil && statusOf(err) == exitLossy {
		if c.tally.done < int64(len(c.b.entries)) {
			c.fault(err)
		}
		return nil
	}
	return err
}

// leading writes what is only in a and comes before all flows of b.
func (c *comparison) leading() error {
	var p pairsPiece
	if err := c.stragglers(&p, 0, c.lead, true); err != nil {
		return err
	}
	return c.flush(&p.told)
}

// shortRun is how many stragglers a worker renders behind a flow.
const shortRun = 256

// work compares a flow of b with its partner, unless there is enough text already.
func (c *comparison) work(it *pipeline.Item, p *pairsPiece) error {
	j, ok := c.entry(it)
	if j == len(c.b.entries) {
		return pipeline.ErrStop
	}
	if !ok {
		return nil
	}
	if from, to := c.behind(j); p.full() || to-from > shortRun {
		p.rest = append(p.rest, it)
		return nil
	}
	return c.compareOne(it, p, j, false)
}

// entry returns the position of the entry of an item; ok is false if it has none.
func (c *comparison) entry(it *pipeline.Item) (j int, ok bool) {
	if c.b.spool != nil {
		return int(it.Index), int(it.Index) < len(c.b.entries)
	}
	return slices.BinarySearchFunc(c.b.entries, it.Index, func(e flowdiff.Entry, index int64) int { return cmp.Compare(e.Index, index) })
}

// compareOne compares entry j of b with its partner, and adds what is only in a and
// comes behind it. With flush, text that grows is written.
func (c *comparison) compareOne(it *pipeline.Item, p *pairsPiece, j int, flush bool) error {
	p.tally.done++
	i := int(c.partner[j])
	var err error
	switch i {
	case leftOut:
	case noPartner:
		err = c.onlyInB(it, p, j)
	default:
		err = c.both(it, p, i, j)
	}
	if err != nil {
		where := place(c.b.arg, c.b.entries[j].Index)
		if i != noPartner {
			where = place(c.a.arg, c.a.entries[i].Index) + ", " + where
			p.tally.failed++
		}
		p.fault(where, err)
	}
	from, to := c.behind(j)
	return c.stragglers(p, from, to, flush)
}

// stragglers renders a run of flows that are only in a.
func (c *comparison) stragglers(p *pairsPiece, from, to int, flush bool) error {
	if c.flags.quiet {
		return nil
	}
	for _, s := range c.onlyA[from:to] {
		if err := c.onlyInA(p, int(s.at)); err != nil {
			p.fault(place(c.a.arg, c.a.entries[s.at].Index), err)
		}
		if flush && len(p.text) > maxText {
			if err := c.flush(&p.told); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordA reads a flow of a.
func (c *comparison) recordA(p *pairsPiece, i int) (*dumpfile.Record, error) {
	if p.a == nil {
		r, err := c.a.reader(c.flags)
		if err != nil {
			return nil, err
		}
		p.a = r
	}
	e := &c.a.entries[i]
	return p.a.ReadAt(&p.batch, e.Index, e.Offset)
}

// stateA returns the state of a record of a, brought up to date.
func (p *pairsPiece) stateA(rec *dumpfile.Record) (*state.Map, error) {
	m, err := rec.State()
	if err == nil {
		m, err = p.a.Stream().Up(m)
	}
	if err != nil {
		return nil, err
	}
	freshen(m)
	return m, nil
}

// stateB returns the state of an item, brought up to date.
func stateB(it *pipeline.Item) (*state.Map, error) {
	m, err := it.Newest()
	if err != nil {
		return nil, err
	}
	freshen(m)
	return m, nil
}

// freshen brings the backup in a state of the newest version up to date, if it is
// older.
func freshen(m *state.Map) {
	if b, ok := migrate.OldBackup(m); ok {
		m.Set("backup", b)
	}
}

func (c *comparison) onlyInA(p *pairsPiece, i int) error {
	rec, err := c.recordA(p, i)
	if err != nil {
		return err
	}
	m, err := p.stateA(rec)
	if err != nil {
		return err
	}
	var r flowdiff.Report
	if r.A, err = ref(&p.viewA, c.a.entries[i].Index, m); err == nil {
		p.text, err = c.render(p.text, &r, m, nil)
	}
	return err
}

func (c *comparison) onlyInB(it *pipeline.Item, p *pairsPiece, j int) error {
	m, err := stateB(it)
	if err != nil {
		return err
	}
	var r flowdiff.Report
	if r.B, err = ref(&p.viewB, c.b.entries[j].Index, m); err == nil {
		p.text, err = c.render(p.text, &r, nil, m)
	}
	return err
}

// both compares two flows.
func (c *comparison) both(it *pipeline.Item, p *pairsPiece, i, j int) error {
	rec, err := c.recordA(p, i)
	if err != nil {
		return err
	}
	same, err := rec.Equal(it.Record)
	if err != nil {
		return err
	}
	if same && !c.opts.json {
		p.tally.equal++ // most pairs: nobody looks into them
		return nil
	}
	a, err := p.stateA(rec)
	if err != nil {
		return err
	}
	b, err := stateB(it)
	if err != nil {
		return err
	}
	var r flowdiff.Report
	if !same {
		if r.Changes, err = flowdiff.Diff(a, b, &c.compare); err != nil {
			return err
		}
	}
	if len(r.Changes) == 0 && !c.opts.json && !c.opts.patch {
		p.tally.equal++
		return nil
	}
	r.A = &flowdiff.Ref{Index: c.a.entries[i].Index}
	if c.opts.json || c.opts.patch { // other forms name the flow of b
		if r.A, err = ref(&p.viewA, r.A.Index, a); err != nil {
			return err
		}
	}
	if r.B, err = ref(&p.viewB, c.b.entries[j].Index, b); err != nil {
		return err
	}
	if p.text, err = c.render(p.text, &r, a, b); err != nil {
		return err
	}
	if len(r.Changes) == 0 {
		p.tally.equal++
	} else {
		p.tally.changed++
	}
	return nil
}

// emit writes what is told of a batch.
func (c *comparison) emit(p *pairsPiece) error {
	return c.tell(&p.told, func(it *pipeline.Item) error {
		j, _ := c.entry(it)
		return c.compareOne(it, p, j, true)
	})
}
