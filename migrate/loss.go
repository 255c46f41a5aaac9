package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A Loss is something in a flow that an older version has no place for. It never
// holds the value that is lost, which may be a secret.
type Loss struct {
	// Flow is the id of the flow.
	Flow string
	// Path is where the value is in a flow of the newest version, or else in one
	// of the version that the flow had. It is "" if the flow itself is lost.
	Path state.Path
	// What is lost, in words: "trailers".
	What string
	// Version is the newest version without a place for it.
	Version Version
	// Derived is set if those who read the older version compute a value of their
	// own for this one, such as an id or a time, and it is another one.
	Derived bool
	// Skipped is set if the version cannot hold the flow, so that nothing is left
	// of it.
	Skipped bool
}

// String returns what is lost, without the flow: "/request/trailers: trailers".
func (l Loss) String() string {
	if l.Path == "" {
		return l.What
	}
	return string(l.Path) + ": " + l.What
}

// A LossError is for those who do not want a flow to be migrated if that loses
// anything. [Stream.To] returns the losses and leaves the decision to its caller.
type LossError struct {
	To     Version
	Losses []Loss // of one flow
}

func (e *LossError) Error() string {
	var flow string
	var names []string
	for _, l := range e.Losses {
		flow = l.Flow
		if !slices.Contains(names, l.What) {
			names = append(names, l.What)
		}
	}
	const most = 3
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return fmt.Sprintf("format version %s cannot hold all of flow %q: %s", e.To, flow,
		strings.Join(names, ", "))
}

// losses are those of one record.
type losses struct {
	flow string
	at   Version
	list []Loss
	// places are the indexes of the losses in list.
	places map[state.Path]int
}

// lose notes that the value at the path of keys is lost. A value that is lost in
// two steps is lost as the later one says.
func (l *losses) lose(what string, keys ...any) { l.add(Loss{What: what, Path: pathOf(keys)}) }

// derive notes that the value at the path of keys will be replaced by another.
func (l *losses) derive(what string, keys ...any) {
	l.add(Loss{What: what, Path: pathOf(keys), Derived: true})
}

func (l *losses) add(n Loss) {
	n.Flow, n.Version = l.flow, l.at
	if i, ok := l.places[n.Path]; ok {
		l.list[i] = n
		return
	}
	if l.places == nil {
		l.places = make(map[state.Path]int)
	}
	l.places[n.Path] = len(l.list)
	l.list = append(l.list, n)
}

// outermost returns the losses without those that are part of another one.
func (l *losses) outermost() []Loss {
	return slices.DeleteFunc(l.list, func(n Loss) bool {
		for outer := string(n.Path); outer != ""; {
			outer = outer[:max(0, strings.LastIndexByte(outer, '/'))]
			if _, ok := l.places[state.Path(outer)]; ok {
				return true
			}
		}
		return false
	})
}

// pathOf returns the path of keys, which are strings and values.
func pathOf(keys []any) state.Path {
	var p state.Path
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			p = p.Key(k)
		case state.Value:
			if s, err := k.Text(); err == nil {
				p = p.Key(s)
			} else {
				p = p.Key(k.String())
			}
		}
	}
	return p
}
