package flowdiff

import (
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// AppendPatch appends a JSON Patch (RFC 6902) that makes the line of a, as
// package jsonl writes it, the line of b. In JSON the order of an object means
// nothing, so the patch does not restore it. The patch has everything that
// differs, whatever the options of a diff leave out, and it says what the lines
// say: a compressed body is replaced as a whole.
//
// For a flow and its backup, compare copies without backups, see [WithoutBackup].
// Errors are those of [jsonl.Append].
func AppendPatch(dst []byte, a, b *state.Map) ([]byte, error) {
	lineA, err := jsonl.Append(nil, a)
	if err != nil {
		return dst, err
	}
	lineB, err := jsonl.Append(nil, b)
	if err != nil {
		return dst, err
	}
	x, _ := scanJSON(string(lineA), 0)
	y, _ := scanJSON(string(lineB), 0)
	p := patcher{dst: append(dst, '[')}
	p.values("", &x, &y)
	return append(p.dst, "]\n"...), nil
}

// WithoutBackup returns a copy of a state that says that there is no backup.
func WithoutBackup(m *state.Map) *state.Map {
	c := m.Clone()
	c.Set("backup", state.Null())
	return c
}

// A jsonNode is a value in a line of package jsonl.
type jsonNode struct {
	raw  string
	keys []string   // of an object: with the escapes they have in the line
	kids []jsonNode // elements of an array, values of an object
}

// scanJSON returns the value at line[i] and the position behind it. The line is
// as package jsonl writes it: valid, and without white space.
func scanJSON(line string, i int) (n jsonNode, end int) {
	start := i
	switch open := line[i]; open {
	case '{', '[':
		for i++; line[i] != open+2; { // in ASCII a closing bracket is two behind
			if line[i] == ',' {
				i++
			}
			if open == '{' {
				keyEnd := stringEnd(line, i)
				n.keys = append(n.keys, line[i+1:keyEnd-1])
				i = keyEnd + 1
			}
			var kid jsonNode
			kid, i = scanJSON(line, i)
			n.kids = append(n.kids, kid)
		}
		i++
	case '"':
		i = stringEnd(line, i)
	default:
		for i < len(line) && strings.IndexByte(",]}\n", line[i]) < 0 {
			i++
		}
	}
	n.raw = line[start:i]
	return n, i
}

// stringEnd returns the position behind the string at line[i].
func stringEnd(line string, i int) int {
	for i++; line[i] != '"'; i++ {
		if line[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// isTag tells whether n is an object that stands for something else, see package
// jsonl.
func (n *jsonNode) isTag() bool {
	return len(n.keys) > 0 && len(n.keys[0]) > 1 && n.keys[0][0] == '$' && n.keys[0][1] != '$'
}

// A patcher appends the operations of a patch. Paths have the escapes of JSON
// strings.
type patcher struct{ dst []byte }

func (p *patcher) op(op, path, value string) {
	if p.dst[len(p.dst)-1] != '[' {
		p.dst = append(p.dst, ',')
	}
	p.dst = append(append(p.dst, `{"op":"`...), op...)
	p.dst = append(append(p.dst, `","path":"`...), path...)
	p.dst = append(p.dst, '"')
	if value != "" {
		p.dst = append(append(p.dst, `,"value":`...), value...)
	}
	p.dst = append(p.dst, '}')
}

// values makes a the same as b.
func (p *patcher) values(path string, a, b *jsonNode) {
	switch {
	case a.raw == b.raw:
	case a.raw[0] != b.raw[0] || a.isTag() || b.isTag():
		p.op("replace", path, b.raw)
	case a.raw[0] == '{':
		p.objects(path, a, b)
	case a.raw[0] == '[':
		p.arrays(path, a, b)
	default:
		p.op("replace", path, b.raw)
	}
}

func (p *patcher) objects(path string, a, b *jsonNode) {
	for i, j := range joinKeys(a.keys, b.keys) {
		switch {
		case i < 0:
			p.op("add", pointer(path, b.keys[j]), b.kids[j].raw)
		case j < 0:
			p.op("remove", pointer(path, a.keys[i]), "")
		default:
			p.values(pointer(path, a.keys[i]), &a.kids[i], &b.kids[j])
		}
	}
}

// arrays goes through both arrays; everything before position at is done.
func (p *patcher) arrays(path string, a, b *jsonNode) {
	i, j, at := 0, 0, 0
	for _, r := range append(align(raws(a), raws(b)), run{len(a.kids), len(b.kids), 0}) {
		for ; i < r.i && j < r.j; i, j, at = i+1, j+1, at+1 {
			p.values(pointer(path, strconv.Itoa(at)), &a.kids[i], &b.kids[j])
		}
		for ; i < r.i; i++ {
			p.op("remove", pointer(path, strconv.Itoa(at)), "")
		}
		for ; j < r.j; j, at = j+1, at+1 {
			p.op("add", pointer(path, strconv.Itoa(at)), b.kids[j].raw)
		}
		i, j, at = i+r.n, j+r.n, at+r.n
	}
}

func raws(n *jsonNode) []string {
	out := make([]string, len(n.kids))
	for i := range n.kids {
		out[i] = n.kids[i].raw
	}
	return out
}

// pointer returns the path of a key. What a JSON pointer escapes is never part of
// an escape in a line of package jsonl.
func pointer(path, key string) string { return string(state.Path(path).Key(key)) }
