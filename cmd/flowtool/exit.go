package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/migrate"
)

// Exit statuses, as "flowtool help exit-status" explains them.
const (
	exitOK      = 0
	exitNo      = 1
	exitTrouble = 2
	exitLossy   = 3

	exitInterrupted = 130 // what shells use for the interrupt signal
)

const exitStatusHelp = `flowtool ends with one of these statuses:

  0  done, and nothing was lost
  1  the answer is no: filter --exit-status found no flow, diff found
     differences
  2  trouble: wrong usage, an input that cannot be read or is no dump, a
     limit that was exceeded, a format version newer than this build knows
  3  finished, but something was lost: the input is damaged, and flows
     behind the damage could not be read; entries of a HAR are damaged or
     exceed a limit; or what is written has no place for something: an older
     format version with --allow-loss, a format that knows only some kinds of
     flows

If several of them apply, 2 wins over 3, and 3 over 1; but differences that diff
found are 1, whatever was lost besides. Being interrupted is 130.`

// usageError is a mistake in how the command was called.
type usageError struct {
	msg    string
	detail string // more lines, which may be shown as they are
}

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error {
	return &usageError{msg: fmt.Sprintf(format, args...)}
}

// statusOf returns the exit status that an error stands for.
func statusOf(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return exitOK // whoever read our output has seen enough
	}
	if e, ok := errors.AsType[*migrate.VersionError](err); ok && e.Have != (migrate.Version{}) {
		return exitTrouble // it has a version, one that we do not read
	}
	if e, ok := errors.AsType[*har.Error](err); ok && e.Index >= 0 {
		return exitLossy // an entry; if it exceeds a limit, the others are read all the same
	}
	if limitOf(err) != "" {
		return exitTrouble
	}
	if _, ok := errors.AsType[*migrate.LossError](err); ok {
		return exitTrouble // not done, because it was not allowed
	}
	if _, ok := errors.AsType[*filter.TimeoutError](err); ok {
		return exitTrouble // nothing is wrong with the input
	}
	if _, ok := errors.AsType[*dumpfile.Error](err); ok {
		return exitLossy
	}
	if _, ok := errors.AsType[*jsonl.Error](err); ok {
		return exitLossy
	}
	if _, ok := errors.AsType[*flowpack.VersionError](err); ok {
		return exitTrouble
	}
	if _, ok := errors.AsType[*flowpack.Error](err); ok && !errors.Is(err, flowpack.ErrFormat) {
		return exitLossy
	}
	if _, ok := errors.AsType[*har.Error](err); ok && !errors.Is(err, har.ErrNotHAR) {
		return exitLossy
	}
	return exitTrouble
}

// holdsNoFlows tells whether an error says that an input is in no format that is
// known.
func holdsNoFlows(err error) bool {
	_, ok := errors.AsType[*dumpfile.FormatError](err)
	return ok || errors.Is(err, har.ErrNotHAR)
}

// limitOf returns the flag of the limit that an error is about, or "".
func limitOf(err error) string {
	if e, ok := errors.AsType[*dumpfile.LimitError](err); ok {
		return "--" + e.Limit
	}
	if e, ok := errors.AsType[*flowpack.LimitError](err); ok {
		return map[string]string{"max-chunk": "--max-record", "max-ratio": "--max-ratio"}[e.Limit]
	}
	if errors.Is(err, har.ErrTooLarge) {
		return "--max-ratio"
	}
	if errors.Is(err, jsonl.ErrTooLong) || errors.Is(err, har.ErrTooLong) {
		return "--max-record"
	}
	if errors.Is(err, tnetstring.ErrTooDeep) || errors.Is(err, jsonl.ErrTooDeep) || errors.Is(err, har.ErrTooDeep) {
		return "--max-depth"
	}
	if errors.Is(err, tnetstring.ErrTooMany) || errors.Is(err, jsonl.ErrTooMany) {
		return "--max-elements"
	}
	return ""
}

// report says what went wrong and remembers the exit status. A command goes on
// after it if it can.
func (a *app) report(cmd *cobra.Command, err error) {
	status := statusOf(err)
	if status == exitOK {
		return
	}
	if a.status == exitOK || status != exitLossy {
		a.status = status
	}
	msg := err.Error()
	if _, ok := errors.AsType[*migrate.LossError](err); ok {
		msg += "; nothing was written; go on with --allow-loss"
	} else if e, ok := errors.AsType[*dumpfile.Error](err); ok {
		switch e.Flow {
		case 0:
		case 1:
			msg += "; the flow before it was read"
		default:
			msg += fmt.Sprintf("; the %d flows before it were read", e.Flow)
		}
	}
	if flag := limitOf(err); flag != "" {
		msg += "; raise it with " + flag
	}
	if e, ok := errors.AsType[*dumpfile.FormatError](err); ok && e.Format == dumpfile.FormatJSON {
		msg += "; entries of a HAR alone are read with --from har"
	}
	if status == exitInterrupted {
		return
	}
	detail := ""
	if e, ok := err.(*usageError); ok {
		detail = e.detail
	}
	fmt.Fprintf(a.errOut, "flowtool: %s%s\n", contentview.Escape(msg, false), detail)
}
