package pyregexp

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// maxDotnetStack bounds the stack of regexp2 in one match, in integers: to about 100 MB.
const maxDotnetStack = 12 << 20

// A dotnet is a pattern in the dialect of .NET.
type dotnet struct {
	kind Kind
	re   *regexp2.Regexp
}

// newDotnet returns the form of a tree for regexp2, or nil if regexp2 does not take it.
func newDotnet(root *node, kind Kind, timeout time.Duration) *dotnet {
	w := dotnetWriter{writer{nothing: `(?!)`, escape: escapeDotnet}, referred(root)}
	w.node(root)
	re, err := regexp2.Compile(w.String(), regexp2.OptionMaxBacktrackingStackSize(maxDotnetStack))
	if err != nil {
		return nil
	}
	re.MatchTimeout = timeout
	return &dotnet{kind, re}
}

// runeBuffers has the buffers for texts as characters.
var runeBuffers = sync.Pool{New: func() any { return new([]rune) }}

// match reports whether there is a match in s. The error is errTime or errMemory.
func (d *dotnet) match(s []byte) (bool, error) {
	buf := runeBuffers.Get().(*[]rune)
	runes := (*buf)[:0]
	if cap(runes) < len(s) {
		runes = make([]rune, 0, len(s))
	}
	for i := 0; i < len(s); {
		var r rune
		r, i = d.kind.charAt(s, i)
		runes = append(runes, r)
	}
	ok, err := d.re.MatchRunes(runes)
	if *buf = runes; cap(runes) <= keepBuffer {
		runeBuffers.Put(buf)
	}
	switch {
	case errors.Is(err, regexp2.ErrBacktrackingStackLimit):
		return false, errMemory
	case err != nil:
		return false, errTime // the only other error there is
	}
	return ok, nil
}

// A dotnetWriter writes a tree in the syntax of .NET, without flags and with all classes spelled
// out. Groups are written only if something refers to them.
type dotnetWriter struct {
	writer
	referred map[int]bool
}

// node writes n.
func (w *dotnetWriter) node(n *node) {
	switch n.op {
	case opEmpty:
		w.WriteString(`(?:)`)
	case opFail:
		w.set(nil)
	case opChar, opSet:
		w.set(n.chars())
	case opAnchor:
		w.anchor(n.anchor)
	case opSeq:
		for _, sub := range n.subs {
			w.group("(?:", sub)
		}
	case opAlt:
		w.alternatives(n.subs, w.node)
	case opRepeat:
		w.group("(?:", n.subs[0])
		w.count(n.min, n.max)
		if n.style == lazy {
			w.WriteByte('?')
		}
	case opCapture:
		if w.referred[n.group] {
			w.group(fmt.Sprintf("(?<%d>", n.group), n.subs[0])
		} else {
			w.group("(?:", n.subs[0])
		}
	case opBackref:
		fmt.Fprintf(w, `\k<%d>`, n.group)
	case opCond:
		fmt.Fprintf(w, `(?(%d)`, n.group)
		w.group("(?:", n.subs[0])
		w.WriteByte('|')
		w.group("(?:", n.subs[1])
		w.WriteByte(')')
	case opLook:
		w.group(lookBegin(n.behind, n.negate), n.subs[0])
	default:
		panic(fmt.Sprintf("pyregexp: op %d cannot be translated", n.op))
	}
}

// group writes n in a group, unless the group is only there to keep n together, and n is one
// character.
func (w *dotnetWriter) group(begin string, n *node) {
	if begin == "(?:" && n.isUnit() {
		w.node(n)
		return
	}
	w.WriteString(begin)
	w.node(n)
	w.WriteByte(')')
}

// lookBegin returns how a look-around begins.
func lookBegin(behind, negate bool) string {
	switch {
	case behind && negate:
		return "(?<!"
	case behind:
		return "(?<="
	case negate:
		return "(?!"
	}
	return "(?="
}

// anchor writes an anchor. Those of .NET that do not mean the same are spelled out.
func (w *dotnetWriter) anchor(a anchor) {
	switch a {
	case textBegin:
		w.WriteString(`\A`)
	case lineBegin:
		w.WriteString(`(?<![^\n])`)
	case textEnd:
		w.WriteString(`\z`)
	case textEndOrLF:
		w.WriteString(`(?=\n?\z)`)
	case lineEnd:
		w.WriteString(`(?![^\n])`)
	case asciiBoundary:
		w.boundary(asciiWords, false)
	case asciiInside:
		w.boundary(asciiWords, true)
	case textBoundary:
		w.boundary(textWords(), false)
	case textInside:
		w.boundary(textWords(), true)
	}
}

// boundary writes a condition that there is a word on one side of the place only or, if inside,
// that there is none or one on both.
func (w *dotnetWriter) boundary(words runeSet, inside bool) {
	for i, before := range []bool{true, false} {
		w.WriteString([]string{"(?:", "|"}[i])
		w.WriteString(lookBegin(true, !before))
		w.set(words)
		w.WriteByte(')')
		w.WriteString(lookBegin(false, before != inside))
		w.set(words)
		w.WriteByte(')')
	}
	w.WriteByte(')')
	if inside && !emptyInside {
		w.WriteString(`(?!\A\z)`)
	}
}

// escapeDotnet writes one character.
func escapeDotnet(b *strings.Builder, r rune) {
	if r > 0xFFFF {
		b.WriteRune(r)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}
