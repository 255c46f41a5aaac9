package flowdiff

import (
	"github.com/flowtool/flowtool/flow"
)

// A Ref names a flow for readers of a report.
type Ref struct {
	Index int64 // number of the flow in its file, from 0
	ID    string
	Type  string
	Title string // "GET https://example.com/"; may hold control characters
}

// NewRef returns the Ref of flow number index.
func NewRef(index int64, f flow.Flow) *Ref {
	return &Ref{index, f.ID(), f.Type(), title(f)}
}

func title(f flow.Flow) string {
	switch f := f.(type) {
	case *flow.HTTP:
		return f.Request().Method + " " + f.PrettyURL()
	case *flow.DNS:
		if q := f.Request().Questions; len(q) > 0 {
			return q[0].TypeName() + " " + q[0].Name
		}
	}
	return flow.FormatAddress(f.ServerConn().Address)
}

// A Report is the result for one flow, or for a pair of flows.
type Report struct {
	// A and B are the flows that were compared; nil if there is no such flow. For
	// a flow and its backup both are the flow.
	A, B *Ref
	// Changes are the differences. There are none if only one flow is there.
	Changes []Change
	// Backup says that the backup of a flow was compared with the flow. If there is
	// no difference, the flow is said to be unmodified.
	Backup bool
	// Elsewhere says that the flow was edited where [Options] left it out, so that it
	// is not unmodified even if there are no changes. [Diff] does not tell.
	Elsewhere bool
}

// A Status is a Report in one word.
type Status string

// What can be said of a flow, or of two.
const (
	StatusEqual     Status = "equal"
	StatusDifferent Status = "different"
	StatusOnlyInA   Status = "only_a"
	StatusOnlyInB   Status = "only_b"
)

// Status returns the result in one word. Changes that are [Change.Progress] are
// no difference.
func (r *Report) Status() Status {
	switch {
	case r.B == nil:
		return StatusOnlyInA
	case r.A == nil:
		return StatusOnlyInB
	}
	for k := range r.Changes {
		if !r.Changes[k].Progress {
			return StatusDifferent
		}
	}
	return StatusEqual
}

// word returns what is said of r in front of its flow; "" if it is different.
func (r *Report) word() string {
	switch r.Status() {
	case StatusEqual:
		switch {
		case r.Elsewhere:
			return "edited elsewhere"
		case r.Backup:
			return "unmodified"
		}
		return "equal"
	case StatusOnlyInA:
		return "only in a"
	case StatusOnlyInB:
		return "only in b"
	}
	return ""
}

// ref returns the flow to show, that in b if there are two.
func (r *Report) ref() *Ref {
	if r.B != nil {
		return r.B
	}
	return r.A
}
