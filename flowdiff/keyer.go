package flowdiff

import (
	"encoding/binary"
	"hash/maphash"
	"io"
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

// NewKeyer returns a Keyer. Key of its entries is
//
//   - for HTTP method, host and path, where numbers, UUIDs and the like in the path
//     are all the same and the query is left out,
//   - for TCP and UDP the server,
//   - for DNS name and type of the question.
//
// With columns, it is the fields they stand for, which goes with the mode [ByKey].
// Those that say where a flow is in its file are the same for all, see
// [display.Columns.OfPosition].
func NewKeyer(columns *display.Columns) *Keyer {
	return &Keyer{seed: maphash.MakeSeed(), columns: columns}
}

// Clone returns a Keyer for another goroutine, whose entries go together with
// those of k.
func (k *Keyer) Clone() *Keyer { return &Keyer{seed: k.seed, columns: k.columns} }

// How much of a content tells it from others. What was asked for is looked at longer,
// as much of it may be the same each time: the text of a query, before its variables.
const (
	maxSent = 64 << 10
	maxGot  = 8 << 10
)

// Entry returns the entry of a flow. Of bodies and messages it looks at the sizes, the
// first 64 KiB of those that were sent to the server, and the first 8 KiB of those
// that came from it.
func (k *Keyer) Entry(f flow.Flow, index, offset int64) Entry {
	e := Entry{Index: index, Offset: offset, ID: k.hash(f.ID())}
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
	if k.columns != nil {
		k.buf = k.columns.Append(k.buf[:0], display.Position{}, f)
		e.Key = maphash.Bytes(k.seed, k.buf)
		e.Exact = k.with(e.Key, int64(e.Exact))
	}
	return e
}

func (k *Keyer) http(e *Entry, f *flow.HTTP) {
	r := f.Request()
	host := strings.ToLower(r.PrettyHost())
	path, _ := cutQuery(r.Path)
	e.Key = k.hash("http", r.Method, host, pathTemplate(path))
	e.Exact = k.hash("http", r.Method, r.Scheme, host, r.Path)
	c := k.contents()
	c.add(true, r.Body)
	status := int64(0)
	if resp := f.Response(); resp != nil {
		status = int64(resp.StatusCode)
		c.add(false, resp.Body)
	}
	if ws := f.WebSocket(); ws != nil {
		for i := range ws.Messages {
			c.add(ws.Messages[i].FromClient, ws.Messages[i].Content)
		}
	}
	k.tellApart(e, &c, status)
}

func (k *Keyer) dns(e *Entry, f *flow.DNS) {
	parts := []string{"dns"}
	for _, q := range f.Request().Questions {
		parts = append(parts, strings.ToLower(q.Name), q.TypeName())
	}
	e.Key = k.hash(parts...)
	e.Exact = e.Key
	code := int64(-1)
	parts = parts[:0]
	if r := f.Response(); r != nil {
		code = int64(r.ResponseCode)
		for _, a := range r.Answers {
			parts = append(parts, a.Data)
		}
	}
	e.Sizes = k.with(uint64(code), int64(len(parts)))
	e.Got = k.hash(parts...)
}

func (k *Keyer) stream(e *Entry, f flow.Flow, messages []flow.Message) {
	e.Key = k.hash(f.Type(), flow.FormatAddress(f.ServerConn().Address))
	c := k.contents()
	first := int64(-1)
	for i := range messages {
		m := &messages[i]
		if m.FromClient && first < 0 {
			first = m.Content.Len()
		}
		c.add(m.FromClient, m.Content)
	}
	e.Exact = k.with(e.Key, first)
	k.tellApart(e, &c, int64(len(messages)))
}

// tellApart sets what tells flows apart that ask for the same. n is a number more for
// the sizes.
func (k *Keyer) tellApart(e *Entry, c *contents, n int64) {
	e.Sent, e.Got = c.sent.hash.Sum64(), c.got.hash.Sum64()
	e.Sizes = k.with(uint64(n), c.sent.size, c.got.size)
}

// contents are the bodies and messages of a flow.
type contents struct{ sent, got digest }

func (k *Keyer) contents() contents {
	c := contents{sent: digest{left: maxSent}, got: digest{left: maxGot}}
	c.sent.hash.SetSeed(k.seed)
	c.got.hash.SetSeed(k.seed)
	return c
}

func (c *contents) add(sent bool, content flow.Body) {
	if sent {
		c.sent.add(content)
	} else {
		c.got.add(content)
	}
}

// A digest is what is kept of the contents that went in one direction.
type digest struct {
	hash maphash.Hash
	size int64 // of all contents
	left int64 // how many bytes are still looked at
}

// add adds a content. What cannot be read is as good as empty: comparing the flow
// tells.
func (d *digest) add(content flow.Body) {
	n := min(content.Len(), d.left)
	d.size += content.Len()
	d.left -= n
	if n == 0 {
		return
	}
	if content.InMemory() {
		if data, err := content.Bytes(); err == nil {
			d.hash.Write(data[:n])
		}
		return
	}
	if r, err := content.Reader(); err == nil {
		io.CopyN(&d.hash, r, n)
	}
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
