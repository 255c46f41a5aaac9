package har

import (
	"bytes"

	"github.com/flowtool/flowtool/internal/jsonscan"
)

// A valueScan finds the end of a JSON value that may arrive in pieces. It only
// knows strings and brackets; whether they are JSON is seen when an entry is
// read.
type valueScan struct {
	maxDepth int

	depth    int
	brackets []uint64 // a bit for each depth: whether it is an object
	inString bool
	escaped  bool // the next byte of the string is behind a backslash
	scalar   bool // a number or a word
	tooDeep  bool
	bad      bool
	// strict makes the scan stop at the first byte that cannot be right. It is set
	// while there is another way to find the end.
	strict bool
	// A line that begins with a brace, indented no deeper than the value itself,
	// cannot be right: it is what the next value begins with. But some files are not
	// indented at all.
	indent  int  // of the value; negative if lines do not tell
	column  int  // on the current line, while only white space was there
	newLine bool // that is so
}

func (v *valueScan) reset(maxDepth int) {
	*v = valueScan{maxDepth: maxDepth, brackets: v.brackets[:0], indent: -1}
}

// resetLined is reset for a value that is the first on its line, behind indent
// bytes of white space.
func (v *valueScan) resetLined(maxDepth, indent int) {
	v.reset(maxDepth)
	v.strict, v.indent = true, indent
}

// Classes of bytes outside of strings.
const (
	classOther = iota // white space, and what words, numbers and lists consist of
	classQuote
	classOpen
	classClose
	classLine
	classBad
)

var classes = func() (t [256]uint8) {
	for i := range t {
		t[i] = classBad
	}
	t['\n'] = classLine
	for _, c := range " \t\r,:+-.0123456789eEtruefalsnNaInity" {
		t[c] = classOther
	}
	t['"'] = classQuote
	t['{'], t['['] = classOpen, classOpen
	t['}'], t[']'] = classClose, classClose
	return t
}()

// scan goes on at b[i], in the middle of the value or at its first byte. It
// returns the position behind the value, or that at which it stopped.
func (v *valueScan) scan(b []byte, i int) (end int, done bool) {
	for i < len(b) {
		if v.inString {
			if i, done = v.string(b, i); done {
				return i, true
			}
			if i+1 < len(b) && b[i+1] == '"' && (b[i] == ':' || b[i] == ',') {
				v.inString = true // mostly a string follows a string
				i += 2
			}
			continue
		}
		if v.newLine {
			if i = v.line(b, i); i == len(b) || v.bad && v.strict {
				return i, false
			}
		}
		c := b[i]
		if v.depth == 0 && v.scalar && (classes[c] == classClose || c == ',' || jsonscan.IsSpace(c)) {
			return i, true
		}
		switch classes[c] {
		case classOther:
			v.scalar = v.scalar || v.depth == 0
		case classLine:
			v.newLine, v.column = true, 0
		case classQuote:
			if v.depth == 0 && v.strict { // no entry is a string
				v.bad = true
				return i, false
			}
			v.inString = true
		case classOpen:
			v.open(c == '{')
		case classClose:
			if !v.matches(c == '}') {
				v.bad = true
				if v.strict {
					return i, false
				}
			}
			if v.depth--; v.depth <= 0 {
				return i + 1, true
			}
		default:
			v.bad = true
			if v.strict {
				return i, false
			}
			v.scalar = v.scalar || v.depth == 0
		}
		i++
	}
	return i, false
}

// line goes to the first byte of a line that is not white space.
func (v *valueScan) line(b []byte, i int) int {
	for i < len(b) && jsonscan.IsSpace(b[i]) {
		if v.column++; b[i] == '\n' {
			v.column = 0
		}
		i++
	}
	if i == len(b) {
		return i
	}
	v.newLine = false
	switch {
	case v.column > v.indent:
	case b[i] == '{':
		v.bad = true
	case b[i] == '"':
		v.strict, v.indent = false, -1 // what is within has lines, but no indentation
	}
	return i
}

// string goes on in a string, up to the end of it or of b. done tells that the
// string was the value.
func (v *valueScan) string(b []byte, i int) (end int, done bool) {
	if v.escaped {
		v.escaped = false
		i++
	}
	from := i
	for near := 0; ; {
		// Most quotation marks are near.
		if near < 4 && i+8 <= len(b) {
			near++
			n := jsonscan.QuoteIn8(b[i:])
			if i += n; n == 8 {
				continue
			}
		} else {
			n := bytes.IndexByte(b[i:], '"')
			if n < 0 {
				v.escaped = isEscaped(b[from:])
				return len(b), false
			}
			i += n
		}
		if i == from || b[i-1] != '\\' || !isEscaped(b[from:i]) {
			v.inString = false
			return i + 1, v.depth == 0
		}
		i++
		near = 0
	}
}

// isEscaped tells whether what follows s, a part of a string that does not begin
// behind a backslash, is behind one.
func isEscaped(s []byte) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)%2 == 1
}

func (v *valueScan) open(object bool) {
	if v.depth >= v.maxDepth {
		v.tooDeep = true // what kind it is does not matter any more
		v.depth++
		return
	}
	word, bit := v.depth/64, uint(v.depth%64)
	if word == len(v.brackets) {
		v.brackets = append(v.brackets, 0)
	}
	v.brackets[word] &^= 1 << bit
	if object {
		v.brackets[word] |= 1 << bit
	}
	v.depth++
}

// matches tells whether a closing bracket is the right one.
func (v *valueScan) matches(object bool) bool {
	top := v.depth - 1
	if top < 0 || top >= v.maxDepth {
		return top >= 0
	}
	return v.brackets[top/64]>>uint(top%64)&1 == 1 == object
}
