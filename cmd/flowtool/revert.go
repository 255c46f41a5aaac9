package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/state"
)

type revertOptions struct {
	input  inputFlags
	filter filterFlags
	output outputFlags
	drop   bool
	utc    bool
}

func newRevertCmd(a *app) *cobra.Command {
	opts := revertOptions{}
	cmd := &cobra.Command{
		Use:   "revert [FILE...]",
		Short: "Take edited flows back to their backup, or forget the backups",
		Long: `revert writes edited flows as they were captured: as the backup that mitmproxy
keeps inside them, byte for byte. All other flows are copied as the bytes they
are, and the order stays. With -f, only the flows that match are reverted.

A reverted flow keeps its format version, also where mitmproxy has left a backup
of an older version in it. --drop-backups is the opposite: flows stay as they are
now, and the captured originals inside them are forgotten. Think of it before you
share a capture that was edited.

Standard error says how many flows were treated. The status is 0 also if there
were none, 2 if something went wrong, such as a backup of a version that this
build does not know, and 3 if an input is damaged: what comes before the damage
is written then, but no file replaced.

"flowtool diff FILE" shows what was edited.`,
		Example: `  flowtool revert edited.mitm -o original.mitm
  flowtool revert -f '~d shop' -i edited.mitm          # in place
  flowtool revert --drop-backups edited.mitm -o public.mitm`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRevert(cmd.Context(), a, cmd, &opts, args)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&opts.drop, "drop-backups", false, "keep flows as they are now, and forget their backups")
	fl.BoolVar(&opts.utc, "utc", false, "times in filters without a zone are in UTC instead of local time")
	opts.output.add(cmd)
	opts.filter.addFlag(cmd)
	opts.input.add(cmd)
	fl.Lookup("quiet").Usage = "do not tell how many flows were reverted; no progress"
	return cmd
}

func runRevert(ctx context.Context, a *app, cmd *cobra.Command, opts *revertOptions, args []string) error {
	if err := opts.input.check(); err != nil {
		return err
	}
	sel, err := opts.filter.selection(a, a.zone(opts.utc))
	if err != nil {
		return err
	}
	c, inputs, err := a.newCopying(cmd, &opts.input, &opts.output, sel, args)
	if err != nil {
		return err
	}
	c.edit = opts.edit
	if err := c.run(ctx, inputs); err != nil {
		return err
	}
	if !opts.input.quiet && a.status != exitTrouble {
		done := flows(c.edited) + " reverted"
		if opts.drop {
			done = "dropped the backup of " + flows(c.edited)
		}
		fmt.Fprintf(a.errOut, "flowtool: %s\n", done)
	}
	return nil
}

// edit returns what takes the place of a flow that has a backup.
func (o *revertOptions) edit(it *pipeline.Item) (*pipeline.Item, error) {
	if it.Version == migrate.Newest {
		v, err := it.NewestValue()
		if err != nil {
			return nil, err
		}
		var backup [1]state.Value
		if err := v.Pick([]string{"backup"}, backup[:]); err != nil || backup[0].IsNull() {
			return nil, err
		}
	}
	// A filter may have migrated the state of the item, so this is another one.
	raw, err := it.Bytes()
	if err != nil {
		return nil, err
	}
	rec := it.Replace(raw)
	m, err := rec.State()
	if err != nil {
		return nil, err
	}
	if !o.drop {
		m, err = migrate.Revert(m)
	} else if !migrate.DropBackup(m) {
		m = nil
	}
	if m == nil || err != nil {
		return nil, err
	}
	version, err := migrate.VersionOf(m)
	if err != nil {
		return nil, err
	}
	if raw, err = tnetstring.Append(nil, m.Value()); err != nil {
		return nil, err
	}
	rec = it.Replace(raw)
	return &pipeline.Item{Record: &rec, Version: version}, nil
}
