package flowpack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/flowtool/flowtool/migrate"
)

// A Set says which values occur.
type Set[T comparable] struct {
	// Values are those that are known to occur, in order.
	Values []T
	// Open says that there may be others as well, because they were too many,
	// too long, or not known.
	Open bool
}

// ChunkFacts are what the summary says of the flows of a chunk, so that a
// program can tell that none of them is what it looks for.
type ChunkFacts struct {
	// First is the number of the first flow, counted from 0 over the whole
	// input, and Flows how many there are.
	First, Flows int64
	// Opaque counts flows of which nothing but the version is known. If there
	// are any, all sets but Versions are open, and the other counts and times
	// are those of the rest.
	Opaque int64
	// Versions are the format versions.
	Versions Set[migrate.Version]
	// Types are the types of the flows, "http" and so on.
	Types Set[string]
	// Hosts are the hosts of HTTP flows: those that mitmproxy connected to and
	// those that the client named, if it named others.
	Hosts Set[string]
	// Methods are the request methods of HTTP flows, and Statuses the status
	// codes of their responses.
	Methods  Set[string]
	Statuses Set[int64]
	// Answered and Unanswered count the HTTP and DNS flows with and without a
	// response.
	Answered, Unanswered int64
	// Start and End are the earliest and the latest start of a flow, in seconds
	// since 1970; both are 0 if no flow has a time.
	Start, End float64
	// Untimed counts the flows without a time.
	Untimed int64
	// IDs are the first six characters of the ids, or all of shorter ones.
	IDs Set[string]
}

// idStart is the number of characters of an id that the summary keeps. With
// those, an id is looked for in one chunk of thousands that does not hold it.
const idStart = 6

// startOf returns the first characters of an id.
func startOf(id string) string {
	n := 0
	for i := range id {
		if n++; n > idStart {
			return id[:i]
		}
	}
	return id
}

// Limits on the sets of a chunk, which keep the summary small.
const (
	maxValues   = 256
	maxIDs      = 2048
	maxValueLen = 256
)

// A collector puts together the facts of a chunk.
type collector struct {
	facts    ChunkFacts
	versions values[migrate.Version]
	types    values[string]
	hosts    values[string]
	methods  values[string]
	statuses values[int64]
	ids      values[string]
}

// values collects a Set.
type values[T comparable] struct {
	seen map[T]bool
	last T
	open bool
}

// add adds a value, if there are not so many already.
func (s *values[T]) add(v T, most int) {
	switch {
	case v == s.last && len(s.seen) > 0 || s.seen[v]:
	case len(s.seen) == most:
		s.open = true
		return
	default:
		if s.seen == nil {
			s.seen = make(map[T]bool)
		}
		s.seen[v] = true
	}
	s.last = v
}

// addText is add for a text from a flow.
func addText(s *values[string], text string) {
	if len(text) > maxValueLen || !utf8.ValidString(text) {
		s.open = true
		return
	}
	s.add(text, maxValues)
}

func (s *values[T]) set(opaque bool, compare func(a, b T) int) Set[T] {
	return Set[T]{slices.SortedFunc(maps.Keys(s.seen), compare), s.open || opaque}
}

// add adds a flow.
func (c *collector) add(f *Facts) {
	c.facts.Flows++
	if f.Version == (migrate.Version{}) {
		c.versions.open = true
	} else {
		c.versions.add(f.Version, maxValues)
	}
	if f.Opaque {
		c.facts.Opaque++
		return
	}
	addText(&c.types, f.Type)
	c.ids.add(startOf(f.ID), maxIDs)
	switch f.Type {
	case "http":
		addText(&c.hosts, f.Host)
		addText(&c.hosts, f.PrettyHost)
		addText(&c.methods, f.Method)
		if f.Answered {
			c.statuses.add(f.Status, maxValues)
		}
		fallthrough
	case "dns":
		if f.Answered {
			c.facts.Answered++
		} else {
			c.facts.Unanswered++
		}
	}
	if f.Start == 0 {
		c.facts.Untimed++
		return
	}
	if c.facts.Start == 0 || f.Start < c.facts.Start {
		c.facts.Start = f.Start
	}
	if c.facts.End == 0 || f.Start > c.facts.End {
		c.facts.End = f.Start
	}
}

// done returns the facts of the flows added.
func (c *collector) done() ChunkFacts {
	f := c.facts
	opaque := f.Opaque > 0
	f.Versions = c.versions.set(false, migrate.Version.Compare)
	f.Types = c.types.set(opaque, cmp.Compare[string])
	f.Hosts = c.hosts.set(opaque, cmp.Compare[string])
	f.Methods = c.methods.set(opaque, cmp.Compare[string])
	f.Statuses = c.statuses.set(opaque, cmp.Compare[int64])
	f.IDs = c.ids.set(opaque, cmp.Compare[string])
	return f
}

// A fileSummary is the content of a summary: an array of its fields in
// MessagePack. An array is never taken for flows by who searches for frames.
type fileSummary struct {
	header uint32 // CRC-32 of the frame
	table  uint32 // CRC-32 of the seek table up to the entry of the summary
	chunks []packedChunk
}

// A packedChunk is what a summary says of a chunk, in MessagePack.
type packedChunk struct {
	CRC        uint32   `msgpack:"crc"`
	Flows      int64    `msgpack:"flows"`
	Opaque     int64    `msgpack:"opaque"`
	Versions   []string `msgpack:"versions"`
	Types      []string `msgpack:"types"`
	Hosts      []string `msgpack:"hosts"`
	Methods    []string `msgpack:"methods"`
	Statuses   []int64  `msgpack:"statuses"`
	Open       []string `msgpack:"open"`
	Answered   int64    `msgpack:"answered"`
	Unanswered int64    `msgpack:"unanswered"`
	Start      float64  `msgpack:"start"`
	End        float64  `msgpack:"end"`
	Untimed    int64    `msgpack:"untimed"`
	IDs        []string `msgpack:"ids"`
}

// pack returns the form of c that is stored.
func (c *ChunkFacts) pack(crc uint32) packedChunk {
	p := packedChunk{
		CRC: crc, Flows: c.Flows, Opaque: c.Opaque,
		Types: c.Types.Values, Hosts: c.Hosts.Values, Methods: c.Methods.Values, Statuses: c.Statuses.Values,
		Answered: c.Answered, Unanswered: c.Unanswered,
		Start: c.Start, End: c.End, Untimed: c.Untimed, IDs: c.IDs.Values,
	}
	for _, v := range c.Versions.Values {
		p.Versions = append(p.Versions, v.String())
	}
	for name, open := range c.openSets() {
		if *open {
			p.Open = append(p.Open, name)
		}
	}
	for _, list := range []*[]string{&p.Versions, &p.Types, &p.Hosts, &p.Methods, &p.Open, &p.IDs} {
		if *list == nil {
			*list = []string{} // not null
		}
	}
	if p.Statuses == nil {
		p.Statuses = []int64{}
	}
	return p
}

// openSets is a sequence of the names of the sets, with what says that they are
// open.
func (c *ChunkFacts) openSets() func(yield func(string, *bool) bool) {
	return func(yield func(string, *bool) bool) {
		_ = yield("versions", &c.Versions.Open) && yield("types", &c.Types.Open) &&
			yield("hosts", &c.Hosts.Open) && yield("methods", &c.Methods.Open) &&
			yield("statuses", &c.Statuses.Open) && yield("ids", &c.IDs.Open)
	}
}

var errSummary = errors.New("the summary is damaged")

// unpack returns the facts of a chunk that begins with flow number first.
func (p *packedChunk) unpack(first int64) (c ChunkFacts, err error) {
	c = ChunkFacts{
		First: first, Flows: p.Flows, Opaque: p.Opaque,
		Types: Set[string]{Values: p.Types}, Hosts: Set[string]{Values: p.Hosts},
		Methods: Set[string]{Values: p.Methods}, Statuses: Set[int64]{Values: p.Statuses},
		Answered: p.Answered, Unanswered: p.Unanswered,
		Start: p.Start, End: p.End, Untimed: p.Untimed, IDs: Set[string]{Values: p.IDs},
	}
	for name, open := range c.openSets() {
		*open = slices.Contains(p.Open, name)
	}
	for _, text := range p.Versions {
		v, _ := migrate.ParseVersion(text) // one that is too new is a version, too
		if v == (migrate.Version{}) {
			return c, errSummary
		}
		c.Versions.Values = append(c.Versions.Values, v)
	}
	if p.Flows < 0 || p.Flows > math.MaxUint32 || p.Opaque < 0 || p.Opaque > p.Flows {
		return c, errSummary
	}
	return c, nil
}

// encode returns the frame of a summary.
func (s *fileSummary) encode(z *compressor) ([]byte, error) {
	var content bytes.Buffer
	enc := msgpack.NewEncoder(&content)
	err := errors.Join(enc.EncodeArrayLen(3), enc.EncodeUint(uint64(s.header)), enc.EncodeUint(uint64(s.table)),
		enc.EncodeArrayLen(len(s.chunks)))
	for i := range s.chunks {
		err = cmp.Or(err, enc.Encode(&s.chunks[i]))
	}
	if err != nil {
		return nil, err
	}
	packed := z.frame(nil, content.Bytes())
	out := append([]byte(summaryText), 0, 0, 0, 0)
	out = append(out, packed...)
	binary.LittleEndian.PutUint32(out[len(summaryText):], crc32.ChecksumIEEE(packed))
	if uint64(len(out)) > math.MaxUint32 {
		return nil, errors.New("the summary is too large")
	}
	return skippable(ownMagic, out), nil
}

// isSummary tells whether a skippable frame is that of a summary.
func isSummary(frame []byte) bool {
	return len(frame) >= skipHead+summaryHead && magic(frame) == ownMagic &&
		int64(binary.LittleEndian.Uint32(frame[4:])) == int64(len(frame)-skipHead) &&
		bytes.HasPrefix(frame[skipHead:], []byte(summaryText))
}

// summary decodes the frame of a summary.
func (in *input) summary(frame []byte) (*fileSummary, error) {
	if !isSummary(frame) {
		return nil, errSummary
	}
	packed := frame[skipHead+summaryHead:]
	if crc32.ChecksumIEEE(packed) != binary.LittleEndian.Uint32(frame[skipHead+len(summaryText):]) {
		return nil, errSummary
	}
	content, err := in.content(packed, nil)
	if err != nil {
		return nil, err
	}
	dec := msgpack.NewDecoder(bytes.NewReader(content))
	s := new(fileSummary)
	n, err := dec.DecodeArrayLen()
	if err != nil || n != 3 {
		return nil, errSummary
	}
	for _, crc := range []*uint32{&s.header, &s.table} {
		if *crc, err = dec.DecodeUint32(); err != nil {
			return nil, errSummary
		}
	}
	if n, err = dec.DecodeArrayLen(); err != nil || n < 0 || n > len(content) {
		return nil, errSummary
	}
	for range n {
		var c packedChunk
		if err := dec.Decode(&c); err != nil {
			return nil, errSummary
		}
		s.chunks = append(s.chunks, c)
	}
	return s, nil
}
