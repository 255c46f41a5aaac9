package flowpack

import (
	"math"
	"strings"
	"sync"

	"github.com/flowtool/flowtool/internal/searchtext"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// Facts are what the summary of a flowpack needs to know of a flow.
type Facts struct {
	// Version is the format version of the flow.
	Version migrate.Version
	// Opaque says that nothing but the version is known: the flow is of a format
	// version below 16, or it has a field that is not as it should be.
	Opaque bool
	// Type is "http", "tcp", "udp" or "dns".
	Type string
	// ID is the id of the flow.
	ID string
	// Host is where an HTTP flow went and PrettyHost what the client called it,
	// both of which a filter looks at.
	Host, PrettyHost string
	// Method is the request method of an HTTP flow.
	Method string
	// Answered says that there is a response, which HTTP and DNS flows can have.
	Answered bool
	// Status is the status code of the response of an HTTP flow.
	Status int64
	// Start is when the flow started, in seconds since 1970; 0 if that is not
	// known.
	Start float64
}

// Keys of what is looked at, in the order they are stored in.
var (
	flowKeys     = []string{"version", "type", "id", "client_conn", "timestamp_created", "request", "response"}
	requestKeys  = []string{"http_version", "headers", "timestamp_start", "host", "method", "authority"}
	responseKeys = []string{"status_code"}
	clientKeys   = []string{"timestamp_start"}
)

// firstKnown is the first format version of which migrations leave alone what
// Facts say. clientTime is the first one in which a client connection without a
// time stays without.
var (
	firstKnown = migrate.Number(16)
	clientTime = migrate.Number(19)
)

// A finder is the memory for finding facts, used again.
type finder struct {
	src      state.Source
	top      [7]state.Value // of flowKeys
	request  [6]state.Value
	response [1]state.Value
	client   [1]state.Value
}

var finders = sync.Pool{New: func() any { return new(finder) }}

func (s *finder) release() {
	*s = finder{}
	finders.Put(s)
}

// FactsOfRecord is [FactsOf] for the bytes of a record.
func FactsOfRecord(record []byte) Facts {
	s := finders.Get().(*finder)
	defer s.release()
	s.src = state.Source{Codec: codec, Data: record}
	v, err := state.Open(&s.src)
	if err != nil {
		return Facts{Opaque: true}
	}
	return s.facts(&v)
}

// FactsOf returns the facts of a state, a map, which it only reads.
func FactsOf(v *state.Value) Facts {
	s := finders.Get().(*finder)
	defer s.release()
	return s.facts(v)
}

func (s *finder) facts(v *state.Value) Facts {
	if v.Kind() != state.KindMap || v.Pick(flowKeys, s.top[:]) != nil {
		return Facts{Opaque: true}
	}
	opaque := Facts{Version: versionOf(v, &s.top[0]), Opaque: true}
	if opaque.Version.Compare(firstKnown) < 0 || opaque.Version.Compare(migrate.Newest) > 0 {
		return opaque
	}
	if f := (Facts{Version: opaque.Version}); s.fill(&f) {
		return f
	}
	return opaque
}

// versionOf returns the format version of a flow, given its version entry; the
// zero Version if it is none that can be known.
func versionOf(flow, entry *state.Value) (version migrate.Version) {
	if entry.Kind() == state.KindInt {
		if n, err := entry.Int64(); err == nil && n >= 0 && n < math.MaxInt32 {
			return migrate.Number(int(n))
		}
		return version
	}
	if m, err := flow.Map(); err == nil {
		version, _ = migrate.VersionOf(m)
	}
	return version
}

// fill fills in what there is and tells whether all of it is as it should be.
func (s *finder) fill(f *Facts) bool {
	top := &s.top
	typ, ok1 := plainText(&top[1])
	id, ok2 := plainText(&top[2])
	if !ok1 || !ok2 || id == "" {
		return false
	}
	f.Type, f.ID = typ, id
	switch f.Type {
	case "http", "tcp", "udp", "dns":
	default:
		return false
	}
	if top[3].Kind() != state.KindMap || top[3].Pick(clientKeys, s.client[:]) != nil {
		return false
	}
	start := s.client[0]
	switch {
	case !start.IsNull():
	case f.Version.Compare(clientTime) < 0:
		start = state.Float(0)
	default:
		start = top[4]
	}
	if f.Type == "http" || f.Type == "dns" {
		if top[5].Kind() != state.KindMap || top[6].Kind() != state.KindMap && !top[6].IsNull() {
			return false
		}
		f.Answered = top[6].Kind() == state.KindMap && !top[6].IsEmpty()
	}
	if f.Type == "http" {
		if !s.fillHTTP(f) {
			return false
		}
		if t := s.request[2]; !t.IsNull() {
			start = t
		}
	}
	if start.IsNull() {
		return true
	}
	t, err := start.Number()
	f.Start = t
	return err == nil && !math.IsNaN(t) && !math.IsInf(t, 0)
}

// fillHTTP is fill for the two messages of an HTTP flow.
func (s *finder) fillHTTP(f *Facts) bool {
	request, response := &s.top[5], &s.top[6]
	if request.Pick(requestKeys, s.request[:]) != nil {
		return false
	}
	var r searchtext.Request
	var ok [4]bool
	r.HTTPVersion, ok[0] = plainBytes(&s.request[0])
	r.Host, ok[1] = plainBytes(&s.request[3])
	r.Method, ok[2] = plainBytes(&s.request[4])
	r.Authority, ok[3] = plainBytes(&s.request[5])
	if ok != [4]bool{true, true, true, true} {
		return false
	}
	var joined searchtext.Joined
	if !s.request[1].Pairs(func(name, value []byte) bool {
		if len(name) == len("host") && strings.EqualFold(string(name), "host") {
			joined.Add(value)
		}
		return true
	}) {
		return false
	}
	r.HostHeader = joined.Value()
	f.Host, f.Method = string(r.Host), string(r.Method)
	f.PrettyHost = f.Host
	if pretty := r.PrettyHost(); string(pretty) != f.Host {
		f.PrettyHost = string(pretty)
	}
	if !f.Answered {
		return true
	}
	if response.Pick(responseKeys, s.response[:]) != nil || s.response[0].Kind() != state.KindInt {
		return false
	}
	var err error
	f.Status, err = s.response[0].Int64()
	return err == nil
}

// plainBytes returns the content of the byte string or text v.
func plainBytes(v *state.Value) (b []byte, ok bool) {
	if !v.InMemory() {
		return nil, false
	}
	var err error
	switch v.Kind() {
	case state.KindBytes:
		b, err = v.Bytes()
	case state.KindText:
		b, err = v.TextBytes()
	default:
		return nil, false
	}
	return b, err == nil
}

// plainText returns the text v.
func plainText(v *state.Value) (string, bool) {
	if v.Kind() != state.KindText || !v.InMemory() {
		return "", false
	}
	s, err := v.Text()
	return s, err == nil
}
