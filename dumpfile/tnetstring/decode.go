package tnetstring

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

// Limits that do not depend on the profile.
const (
	// MaxPrefix is the largest number of digits of the length of a record.
	MaxPrefix = 12
	// MaxDigits is the largest number of digits of an integer, which is also
	// the largest that Python reads without being told otherwise.
	MaxDigits = 4300
	// DefaultMaxDepth is how deeply lists and maps may be nested; Python's
	// recursion limit stops mitmproxy at about the same depth.
	DefaultMaxDepth = 500
	// DefaultMaxElements is how many elements a list, or entries a map, may
	// have. An element takes three bytes in a dump and some fifty in memory.
	DefaultMaxElements = 1 << 20
	// StrictMaxDepth is the same for the strict profile.
	StrictMaxDepth = 100
)

// Encoding is the name of this encoding, see [state.Codec].
const Encoding = "tnetstring"

// Codec decodes elements. The zero Codec is the tolerant profile with
// [DefaultMaxDepth]. It implements [state.Codec].
type Codec struct {
	// Strict refuses what no writer produces: lengths and integers with
	// leading zeros, signs, spaces or underscores, map keys other than text
	// and bytes, and keys that occur twice.
	Strict bool
	// MaxDepth limits the nesting of lists and maps; 0 means the default of
	// the profile.
	MaxDepth int
	// MaxElements limits the elements of a list and the entries of a map; 0
	// means DefaultMaxElements.
	MaxElements int
}

var (
	_ state.Codec       = Codec{}
	_ state.PairCodec   = Codec{}
	_ state.PickCodec   = Codec{}
	_ state.NumberCodec = Codec{}
)

// Encoding implements [state.Codec].
func (c Codec) Encoding() string { return Encoding }

func (c Codec) maxDepth() int {
	switch {
	case c.MaxDepth > 0:
		return c.MaxDepth
	case c.Strict:
		return StrictMaxDepth
	}
	return DefaultMaxDepth
}

// CheckDepth refuses elements that too many lists and maps lie around.
func (c Codec) CheckDepth(depth int) error {
	if depth <= c.maxDepth() {
		return nil
	}
	return syntax(0, fmt.Errorf("%w: the limit is %d levels", ErrTooDeep, c.maxDepth()))
}

func (c Codec) maxElements() int {
	if c.MaxElements > 0 {
		return c.MaxElements
	}
	return DefaultMaxElements
}

// CheckCount refuses a list of n elements, or a map of n entries, if those are
// too many.
func (c Codec) CheckCount(n int) error {
	if n <= c.maxElements() {
		return nil
	}
	return syntax(0, fmt.Errorf("%w: the limit is %d in a list or map", ErrTooMany, c.maxElements()))
}

// kindOf maps tags to kinds; badTag marks bytes that are no tag.
var kindOf = func() (t [256]state.Kind) {
	for i := range t {
		t[i] = badTag
	}
	t['~'], t['!'], t['#'], t['^'] = state.KindNull, state.KindBool, state.KindInt, state.KindFloat
	t[','], t[';'], t[']'], t['}'] = state.KindBytes, state.KindText, state.KindList, state.KindMap
	return t
}()

const badTag = state.Kind(0xff)

// KindOf returns the kind that a tag stands for.
func KindOf(tag byte) (kind state.Kind, ok bool) {
	k := kindOf[tag]
	return k, k != badTag
}

// Prefix parses the length at the start of a record. It returns the number of
// bytes of the prefix with its colon, and the announced size of the payload. If
// data ends within the prefix, head is 0 and err nil: more bytes are needed.
func (c Codec) Prefix(data []byte) (head int, size int64, err error) {
	for i, b := range data {
		switch {
		case b >= '0' && b <= '9':
			if i >= MaxPrefix {
				return 0, 0, syntax(i, ErrPrefixTooLong)
			}
			size = size*10 + int64(b-'0')
		case b == ':' && i > 0:
			if c.Strict && i > 1 && data[0] == '0' {
				return 0, 0, syntax(0, fmt.Errorf("%w: leading zero", ErrPrefix))
			}
			return i + 1, size, nil
		default:
			return 0, 0, syntax(i, ErrPrefix)
		}
	}
	return 0, 0, nil
}

// Open implements [state.Codec] by the rules for records: data begins with a
// length of at most 12 digits. What follows the record is ignored.
func (c Codec) Open(src *state.Source, data []byte) (state.Value, error) {
	head, size, err := c.Prefix(data)
	if err != nil {
		return state.Value{}, err
	}
	if head == 0 {
		return state.Value{}, syntax(len(data), fmt.Errorf("%w: %w", ErrPrefix, ErrTruncated))
	}
	return frame(src, data, head, size)
}

// frame returns the element at the start of data, of which prefix and payload
// size are known.
func frame(src *state.Source, data []byte, head int, size int64) (state.Value, error) {
	if size >= int64(len(data)-head) {
		return state.Value{}, syntax(len(data), ErrTruncated)
	}
	end := head + int(size) + 1
	kind := kindOf[data[end-1]]
	if kind == badTag {
		return state.Value{}, syntax(end-1, fmt.Errorf("%w %q", ErrTag, data[end-1]))
	}
	if kind == state.KindNull && size != 0 {
		return state.Value{}, syntax(head, ErrNull)
	}
	var v state.Value
	v.SetEncoded(src, kind, data[:end], uint32(head), 1)
	return v, nil
}

// nested sets v to the element at the start of data, a part of the payload of a
// list or map, and returns the number of bytes it takes.
func (c Codec) nested(src *state.Source, data []byte, v *state.Value) (n int, err error) {
	if head, end := usual(data); head > 0 {
		v.SetEncoded(src, kindOf[data[end-1]], data[:end], uint32(head), 1)
		return end, nil
	}
	head, size, err := c.NestedPrefix(data, int64(len(data)))
	if err != nil {
		return 0, err
	}
	if head == 0 {
		return 0, syntax(0, ErrPrefix)
	}
	*v, err = frame(src, data, head, size)
	return head + int(size) + 1, err
}

// NestedPrefix is [Codec.Prefix] by the rules for elements of lists and maps,
// which allow more spellings of a length. left is the
// number of bytes up to the end of the surrounding payload, of which data holds
// the first; head is 0 if more of them are needed.
func (c Codec) NestedPrefix(data []byte, left int64) (head int, size int64, err error) {
	head, size, err = c.Prefix(data)
	if err != nil || head == 0 {
		if bytes.IndexByte(data, ':') < 0 {
			if int64(len(data)) < left && len(data) < maxNestedPrefix {
				return 0, 0, nil
			}
			return 0, 0, syntax(0, ErrPrefix)
		}
		colon, n, err := c.oddPrefix(data, left)
		if err != nil {
			return 0, 0, err
		}
		head, size = colon+1, int64(n)
	}
	if size >= left-int64(head) {
		return 0, 0, syntax(head, ErrTruncated)
	}
	return head, size, nil
}

// maxNestedPrefix is enough for a length of MaxDigits digits with underscores
// between them.
const maxNestedPrefix = 2*MaxDigits + 64

// oddPrefix parses a length that is not just a few digits. It returns the
// position of the colon.
func (c Codec) oddPrefix(data []byte, left int64) (colon, size int, err error) {
	colon = bytes.IndexByte(data, ':')
	if colon < 0 {
		return 0, 0, syntax(0, ErrPrefix)
	}
	text := data[:colon]
	if c.Strict {
		head, n, err := c.Prefix(data[:colon+1])
		if err != nil || head == 0 {
			return 0, 0, cmp.Or(err, syntax(colon, ErrPrefix))
		}
		return colon, int(min(n, math.MaxInt)), nil
	}
	neg, digits, ok := pyInt(text)
	if !ok || len(digits) > MaxDigits || neg && len(bytes.Trim(digits, "0")) > 0 {
		return 0, 0, syntax(0, ErrPrefix)
	}
	digits = bytes.TrimLeft(digits, "0")
	if len(digits) > 18 {
		return 0, 0, syntax(len(data), ErrTruncated)
	}
	n, _ := strconv.ParseInt("0"+string(digits), 10, 64)
	if n > left {
		return 0, 0, syntax(len(data), ErrTruncated)
	}
	return colon, int(n), nil
}

// Elements implements [state.Codec].
func (c Codec) Elements(src *state.Source, kind state.Kind, payload []byte, depth int, dst []state.Value) ([]state.Value, error) {
	if err := c.CheckDepth(depth); err != nil {
		return dst, err
	}
	if kind == state.KindList {
		start := len(dst)
		for pos := 0; pos < len(payload); {
			if err := c.CheckCount(len(dst) - start + 1); err != nil {
				return dst, shift(err, pos)
			}
			dst = append(dst, state.Value{})
			n, err := c.nested(src, payload[pos:], &dst[len(dst)-1])
			if err != nil {
				return dst[:len(dst)-1], shift(err, pos)
			}
			pos += n
		}
		return dst, nil
	}
	m := NewEntries(c, dst)
	for pos := m.AddUsual(src, payload); pos < len(payload); {
		key, val := m.next()
		n, err := c.nested(src, payload[pos:], key)
		if err != nil {
			return dst, shift(err, pos)
		}
		if err := c.CheckKey(*key); err != nil {
			return dst, shift(err, pos)
		}
		keyPos := pos
		pos += n
		if n, err = c.nested(src, payload[pos:], val); err != nil {
			return dst, shift(err, pos)
		}
		pos += n
		if err := m.accept(); err != nil {
			return dst, shift(err, keyPos)
		}
	}
	return m.Done(), nil
}

// plainKey tells whether b is ASCII and short, so that it need not be checked
// further.
func plainKey(b []byte) bool {
	if len(b) > 32 {
		return false
	}
	var or byte
	for _, c := range b {
		or |= c
	}
	return or < 0x80
}

// Element returns the element at the start of data, a part of the payload of a
// list or map, without looking into it, and the number of bytes it takes.
func (c Codec) Element(src *state.Source, data []byte) (v state.Value, n int, err error) {
	n, err = c.nested(src, data, &v)
	return v, n, err
}

// Pairs implements [state.PairCodec].
func (c Codec) Pairs(payload []byte, yield func(first, second []byte) bool) bool {
	for n := 1; len(payload) > 0; n++ {
		head, end := usual(payload)
		if head == 0 || payload[end-1] != ']' || n > c.maxElements() {
			return false
		}
		pair := payload[head : end-1]
		payload = payload[end:]
		head1, end1 := usual(pair)
		if head1 == 0 || pair[end1-1] != ',' {
			return false
		}
		first, rest := pair[head1:end1-1], pair[end1:]
		head2, end2 := usual(rest)
		if head2 == 0 || end2 != len(rest) || rest[end2-1] != ',' {
			return false
		}
		if !yield(first, rest[head2:end2-1]) {
			return true
		}
	}
	return true
}

// Entries collects the entries of a map in the order on disk.
type Entries struct {
	codec Codec
	elems []state.Value
	start int
	keys  keySet
}

// NewEntries returns an empty collection that appends to dst.
func NewEntries(c Codec, dst []state.Value) Entries {
	return Entries{codec: c, elems: dst, start: len(dst)}
}

// Add adds an entry. Of several values for one key the last counts, at the
// place of the first; the strict profile refuses them.
func (m *Entries) Add(key, val state.Value) error {
	k, v := m.next()
	*k, *v = key, val
	return m.accept()
}

// AddUsual adds entries from the start of data, a part of the payload of a map,
// as long as they are complete and as mitmproxy writes them: with lengths of a
// few digits and short keys in ASCII. It returns the number of bytes they take.
// What stops it is not necessarily wrong.
func (m *Entries) AddUsual(src *state.Source, data []byte) int {
	pos := 0
	for {
		head, end := usual(data[pos:])
		if head == 0 {
			return pos
		}
		k := data[pos : pos+end]
		if k[end-1] != ';' || !plainKey(k[head:end-1]) {
			return pos
		}
		vhead, vend := usual(data[pos+end:])
		if vhead == 0 {
			return pos
		}
		v := data[pos+end : pos+end+vend]
		key, val := m.next()
		key.SetEncoded(src, state.KindText, k, uint32(head), 1)
		val.SetEncoded(src, kindOf[v[vend-1]], v, uint32(vhead), 1)
		if m.accept() != nil {
			return pos
		}
		pos += end + vend
	}
}

// usual frames the element at the start of data, if it is complete and its
// length spelled as usual: head is the length of its prefix and end that of the
// element. Otherwise both are 0.
func usual(data []byte) (head, end int) {
	head, size := usualPrefix(data)
	tag := head + size
	if head == 0 || tag >= len(data) || !fits(kindOf[data[tag]], size) {
		return 0, 0
	}
	return head, tag + 1
}

// fits tells whether an element of a kind may have a payload of size bytes.
func fits(kind state.Kind, size int) bool {
	return kind != badTag && (kind != state.KindNull || size == 0)
}

// usualPrefix parses the length at the start of data if it is spelled as usual;
// otherwise head is 0.
func usualPrefix(data []byte) (head, size int) {
	// The first two digits are most of what there is to read.
	if len(data) < 3 {
		return 0, 0
	}
	size = int(data[0] - '0')
	if size > 9 {
		return 0, 0
	}
	if data[1] == ':' {
		return 2, size
	}
	if size == 0 {
		return 0, 0
	}
	i := 1
	for i < len(data) && i < 9 && data[i]-'0' <= 9 {
		size = size*10 + int(data[i]-'0')
		i++
	}
	if i == len(data) || data[i] != ':' {
		return 0, 0
	}
	return i + 1, size
}

// usualKey is usual for a text of less than a hundred bytes, as keys are.
func usualKey(data []byte) (head, end int) {
	if len(data) < 4 {
		return 0, 0
	}
	size, head := int(data[0]-'0'), 2
	if data[1] != ':' {
		size, head = size*10+int(data[1]-'0'), 3
		if data[2] != ':' || data[1]-'0' > 9 || size < 10 {
			return 0, 0
		}
	}
	end = head + size + 1
	if data[0]-'0' > 9 || end > len(data) || data[end-1] != ';' {
		return 0, 0
	}
	return head, end
}

// next returns where the next entry is to be put.
func (m *Entries) next() (key, val *state.Value) {
	n := len(m.elems)
	if n+2 > cap(m.elems) {
		m.elems = slices.Grow(m.elems, 32) // most maps of a flow fit
	}
	free := m.elems[n : n+2]
	return &free[0], &free[1]
}

// accept adds the entry that was put where next said.
func (m *Entries) accept() error {
	n := len(m.elems)
	all := m.elems[:n+2]
	key := &all[n]
	if key.Kind() >= state.KindList {
		return syntax(0, ErrContainerKey)
	}
	if err := m.codec.CheckCount((len(all) - m.start) / 2); err != nil {
		return err
	}
	if i := m.keys.add(key, m.elems[m.start:]); i >= 0 {
		if m.codec.Strict {
			return syntax(0, ErrDuplicateKey)
		}
		m.elems[m.start+i+1] = all[n+1]
		return nil
	}
	m.elems = all
	return nil
}

// Done returns the slice that was appended to, with keys and values in turn in
// logical order.
func (m *Entries) Done() []state.Value {
	reverseEntries(m.elems[m.start:])
	return m.elems
}

// reverseEntries turns keys and values in turn from the order on disk into the
// logical order.
func reverseEntries(elems []state.Value) {
	for i, j := 0, len(elems)-2; i < j; i, j = i+2, j-2 {
		elems[i], elems[j] = elems[j], elems[i]
		elems[i+1], elems[j+1] = elems[j+1], elems[i+1]
	}
}

// CheckKey refuses keys that are malformed, and, in the strict profile, those
// that are neither text nor bytes.
func (c Codec) CheckKey(key state.Value) error {
	k := key.Kind()
	if k == state.KindText {
		_, err := key.TextBytes()
		return err
	}
	if c.Strict && k != state.KindBytes {
		return syntax(0, ErrKeyKind)
	}
	if k == state.KindBytes || k == state.KindNull || k >= state.KindList {
		return nil
	}
	return state.Validate(key)
}

// shift moves the offset of a syntax error by n.
func shift(err error, n int) error {
	switch e := err.(type) {
	case *SyntaxError:
		return &SyntaxError{e.Offset + n, e.Err}
	}
	return err
}

// Scalar implements [state.Codec].
func (c Codec) Scalar(kind state.Kind, payload []byte) (state.Value, error) {
	switch kind {
	case state.KindText:
		if !utf8.Valid(payload) {
			return state.Value{}, syntax(firstInvalid(payload), ErrUTF8)
		}
		return state.TextBytes(payload), nil
	case state.KindBool:
		switch string(payload) {
		case "true":
			return state.Bool(true), nil
		case "false":
			return state.Bool(false), nil
		}
		return state.Value{}, syntax(0, ErrBool)
	case state.KindInt:
		return c.integer(payload)
	case state.KindFloat:
		return c.float(payload)
	}
	panic("tnetstring: Scalar called for " + kind.String())
}

func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(b)
}
