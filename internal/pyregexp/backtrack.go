package pyregexp

import (
	"errors"
	"sync"
	"time"
	"unicode/utf8"
)

// What ends a match by backtracking without an answer.
var (
	errTime   = errors.New("time limit")
	errMemory = errors.New("memory limit")
)

// A backtracker runs a pattern by backtracking. Two matchers can do that: package regexp2, which
// knows the dialect of .NET, and a program of this package, for what regexp2 does in another way
// than Python.
type backtracker struct {
	kind    Kind
	timeout time.Duration
	dotnet  *dotnet // nil if the pattern is not for it
	program func() *program
}

func newBacktracker(root *node, kind Kind, timeout time.Duration) *backtracker {
	b := &backtracker{
		kind:    kind,
		timeout: timeout,
		program: sync.OnceValue(func() *program { return compileProgram(root, kind) }),
	}
	if dotnetAgrees(root) {
		b.dotnet = newDotnet(root, kind, timeout)
	}
	return b
}

// match reports whether there is a match in s that begins at from or behind. The error is errTime
// or errMemory.
func (b *backtracker) match(s []byte, from int) (bool, error) {
	// Bytes that are not UTF-8 would be lone surrogates to regexp2, which keeps some parts of a
	// pattern as strings of Go, where they cannot be.
	if b.dotnet == nil || b.kind == Text && !utf8.Valid(s) {
		return b.program().match(s, from, b.timeout)
	}
	return b.dotnet.match(s)
}

const (
	// maxDotnet bounds the size of patterns for regexp2, with what is repeated counted as often: it
	// builds strings from repeated characters, gigabytes of them if need be.
	maxDotnet = 1000
	// maxDotnetSpans bounds the length of what is written for regexp2, see maxSpans. It takes ten
	// times as long as Go.
	maxDotnetSpans = 20_000
)

// dotnetAgrees reports whether regexp2 gives the answers of Python for a pattern. It does not
//
//   - for atomic groups and possessive quantifiers: its optimizer lets (?>(?>c{1,2}){2}) match cc,
//     where nothing is left for the second round, and Python takes the first way to match in every
//     round of a possessive quantifier, not only in all of them together;
//   - for back-references that ignore case, by which it means other letters;
//   - if groups are referred to and a repeated part can be empty: .NET ends a repetition after an
//     empty round, while Python goes on up to the least number of rounds and one more, in which
//     groups can change: (?:(|b)|\1a){2} begins to differ on a;
//   - for a condition within the group it is about, which to Python is not over yet.
func dotnetAgrees(root *node) bool {
	refers, empty, ok := false, false, true
	root.walk(func(n *node) bool {
		switch n.op {
		case opAtomic:
			ok = false
		case opBackref:
			refers = true
			ok = ok && n.fold == foldNone
		case opCond:
			refers = true
		case opRepeat:
			empty = empty || n.max > 1 && n.subs[0].width.lo == 0
			ok = ok && n.style != possessive
		case opCapture:
			ok = ok && n.subs[0].walk(func(sub *node) bool { return sub.op != opCond || sub.group != n.group })
		}
		return ok
	})
	return ok && !(refers && empty) && linearSize(root) <= maxDotnet && spanCount(root) <= maxDotnetSpans
}
