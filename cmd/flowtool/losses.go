package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/flowtool/flowtool/migrate"
)

// losses collects what an older format version cannot hold.
type losses struct {
	kinds  []*lossKind
	byWhat map[migrate.Loss]*lossKind
	report io.Writer // gets each loss as a line of JSON; nil if nobody wants them
}

// lossKind is one kind of loss, and how many flows have it.
type lossKind struct {
	migrate.Loss       // the first one
	flows        int64 // how many flows have it
	last         string
}

// lossLine is a loss as a line of JSON.
type lossLine struct {
	Flow    string `json:"flow"`
	Path    string `json:"path"`
	What    string `json:"what"`
	Version string `json:"version"`
	Derived bool   `json:"derived"`
	Skipped bool   `json:"skipped"`
}

// add takes note of losses.
func (l *losses) add(list []migrate.Loss) error {
	for _, loss := range list {
		if l.byWhat == nil {
			l.byWhat = make(map[migrate.Loss]*lossKind)
		}
		key := migrate.Loss{What: loss.What, Version: loss.Version, Derived: loss.Derived, Skipped: loss.Skipped}
		kind := l.byWhat[key]
		if kind == nil {
			kind = &lossKind{Loss: loss}
			l.byWhat[key] = kind
			l.kinds = append(l.kinds, kind)
		}
		if kind.flows == 0 || kind.last != loss.Flow {
			kind.flows++
			kind.last = loss.Flow
		}
		if l.report == nil {
			continue
		}
		line, err := json.Marshal(lossLine{loss.Flow, string(loss.Path), loss.What, loss.Version.String(), loss.Derived, loss.Skipped})
		if err == nil {
			_, err = l.report.Write(append(line, '\n'))
		}
		if err != nil {
			return &outputError{err}
		}
	}
	return nil
}

// words says in a line what kind of loss it is.
func (k *lossKind) words() string {
	if k.Skipped {
		return fmt.Sprintf("%s skipped: %s, which version %s and older have not", flows(k.flows), k.What, k.Version)
	}
	verb := "lost in"
	if k.Derived {
		verb = "computed anew by readers in"
	}
	return fmt.Sprintf("%s %s %s, because version %s and older have no place for it; first in flow %s at %s",
		k.What, verb, flows(k.flows), k.Version, k.Flow, k.Path)
}
