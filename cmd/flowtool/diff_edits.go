package main

import (
	"context"
	"errors"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/state"
)

// editsPiece is what is told of a batch.
type editsPiece struct {
	told
	viewer flow.Viewer
}

// edits compares the flows of all inputs with their backups.
func (d *diffing) edits(ctx context.Context, inputs []string) error {
	d.compare.Backup = true
	if err := d.sel.prepare(ctx, &d.reader, inputs); err != nil {
		return err
	}
	return d.all(ctx, inputs, func(ctx context.Context, arg string) error {
		err := each(ctx, &d.reader, arg, needs{want: d.wants(false)}, nil, func(it *pipeline.Item, p *editsPiece) error {
			if p.full() {
				p.rest = append(p.rest, it)
				return nil
			}
			return d.workEdits(arg, it, p)
		}, func(p *editsPiece) error {
			return d.tell(&p.told, func(it *pipeline.Item) error { return d.workEdits(arg, it, p) })
		})
		if err != nil && err != pipeline.ErrStop {
			d.cut++
		}
		return err
	})
}

// workEdits looks at a flow of an input.
func (d *diffing) workEdits(arg string, it *pipeline.Item, p *editsPiece) error {
	if err := d.check(it); err != nil {
		return err
	}
	m, err := it.Newest()
	if err != nil {
		return err
	}
	index := d.index(it)
	if ok, err := d.sel.matches(it, index); err != nil || !ok {
		return err
	}
	b, _ := m.Get("backup")
	if b.Kind() != state.KindMap {
		p.tally.bare++
		return nil
	}
	if err := d.edit(p, m, index); err != nil {
		p.fault(place(arg, index), it.Wrap(err))
		p.tally.failed++
	}
	return nil
}

var errOldBackup = errors.New("its backup cannot be brought up to date")

// edit compares a flow that has a backup with it.
func (d *diffing) edit(p *editsPiece, m *state.Map, index int64) error {
	b, err := migrate.Backup(m).Map()
	if err != nil {
		return errOldBackup
	}
	r := flowdiff.Report{Backup: true}
	if r.Changes, err = flowdiff.Diff(b, m, &d.compare); err != nil {
		return err
	}
	if d.opts.narrow() && len(flowdiff.Edits(r.Changes)) == 0 {
		everywhere := d.compare
		everywhere.Ignore, everywhere.Only, everywhere.IgnoreDefaults = flowdiff.Paths{}, flowdiff.Paths{}, false
		all, err := flowdiff.Diff(b, m, &everywhere)
		if err != nil {
			return err
		}
		r.Elsewhere = len(flowdiff.Edits(all)) > 0
	}
	if r.A, err = ref(&p.viewer, index, m); err != nil {
		return err
	}
	r.B = r.A
	text, err := d.render(p.text, &r, b, m)
	if err != nil {
		return err
	}
	p.text = text
	switch {
	case r.Status() != flowdiff.StatusEqual:
		p.tally.changed++
	case r.Elsewhere:
		p.tally.elsewhere++
	default:
		p.tally.equal++
	}
	return nil
}
