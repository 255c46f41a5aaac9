package pyregexp

import (
	"fmt"
	"sync"
	"time"
	"unsafe"
)

// A Kind says what a pattern is matched against.
type Kind uint8

const (
	// Bytes patterns are matched byte by byte. A character of the pattern that is not ASCII stands
	// for the bytes of its UTF-8 form, and classes and case are those of ASCII.
	Bytes Kind = iota
	// Text patterns are matched against Unicode text in UTF-8, character by character.
	Text
)

// maxChar returns the last of all characters.
func (k Kind) maxChar() rune {
	if k == Bytes {
		return maxByte
	}
	return maxRune
}

// Flags are the flags of Python of the same names.
type Flags uint8

const (
	IgnoreCase Flags = 1 << iota
	Multiline        // ^ and $ match at lines, too
	DotAll           // the dot matches a line feed, too
)

// String returns the letters of the flags as in an inline group: "i", "im".
func (f Flags) String() string {
	var s []byte
	for i, letter := range []byte("ims") {
		if f&(1<<i) != 0 {
			s = append(s, letter)
		}
	}
	return string(s)
}

// DefaultTimeout is the time limit of a match when [Options] name none.
const DefaultTimeout = 2 * time.Second

// Options say how a pattern is compiled. The zero value is for patterns on bytes without flags.
type Options struct {
	Kind Kind
	// Flags are in force unless the pattern turns them off.
	Flags Flags
	// Timeout is the time after which a match by backtracking is given up. Zero means
	// DefaultTimeout. It is kept to about a tenth of a second.
	Timeout time.Duration
}

// An Engine says how a pattern is run.
type Engine uint8

const (
	Literal      Engine = iota // a search for a string
	Linear                     // in time linear in the length of the text
	Backtracking               // by trying, with a time limit
)

var engineNames = [...]string{"literal", "linear", "backtracking"}

func (e Engine) String() string { return engineNames[e] }

// A Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	pattern  string
	kind     Kind
	flags    Flags
	timeout  time.Duration
	root     *node
	engine   Engine
	obstacle *obstacle // why engine is Backtracking

	literals []*literal   // Literal
	need     *requirement // Linear and Backtracking, or nil

	// These are made when they are first needed: few texts need another engine than the first. The
	// linear one is nil if there is an obstacle.
	linear      func() *linear
	backtracker func() *backtracker
}

// Compile returns the compiled form of a pattern. The error is a [*SyntaxError].
func Compile(pattern string, o Options) (*Regexp, error) {
	root, m, err := parse(pattern, o.Kind, mode(o.Flags)&(modeI|modeM|modeS))
	if err != nil {
		return nil, err
	}
	r := &Regexp{
		pattern: pattern, kind: o.Kind, flags: Flags(m & (modeI | modeM | modeS)),
		timeout: o.Timeout, root: root,
	}
	if r.timeout <= 0 {
		r.timeout = DefaultTimeout
	}
	obstacle := findObstacle(root)
	r.linear = sync.OnceValue(func() *linear {
		if obstacle != nil {
			return nil
		}
		return newLinear(root)
	})
	r.backtracker = sync.OnceValue(func() *backtracker { return newBacktracker(root, r.kind, r.timeout) })
	if r.literals = literals(root, r.kind); r.literals != nil {
		return r, nil
	}
	r.engine = Linear
	r.need = newRequirement(root, r.kind)
	if r.linear() == nil {
		r.engine = Backtracking
		if r.obstacle = obstacle; obstacle == nil {
			r.obstacle = tooLarge
		}
		r.backtracker()
	}
	return r, nil
}

// Pattern returns the text of the pattern.
func (r *Regexp) Pattern() string { return r.pattern }

// Flags returns the flags in force for the whole pattern, including those that it turns on itself
// at its beginning.
func (r *Regexp) Flags() Flags { return r.flags }

// Engine returns how the pattern is run. On some texts a later engine takes over, mostly on texts
// beyond ASCII: when a literal has letters with other variants there, or the pattern has Unicode
// word boundaries.
func (r *Regexp) Engine() Engine { return r.engine }

// Explain returns the engine and, for [Backtracking], why no other can be used, such as
// "backtracking: look-ahead at offset 3".
func (r *Regexp) Explain() string {
	if r.obstacle != nil {
		return fmt.Sprintf("%s: %s", r.engine, r.obstacle)
	}
	return r.engine.String()
}

// Literal reports whether the pattern is nothing but a string, or one of some, and returns the
// length in bytes of the longest text that it can match. A text can then be searched in parts that
// overlap by length-1 bytes. It is false for strings with anchors, which depend on what is around
// them, and for the empty one.
func (r *Regexp) Literal() (length int, ok bool) {
	for _, l := range r.literals {
		if len(l.before) > 0 || len(l.after) > 0 || l.most == 0 || r.kind == Text && l.classes != nil {
			return 0, false
		}
		length = max(length, l.most)
	}
	return length, length > 0
}

// MatchString is [Regexp.Match] for a string.
func (r *Regexp) MatchString(s string) (bool, error) {
	// Nothing writes to a text that is matched, or keeps it.
	return r.Match(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// Match reports whether the pattern matches anywhere in text. The error is a [*TimeoutError], which
// is possible by backtracking only; there is no answer then.
func (r *Regexp) Match(text []byte) (bool, error) {
	if r.engine == Literal {
		return r.matchLiterals(text)
	}
	if int64(len(text)) < r.root.width.lo {
		return false, nil
	}
	from := 0
	if r.need != nil {
		i := r.need.index(text)
		if i < 0 {
			return false, nil
		}
		if r.need.prefix {
			from = i
		}
	}
	return r.run(text, from)
}

// matchLiterals runs the literals, one after the other.
func (r *Regexp) matchLiterals(text []byte) (bool, error) {
	unsure := false
	for _, l := range r.literals {
		ok, open := l.match(r.kind, text)
		if ok {
			return true, nil
		}
		unsure = unsure || open
	}
	if unsure {
		return r.run(text, 0)
	}
	return false, nil
}

// run runs the linear engine, or the backtracking one if there is no other. A match begins at from
// or behind, and does not depend on what is before.
func (r *Regexp) run(text []byte, from int) (bool, error) {
	if l := r.linear(); l != nil {
		if ok, sure := l.match(r.kind, text[from:]); sure {
			return ok, nil
		}
	}
	ok, err := r.backtracker().match(text, from)
	if err != nil {
		return false, &TimeoutError{Pattern: r.pattern, Limit: r.timeout, Memory: err == errMemory}
	}
	return ok, nil
}
