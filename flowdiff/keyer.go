package flowdiff

import (
	"encoding/binary"
	"hash/maphash"
	"strings"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flow"
)

// A Keyer makes the entries that Match takes. Entries of different Keyers do not
// go together, unless one is a clone of the other. A Keyer is not safe for
// concurrent use.
type Keyer struct {
	seed    maphash.Seed
	columns *display.Columns
	buf     []byte
}

// NewKeyer returns a Keyer. With columns, the keys of flows are nothing but the
// fields they stand for, which goes with the mode [ByKey]; nil means
//
//   - for HTTP method, host and path, where numbers, UUIDs and the like in the path
//     are all the same and the query is left out,
//   - for TCP and UDP the server,
//   - for DNS name and type of the question.
//
// Fields that say where a flow is in its file are zero.
func NewKeyer(columns *display.Columns) *Keyer {
	return &Keyer{seed: maphash.MakeSeed(), columns: columns}
}

// Clone returns a Keyer for another goroutine, whose entries go together with
// those of k.
func (k *Keyer) Clone() *Keyer { return &Keyer{seed: k.seed, columns: k.columns} }

// Entry returns the entry of a flow. It looks at the size of bodies, not at what
// is in them.
func (k *Keyer) Entry(f flow.Flow, index, offset int64) Entry {
	e := Entry{Index: index, Offset: offset, ID: k.hash(f.ID())}
	if k.columns != nil {
		k.buf = k.columns.Append(k.buf[:0], display.Position{}, f)
		e.Key = maphash.Bytes(k.seed, k.buf)
		e.Exact, e.Print = e.Key, e.Key
		return e
	}
	switch f := f.(type) {
	case *flow.HTTP:
		k.http(&e, f)
	case *flow.DNS:
		k.dns(&e, f)
	case *flow.TCP:
		k.stream(&e, f, f.Messages())
	case *flow.UDP:
		k.stream(&e, f, f.Messages())
	}
	return e
}

func (k *Keyer) http(e *Entry, f *flow.HTTP) {
	r := f.Request()
	host := strings.ToLower(r.PrettyHost())
	path, _ := cutQuery(r.Path)
	e.Key = k.hash("http", r.Method, host, pathTemplate(path))
	e.Exact = k.hash("http", r.Method, r.Scheme, host, r.Path)
	numbers := []int64{r.Body.Len(), 0, 0}
	if resp := f.Response(); resp != nil {
		numbers[1], numbers[2] = int64(resp.StatusCode), resp.Body.Len()
	}
	e.Print = k.with(e.Exact, numbers...)
}

func (k *Keyer) dns(e *Entry, f *flow.DNS) {
	parts := []string{"dns"}
	for _, q := range f.Request().Questions {
		parts = append(parts, strings.ToLower(q.Name), q.TypeName())
	}
	e.Key = k.hash(parts...)
	e.Exact = e.Key
	answers, code := -1, -1
	if r := f.Response(); r != nil {
		answers, code = len(r.Answers), r.ResponseCode
	}
	e.Print = k.with(e.Key, int64(answers), int64(code))
}

func (k *Keyer) stream(e *Entry, f flow.Flow, messages []flow.Message) {
	e.Key = k.hash(f.Type(), flow.FormatAddress(f.ServerConn().Address))
	var sent, received int64
	first := int64(-1)
	for _, m := range messages {
		if m.FromClient {
			if first < 0 {
				first = m.Content.Len()
			}
			sent += m.Content.Len()
		} else {
			received += m.Content.Len()
		}
	}
	e.Exact = k.with(e.Key, first)
	e.Print = k.with(e.Key, sent, received, int64(len(messages)))
}

// hash returns a hash of several texts.
func (k *Keyer) hash(parts ...string) uint64 {
	k.buf = k.buf[:0]
	for _, p := range parts {
		k.buf = binary.AppendUvarint(k.buf, uint64(len(p)))
		k.buf = append(k.buf, p...)
	}
	return maphash.Bytes(k.seed, k.buf)
}

// with returns a hash of a hash and numbers.
func (k *Keyer) with(hash uint64, numbers ...int64) uint64 {
	k.buf = binary.BigEndian.AppendUint64(k.buf[:0], hash)
	for _, n := range numbers {
		k.buf = binary.BigEndian.AppendUint64(k.buf, uint64(n))
	}
	return maphash.Bytes(k.seed, k.buf)
}

// pathTemplate returns a path with a placeholder for every segment that looks like
// an identifier: digits only, a UUID, or 16 and more characters with digits in
// them. An extension stays.
func pathTemplate(path string) string {
	var out strings.Builder
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			out.WriteByte('/')
		}
		name, ext := segment, ""
		if dot := strings.LastIndexByte(segment, '.'); dot > 0 {
			name, ext = segment[:dot], segment[dot:]
		}
		if isIdentifier(name) {
			name = "{}"
		}
		out.WriteString(name)
		out.WriteString(ext)
	}
	return out.String()
}

func isIdentifier(s string) bool {
	digits := 0
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '-', c == '_', c == '=', c == '~':
		default:
			return false
		}
	}
	return digits > 0 && (digits == len(s) || len(s) >= 16)
}
