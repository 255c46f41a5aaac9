package har

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/jsonstring"
	"github.com/flowtool/flowtool/state"
)

// An Encoder renders flows as entries. It may be used by several goroutines at
// once, for different flows and entries.
type Encoder struct {
	opts WriterOptions
	pool sync.Pool
}

// NewEncoder returns an Encoder with the options of the [Writer] that is going to
// write the entries.
func NewEncoder(opts *WriterOptions) *Encoder {
	c := &Encoder{opts: opts.orDefaults()}
	c.pool.New = func() any { return new(renderer) }
	return c
}

// Encode renders an HTTP flow, with everything that was edited in it. What cannot
// be expressed is replaced by something safe and noted, see [Entry.Notes]; the
// private field has it as it is. The entry may refer to bodies of the flow, which must
// not change before it has been written. The only error is [ErrNotHTTP].
func (c *Encoder) Encode(e *Entry, f flow.Flow) error {
	r := c.pool.Get().(*renderer)
	err := r.encode(&c.opts, e, f)
	c.put(r)
	return err
}

// EncodeState is Encode for a state of the newest format version; see package
// migrate for others, which are an error. The state must not be changed
// meanwhile.
func (c *Encoder) EncodeState(e *Entry, m *state.Map) error {
	if v, err := m.Int64("version"); err != nil || v != flow.Version {
		return fmt.Errorf("har: flow is not of format version %d", flow.Version)
	}
	r := c.pool.Get().(*renderer)
	f, err := r.viewer.View(m)
	if err == nil {
		err = r.encode(&c.opts, e, f)
	}
	c.put(r)
	return err
}

func (c *Encoder) put(r *renderer) {
	r.release()
	c.pool.Put(r)
}

// A renderer makes an entry.
type renderer struct {
	opts  *WriterOptions
	entry *Entry
	dst   []byte
	text  []byte // a string on its way into dst
	plain []byte // memory for a body without content codings
	tie   tie

	viewer flow.Viewer
	picked [len(serverKeys)]state.Value // of a server connection
	elems  []state.Value                // of a list that is looked at

	record []byte // memory for appendPrivate
}

// keepBuffer is the size up to which memory is kept for the next entry.
const keepBuffer = 1 << 20

func (r *renderer) release() {
	r.opts, r.entry, r.dst, r.viewer = nil, nil, nil, flow.Viewer{}
	clear(r.picked[:])
	for _, buf := range []*[]byte{&r.text, &r.plain, &r.record, &r.tie.sum.buf} {
		if cap(*buf) > keepBuffer {
			*buf = nil
		}
	}
}

// encode makes the entry of a flow.
func (r *renderer) encode(opts *WriterOptions, e *Entry, f flow.Flow) error {
	h, ok := f.(*flow.HTTP)
	if !ok {
		return fmt.Errorf("%w but %s", ErrNotHTTP, f.Type())
	}
	r.opts, r.entry, e.raw = opts, e, nil
	r.render(h)
	return nil
}

// note adds to the comment of the entry.
func (r *renderer) note(format string, args ...any) {
	r.entry.notes = append(r.entry.notes, fmt.Sprintf(format, args...))
}

// raw appends JSON as it is.
func (r *renderer) raw(json string) { r.dst = append(r.dst, json...) }

// str appends a string. Bytes that are not UTF-8 become characters of Latin-1; then
// exact is false.
func (r *renderer) str(s string) (exact bool) {
	if dst, ok := jsonstring.AppendString(append(r.dst, '"'), s); ok {
		r.dst = append(dst, '"')
		return true
	}
	r.text = appendValid(r.text[:0], s)
	r.bytes(r.text)
	return false
}

// body appends text as a string, in a form. If it is long, this is done when the entry
// is written.
func (r *renderer) body(text []byte, form textForm) {
	r.raw(`"`)
	if len(text) >= minLongBody {
		r.entry.bodies = append(r.entry.bodies, longBody{len(r.dst), text, form})
	} else {
		r.dst = form.append(r.dst, text)
	}
	r.raw(`"`)
}

// bytes is str for text, which it returns.
func (r *renderer) bytes(text []byte) []byte {
	r.dst, _ = jsonstring.Append(append(r.dst, '"'), text)
	r.raw(`"`)
	return text
}

// sumStr is str for a value that belongs to a part of which there is a sum.
func (r *renderer) sumStr(s string) {
	if r.str(s) {
		r.tie.sum.addString(s)
	} else {
		r.tie.sum.add(r.text)
	}
}

// base64 appends data as a string in base64, which it returns. The result is
// valid until more is appended.
func (r *renderer) base64(data []byte) []byte {
	r.raw(`"`)
	start := len(r.dst)
	r.dst = jsonstring.AppendBase64(r.dst, data)
	text := r.dst[start:]
	r.raw(`"`)
	return text
}

func (r *renderer) int(n int64) { r.dst = strconv.AppendInt(r.dst, n, 10) }

func (r *renderer) bool(b bool) { r.dst = strconv.AppendBool(r.dst, b) }

// comma appends a comma unless an array or object begins here.
func (r *renderer) comma() {
	if c := r.dst[len(r.dst)-1]; c != '[' && c != '{' {
		r.raw(",")
	}
}

// render makes the entry of a flow.
func (r *renderer) render(h *flow.HTTP) {
	e := r.entry
	e.notes = e.notes[:0]
	e.forget()
	if cap(e.data) > keepBuffer {
		e.data = nil
	}
	r.dst = e.data[:0]
	r.tie.reset()
	m := h.State() // before the flow decodes anything, so that it need not compare

	start, ok := startTime(h)
	if !ok {
		r.note("the flow does not tell when it began")
	}
	r.raw(`{"startedDateTime":"`)
	r.dst = appendTime(r.dst, start)
	r.raw(`","time":`)
	e.cut[0] = len(r.dst)
	r.raw(`,"request":`)
	r.request(h)
	r.raw(`,"response":`)
	r.response(h)
	r.raw(`,"cache":{},"timings":`)
	e.cut[1] = len(r.dst)
	server := r.server(m)
	var opened bool
	e.own, e.late, opened = exchangeTimings(h, &server)
	e.conn = 0
	if opened {
		e.conn = server.conn
	}
	r.dst = server.append(r.dst, r.opts.Plain)
	switch w := h.WebSocket(); {
	case r.opts.Plain && w != nil && len(w.Messages) > 0:
		r.note("WebSocket messages are left out")
	case !r.opts.Plain && w != nil:
		r.webSocket(w)
	}
	if !r.opts.Plain {
		r.raw(`,"_id":`)
		r.str(h.ID())
	}
	if err := h.Damage(); err != nil {
		r.note("damaged: %v", err)
	}
	r.finish(h, m)
	e.data = r.dst
}

// finish appends what depends on everything before it.
func (r *renderer) finish(h *flow.HTTP, m *state.Map) {
	mark, notes := len(r.dst), len(r.entry.notes)
	r.comment(h)
	if !r.opts.Plain {
		dst, err := r.appendPrivate(r.dst, m)
		if r.dst = dst; err != nil {
			r.note("no lossless copy of the flow: %v", err)
		}
		if len(r.entry.notes) > notes {
			r.dst = r.dst[:mark]
			r.comment(h)
		}
	}
	r.raw("}")
}

// comment appends the comment of the entry: that of the flow, and all notes.
func (r *renderer) comment(h *flow.HTTP) {
	text := h.Comment()
	if notes := strings.Join(r.entry.notes, "; "); notes != "" {
		if text != "" {
			text += "\n"
		}
		text += "[" + notes + "]"
	}
	if text != "" {
		r.raw(`,"comment":`)
		r.sumStr(text)
		r.tie.summed(partComment)
	}
}
