// Package summary counts what is in a dump: flows by type, host, method and
// status, sizes, the time they span, and the largest of them.
package summary

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/migrate"
)

const (
	// MaxLargest is the number of largest flows that are kept.
	MaxLargest = 5
	// MaxNames limits how many different hosts and methods are told apart, so
	// that a hostile capture cannot fill memory. Further ones are counted
	// under Other.
	MaxNames = 100_000
	// Other is the name that they are counted under.
	Other = "(other)"

	maxName = 255  // longest host name there is
	maxWhat = 1024 // of a Large
)

// Summary is what is known of a run of flows. The zero Summary is that of no
// flows. Summaries of consecutive runs can be put together with
// [Summary.Merge].
type Summary struct {
	Flows    int64
	Types    map[string]int64 // http, websocket, tcp, udp, dns
	Versions map[migrate.Version]int64
	Hosts    map[string]int64
	Methods  map[string]int64
	Statuses map[string]int64 // 1xx to 5xx, "other", and "none" for flows without a response

	Edited, Errors, Marked, Replayed, Intercepted, Commented int64

	RequestBytes  int64 // bodies as transferred
	ResponseBytes int64
	MessageBytes  int64 // of WebSocket, TCP and UDP messages
	Messages      int64

	First, Last flow.Timestamp // earliest and latest start
	Disordered  int64          // flows that start before the one in front of them
	head, tail  flow.Timestamp // start of the first and last flow that has one

	Largest []Large

	hosts, methods []string // the keys of Hosts and Methods, oldest first
}

// A Large is one of the largest flows.
type Large struct {
	Index, Offset, Size int64
	What                string // URL, or the like
}

// Record is what is known of a flow besides the flow itself.
type Record struct {
	Index, Offset, Size int64
	Version             migrate.Version
}

// Reset makes s the summary of no flows and keeps its memory.
func (s *Summary) Reset() {
	for _, m := range []map[string]int64{s.Types, s.Hosts, s.Methods, s.Statuses} {
		clear(m)
	}
	clear(s.Versions)
	*s = Summary{Types: s.Types, Versions: s.Versions, Hosts: s.Hosts, Methods: s.Methods,
		Statuses: s.Statuses, Largest: s.Largest[:0], hosts: s.hosts[:0], methods: s.methods[:0]}
}

func (s *Summary) init() {
	if s.Types == nil {
		s.Types, s.Hosts, s.Methods, s.Statuses = map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
		s.Versions = map[migrate.Version]int64{}
	}
}

// shorten cuts what is longer than most bytes.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// count adds n under a name, or under Other if there are too many. order gets
// the names that are new.
func count(m map[string]int64, order *[]string, name string, n int64) {
	if _, ok := m[name]; !ok {
		if len(m) >= MaxNames {
			name = Other
		}
		if _, ok := m[name]; !ok {
			*order = append(*order, name)
		}
	}
	m[name] += n
}

// Add takes note of a flow. If it is damaged (see [flow.Flow]) it is not counted
// and the damage is returned.
func (s *Summary) Add(r Record, f flow.Flow) error {
	if err := damage(f); err != nil {
		return err
	}
	s.init()
	s.Flows++
	s.Versions[r.Version]++
	s.time(f.TimestampStart())
	typ := f.Type()
	switch f := f.(type) {
	case *flow.HTTP:
		if f.WebSocket() != nil {
			typ = "websocket"
		}
		s.addHTTP(f)
	case *flow.TCP:
		s.addMessages(f.Messages())
	case *flow.UDP:
		s.addMessages(f.Messages())
	}
	s.Types[typ]++
	if _, ok := f.(*flow.HTTP); !ok {
		if a := f.ServerConn().Address; a != nil {
			count(s.Hosts, &s.hosts, shorten(a.Host, maxName), 1)
		}
	}
	s.addMarks(f)
	s.large(r, f)
	return nil
}

// damage decodes the parts of f that are counted.
func damage(f flow.Flow) error {
	switch f := f.(type) {
	case *flow.HTTP:
		f.Request()
		f.Response()
		f.WebSocket()
	case *flow.TCP:
		f.Messages()
	case *flow.UDP:
		f.Messages()
	case *flow.DNS:
		f.Request()
	}
	f.Error()
	if _, ok := f.(*flow.HTTP); !ok {
		f.ServerConn()
		f.ClientConn()
	}
	return f.Damage()
}

func (s *Summary) addHTTP(f *flow.HTTP) {
	req, resp := f.Request(), f.Response()
	count(s.Hosts, &s.hosts, shorten(req.PrettyHost(), maxName), 1)
	count(s.Methods, &s.methods, shorten(strings.ToUpper(req.Method), maxName), 1)
	s.RequestBytes += req.Body.Len()
	if resp == nil {
		s.Statuses["none"]++
	} else {
		s.Statuses[StatusClass(resp.StatusCode)]++
		s.ResponseBytes += resp.Body.Len()
	}
	if ws := f.WebSocket(); ws != nil {
		s.Messages += int64(len(ws.Messages))
		for i := range ws.Messages {
			s.MessageBytes += ws.Messages[i].Content.Len()
		}
	}
}

func (s *Summary) addMessages(messages []flow.Message) {
	s.Messages += int64(len(messages))
	for i := range messages {
		s.MessageBytes += messages[i].Content.Len()
	}
}

func (s *Summary) addMarks(f flow.Flow) {
	for _, c := range []struct {
		n  *int64
		is bool
	}{
		{&s.Edited, f.BackupState() != nil},
		{&s.Errors, f.Error() != nil},
		{&s.Marked, f.Marked() != ""},
		{&s.Replayed, f.IsReplay() != ""},
		{&s.Intercepted, f.Intercepted()},
		{&s.Commented, f.Comment() != ""},
	} {
		if c.is {
			*c.n++
		}
	}
}

// StatusClass returns "2xx" and the like, "other" for codes that belong to no
// class.
func StatusClass(code int) string {
	switch code / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "other"
}

func (s *Summary) time(t flow.Timestamp) {
	if t.Time().IsZero() { // null, or a number that is no moment
		return
	}
	if s.head.IsNull() {
		s.head, s.First, s.Last = t, t, t
	} else if t.Unix() < s.tail.Unix() {
		s.Disordered++
	}
	s.tail = t
	s.span(t, t)
}

func (s *Summary) span(first, last flow.Timestamp) {
	if first.Unix() < s.First.Unix() {
		s.First = first
	}
	if last.Unix() > s.Last.Unix() {
		s.Last = last
	}
}

// large keeps a flow if it is among the largest.
func (s *Summary) large(r Record, f flow.Flow) {
	if len(s.Largest) == MaxLargest && r.Size <= s.Largest[MaxLargest-1].Size {
		return
	}
	s.keep(Large{r.Index, r.Offset, r.Size, shorten(subject(f), maxWhat)})
}

func (s *Summary) keep(l Large) {
	s.Largest = append(s.Largest, l)
	slices.SortStableFunc(s.Largest, func(a, b Large) int { return cmp.Compare(b.Size, a.Size) })
	s.Largest = s.Largest[:min(len(s.Largest), MaxLargest)]
}

// subject names a flow for people.
func subject(f flow.Flow) string {
	switch f := f.(type) {
	case *flow.HTTP:
		return f.Request().Method + " " + f.PrettyURL()
	case *flow.DNS:
		if q := f.Request().Questions; len(q) > 0 {
			return "DNS " + q[0].Name
		}
		return "DNS"
	}
	if a := f.ServerConn().Address; a != nil {
		return strings.ToUpper(f.Type()) + " " + a.Host + ":" + strconv.Itoa(a.Port)
	}
	return strings.ToUpper(f.Type())
}

// Merge adds what is known of the flows that follow those of s. The result is
// that of adding them one by one, as long as next has fewer than MaxNames hosts
// and methods of its own.
func (s *Summary) Merge(next *Summary) {
	if next.Flows == 0 {
		return
	}
	s.init()
	s.Flows += next.Flows
	for _, m := range []struct{ to, from map[string]int64 }{
		{s.Types, next.Types}, {s.Statuses, next.Statuses},
	} {
		for name, n := range m.from {
			m.to[name] += n
		}
	}
	for _, name := range next.hosts {
		count(s.Hosts, &s.hosts, name, next.Hosts[name])
	}
	for _, name := range next.methods {
		count(s.Methods, &s.methods, name, next.Methods[name])
	}
	for v, n := range next.Versions {
		s.Versions[v] += n
	}
	for _, c := range []struct {
		to   *int64
		from int64
	}{
		{&s.Edited, next.Edited}, {&s.Errors, next.Errors}, {&s.Marked, next.Marked},
		{&s.Replayed, next.Replayed}, {&s.Intercepted, next.Intercepted}, {&s.Commented, next.Commented},
		{&s.RequestBytes, next.RequestBytes}, {&s.ResponseBytes, next.ResponseBytes},
		{&s.MessageBytes, next.MessageBytes}, {&s.Messages, next.Messages}, {&s.Disordered, next.Disordered},
	} {
		*c.to += c.from
	}
	if !next.head.IsNull() {
		if s.head.IsNull() {
			s.head, s.First, s.Last = next.head, next.First, next.Last
		} else if next.head.Unix() < s.tail.Unix() {
			s.Disordered++
		}
		s.tail = next.tail
		s.span(next.First, next.Last)
	}
	for _, l := range next.Largest {
		if len(s.Largest) < MaxLargest || l.Size > s.Largest[MaxLargest-1].Size {
			s.keep(l)
		}
	}
}

// A Count is a name with how often it occurred.
type Count struct {
	Name  string `json:"name"`
	Flows int64  `json:"flows"`
}

// Sorted returns the entries of one of the maps of a summary, the most frequent
// first.
func Sorted(m map[string]int64) []Count {
	out := make([]Count, 0, len(m))
	for name, n := range m {
		out = append(out, Count{name, n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Flows, a.Flows), cmp.Compare(a.Name, b.Name))
	})
	return out
}
