package filter_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// A dump has the flows of a file, read in both ways in which filters get them.
type dump struct {
	name   string
	flows  []flow.Flow    // large values are left in the input
	states []*state.Value // of the records of a stream, migrated but neither repaired nor checked
}

func readDump(t testing.TB, file string) *dump {
	t.Helper()
	data := flowtest.Read(t, file)
	d := &dump{name: filepath.Base(file)}
	for f, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Flows() {
		if err != nil {
			break // TestRead of internal/oracle knows which dumps are damaged
		}
		d.flows = append(d.flows, f)
	}
	r := dumpfile.NewReader(struct{ io.Reader }{bytes.NewReader(data)}, nil)
	for rec, err := range r.Records() {
		if err != nil {
			break
		}
		d.states = append(d.states, newest(t, r, rec))
	}
	if len(d.flows) != len(d.states) {
		t.Fatalf("%s: %d flows and %d records", d.name, len(d.flows), len(d.states))
	}
	return d
}

// newest returns the state of a record in the newest version.
func newest(t testing.TB, r *dumpfile.Reader, rec *dumpfile.Record) *state.Value {
	t.Helper()
	if rec.VersionAtEnd() == flow.Version {
		v, err := rec.Value()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	m, err := rec.State()
	if err == nil {
		m, err = r.Stream().Up(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	v := m.Value()
	return &v
}

// letters returns what f says of the flows, read in each of the two ways: a
// letter for each flow, "m" if it matches, "n" if not, and "e" for an error.
func (d *dump) letters(f *filter.Filter) [2]string {
	var out [2]strings.Builder
	letter := func(ok bool, err error) byte {
		switch {
		case err != nil:
			return 'e'
		case ok:
			return 'm'
		}
		return 'n'
	}
	for n := range d.flows {
		facts := &filter.Facts{Index: int64(n)}
		out[0].WriteByte(letter(f.Match(d.flows[n], facts)))
		out[1].WriteByte(letter(f.MatchState(d.states[n], facts)))
	}
	return [2]string{out[0].String(), out[1].String()}
}

// The lines of filter_match.py, that of the expressions and those of the dumps
// in one.
type matchAnswer struct {
	Version   string
	Pyparsing string
	Invalid   map[int]string

	Flows   int
	Answers []string
	Raised  map[string][][2]int
}

// bodyOps are the operators that look into bodies and messages.
var bodyOps = []string{"~b", "~bq", "~bs"}

// A difference is a known one between mitmproxy 12.2 and filters, which are those
// of mitmproxy 13 and answer where mitmproxy raises an exception. It concerns
// expressions with one of some operators and certain flows.
type difference struct {
	ops    []string
	holds  func(flow.Flow) bool
	raises string // the exception, "" if mitmproxy answers
	reason string
}

var differences = []difference{
	{
		ops: bodyOps, holds: hasROT13, raises: "TypeError",
		reason: "the content encoding rot13 names a Python codec that decodes text",
	},
	{
		ops: bodyOps, holds: isWebSocket, raises: "TypeError",
		reason: "migrating old WebSocket flows leaves text in messages (R19)",
	},
	{
		ops: bodyOps, holds: hasCutZstd,
		reason: "12.2.3 decodes zstd frames that are cut short",
	},
	{
		ops: []string{"~src", "~dst"}, holds: hasShortAddress, raises: "IndexError",
		reason: "an address has a host and no port",
	},
	{
		ops: []string{"~meta"}, holds: wasDuplicated,
		reason: "an entry that migration adds is the last for mitmproxy, and among others the first for flowtool",
	},
}

// messagesWith returns the messages of an HTTP flow that have a content encoding.
// Python overlooks other characters than letters and digits in its name.
func messagesWith(f flow.Flow, encoding string) (list []*flow.HTTPMessage) {
	alphanumeric := func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}
	h, ok := f.(*flow.HTTP)
	if !ok {
		return nil
	}
	add := func(m *flow.HTTPMessage) {
		if strings.EqualFold(strings.Map(alphanumeric, m.Headers.Get("content-encoding")), encoding) {
			list = append(list, m)
		}
	}
	add(&h.Request().HTTPMessage)
	if r := h.Response(); r != nil {
		add(&r.HTTPMessage)
	}
	return list
}

func hasROT13(f flow.Flow) bool { return len(messagesWith(f, "rot13")) > 0 }

func hasCutZstd(f flow.Flow) bool {
	return slices.ContainsFunc(messagesWith(f, "zstd"), func(m *flow.HTTPMessage) bool {
		_, err := m.Content(0)
		return errors.Is(err, io.ErrUnexpectedEOF)
	})
}

func isWebSocket(f flow.Flow) bool {
	h, ok := f.(*flow.HTTP)
	return ok && h.WebSocket() != nil
}

func hasShortAddress(f flow.Flow) bool {
	client, err := f.State().Map("client_conn")
	if err != nil {
		return false
	}
	peer, err := client.List("peername")
	return err == nil && peer.Len() == 1
}

func wasDuplicated(f flow.Flow) bool {
	_, ok := f.MetadataValue("duplicated")
	return ok && f.Metadata().Len() > 1
}

// excuse returns the known difference that explains why mitmproxy says otherwise
// about flow n, or nil.
func (d *dump) excuse(n int, expr *filter.Expr, raised string) *difference {
	for i := range differences {
		x := &differences[i]
		if x.raises == raised && x.holds(d.flows[n]) && uses(expr, x.ops) {
			return x
		}
	}
	return nil
}

// uses tells whether one of ops is in an expression.
func uses(expr *filter.Expr, ops []string) bool {
	found := false
	filter.Walk(expr.Root, func(n filter.Node) bool {
		op, ok := n.(*filter.Op)
		found = found || ok && slices.Contains(ops, op.Operator.String())
		return true
	})
	return found
}

// refused are dumps that mitmproxy reads no flow of, though flowtool does.
var refused = map[string]string{
	"dumpfile-010.mitm": "format 0.10 is refused (R26)",
}

// compareMatches lets mitmproxy and filters look at all dumps with random
// expressions.
func compareMatches(t *testing.T, seed uint64, count int, caseSensitive bool) {
	python := flowtest.Oracle(t)
	files := flowtest.Dumps(t)
	dumps := make([]*dump, len(files))
	for i, file := range files {
		dumps[i] = readDump(t, file)
	}
	g := newGenerator(seed, dumps)
	mutated := filepath.Join(t.TempDir(), "mutated.mitm")
	g.mutate(t, dumps, 300, mutated)
	files, dumps = append(files, mutated), append(dumps, readDump(t, mutated))
	texts := make([]string, 0, count)
	for seen := map[string]bool{}; len(texts) < count; {
		if text := g.expression(); !seen[text] {
			seen[text] = true
			texts = append(texts, text)
		}
	}
	data, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "expressions.json")
	if err := os.WriteFile(list, data, 0o600); err != nil {
		t.Fatal(err)
	}
	answers := flowtest.RunOracle[matchAnswer](t, python, "filter_match.py", append([]string{list}, files...))
	about, answers := answers[0], answers[1:]

	for i, d := range dumps {
		if theirs := answers[i].Flows; theirs != len(d.flows) && (theirs > 0 || refused[d.name] == "") {
			t.Fatalf("%s: mitmproxy reads %d flows, flowtool %d", d.name, theirs, len(d.flows))
		}
	}
	opts := &filter.Options{Mitmproxy: true, CaseSensitive: caseSensitive, Timeout: 10 * time.Second}
	var compared, matched, timeouts, valid, selective int
	excused := map[*difference]int{}
	for e, text := range texts {
		expr, err := filter.Parse(text, opts)
		if theirs, invalid := about.Invalid[e]; invalid || err != nil {
			if invalid != (err != nil) {
				t.Errorf("%q: %v, but mitmproxy says %q", text, err, theirs)
			}
			continue
		}
		valid++
		f := filter.Compile(expr)
		some, others := false, false
		for i, d := range dumps {
			theirs := answers[i].Answers[e]
			ours := d.letters(f)
			for n := range theirs {
				compared++
				switch theirs[n] {
				case 't':
					timeouts++
					continue
				case 'm':
					matched++
					some = true
				case 'n':
					others = true
				}
				if ours[0][n] == theirs[n] && ours[1][n] == theirs[n] {
					continue
				}
				raised := ""
				if theirs[n] == 'x' {
					raised = answers[i].exception(e, n)
				}
				if x := d.excuse(n, expr, raised); x != nil && ours[0][n] == ours[1][n] && ours[0][n] != 'e' {
					excused[x]++
					continue
				}
				_, err := f.Match(d.flows[n], nil)
				t.Errorf("%q, %s flow %d: %c for the flow and %c for the record (%v), mitmproxy says %c %s",
					text, d.name, n, ours[0][n], ours[1][n], err, theirs[n], raised)
			}
		}
		if some && others {
			selective++
		}
	}
	t.Logf("mitmproxy %s, seed %d: %d expressions, %d valid, %d match some flows and not all; %d answers compared, %d of them matches; %d timeouts",
		about.Version, seed, len(texts), valid, selective, compared, matched, timeouts)
	for x, n := range excused {
		t.Logf("%d answers differ: %s", n, x.reason)
	}
	if valid < count*9/10 || selective < valid/4 {
		t.Error("too few of the expressions say anything")
	}
	if timeouts > compared/1000 {
		t.Error("too many of mitmproxy's answers took too long")
	}
}

// exception returns the class of what mitmproxy raised.
func (a *matchAnswer) exception(expr, n int) string {
	for class, list := range a.Raised {
		if slices.Contains(list, [2]int{expr, n}) {
			return class
		}
	}
	return ""
}

// seed returns the seed of random expressions, which FLOWTOOL_SEED can change.
func seed(t testing.TB) uint64 {
	text := cmp.Or(os.Getenv("FLOWTOOL_SEED"), "1")
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("FLOWTOOL_SEED: %v", err)
	}
	return n
}

// TestMatchMitmproxy compares what random expressions match, in all dumps.
func TestMatchMitmproxy(t *testing.T) {
	t.Run("ignoring case", func(t *testing.T) {
		compareMatches(t, seed(t), 2800, false)
	})
	t.Run("case-sensitive", func(t *testing.T) {
		t.Setenv("MITMPROXY_CASE_SENSITIVE_FILTERS", "1")
		compareMatches(t, seed(t)+1_000_000, 500, true)
	})
}

// A subjectKind is a kind of texts that operators search.
type subjectKind int

const (
	hosts subjectKind = iota
	urls
	methods
	headers
	contentTypes
	bodies
	addresses
	metadata
	comments
	markers
	subjectKinds
)

// regexOps are the operators of mitmproxy that take a regular expression, with
// what they search.
var regexOps = []struct {
	op    string
	kind  subjectKind
	bytes bool
}{
	{"", urls, false}, {"~u", urls, false}, {"~d", hosts, false}, {"~m", methods, true},
	{"~h", headers, true}, {"~hq", headers, true}, {"~hs", headers, true},
	{"~t", contentTypes, true}, {"~tq", contentTypes, true}, {"~ts", contentTypes, true},
	{"~b", bodies, true}, {"~bq", bodies, true}, {"~bs", bodies, true},
	{"~src", addresses, false}, {"~dst", addresses, false},
	{"~meta", metadata, false}, {"~comment", comments, false}, {"~marker", markers, false},
}

// A generator makes random expressions about flows.
type generator struct {
	*rand.Rand
	texts [subjectKinds][]string
	codes []string
	plain []string // operators without an argument
	// loops is how many quantifiers without a limit the regular expression at
	// hand may still have; with several, Python's time grows like a power of
	// the length of the text.
	loops int
}

func newGenerator(seed uint64, dumps []*dump) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 42))}
	for _, op := range filter.Operators() {
		if !op.Ours && op.Arg == filter.NoArg {
			g.plain = append(g.plain, op.String())
		}
	}
	codes := map[string]bool{"0": true, "20": true, "0200": true}
	var texts [subjectKinds]map[string]bool
	for k := range texts {
		texts[k] = map[string]bool{}
	}
	for _, d := range dumps {
		for _, f := range d.flows {
			harvest(f, func(kind subjectKind, text string) { texts[kind][text] = true })
			if h, ok := f.(*flow.HTTP); ok && h.Response() != nil {
				codes[strconv.Itoa(h.Response().StatusCode)] = true
			}
		}
	}
	for k := range texts {
		g.texts[k] = slices.Sorted(maps.Keys(texts[k]))
	}
	g.codes = slices.Sorted(maps.Keys(codes))
	return g
}

// harvest adds the texts that operators search in a flow, or parts of them.
func harvest(f flow.Flow, add func(subjectKind, string)) {
	add(comments, f.Comment())
	add(markers, f.Marked())
	for k, v := range f.Metadata().All() {
		key, _ := k.Text()
		add(metadata, key+": "+v.String())
	}
	for _, a := range []*flow.Address{f.ClientConn().Peername, f.ServerConn().Address} {
		if a != nil {
			add(addresses, a.Host+":"+strconv.Itoa(a.Port))
		}
	}
	body := func(b []byte, _ error) {
		const most, piece = 4 << 10, 64
		for b = b[:min(len(b), most)]; len(b) > 0; b = b[min(len(b), piece):] {
			add(bodies, string(b[:min(len(b), piece)]))
		}
	}
	messages := func(list []flow.Message) {
		for i := range list {
			body(list[i].Content.Bytes())
		}
	}
	switch f := f.(type) {
	case *flow.HTTP:
		r := f.Request()
		add(hosts, r.Host)
		add(hosts, r.PrettyHost())
		add(urls, r.PrettyURL())
		add(methods, r.Method)
		message := func(m *flow.HTTPMessage) {
			for _, h := range m.Headers.All() {
				add(headers, h.Name+": "+h.Value)
			}
			for v := range m.Headers.Values("content-type") {
				add(contentTypes, v)
			}
			body(m.Content(1 << 20))
			body(m.Body.Bytes())
		}
		message(&r.HTTPMessage)
		if f.Response() != nil {
			message(&f.Response().HTTPMessage)
		}
		if ws := f.WebSocket(); ws != nil {
			for i := range ws.Messages {
				body(ws.Messages[i].Content.Bytes())
			}
		}
	case *flow.TCP:
		messages(f.Messages())
	case *flow.UDP:
		messages(f.Messages())
	case *flow.DNS:
		for _, m := range []*flow.DNSMessage{f.Request(), f.Response()} {
			if m == nil {
				continue
			}
			for _, q := range m.Questions {
				add(urls, q.Name)
				body([]byte(q.Name), nil)
			}
			for i := range m.Answers {
				body([]byte(m.Answers[i].Text()), nil)
			}
		}
	}
}

// mutate writes a dump of flows in which a few values are others.
func (g *generator) mutate(t *testing.T, dumps []*dump, count int, name string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := dumpfile.NewWriter(file)
	for count > 0 {
		d := pick(g, dumps...)
		if len(d.flows) == 0 {
			continue
		}
		m := pick(g, d.flows...).GetState()
		m.Set("backup", state.Null())
		list := slices.DeleteFunc(places(m), func(p place) bool { return !searched(p.path) })
		for range 1 + g.IntN(4) {
			p := pick(g, list...)
			p.set(g.value(p.value))
		}
		// What is valid for flowtool can be read by mitmproxy.
		if _, err := flow.FromState(m.Clone()); err != nil {
			continue
		}
		if err := w.WriteState(m); err != nil {
			t.Fatal(err)
		}
		count--
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// searched tells whether a filter of mitmproxy may look at a place.
func searched(path state.Path) bool {
	p := string(path)
	switch top, below, _ := strings.Cut(p[1:], "/"); top {
	case "request", "response", "websocket", "messages":
		return !strings.Contains(below, "timestamp") && !strings.HasPrefix(below, "trailers")
	case "client_conn":
		return strings.HasPrefix(below, "peername")
	case "server_conn":
		return strings.HasPrefix(below, "address")
	case "metadata", "comment", "marked", "is_replay", "error":
		return true
	}
	return false
}

// value returns a value that may stand in the place of v.
func (g *generator) value(v state.Value) state.Value {
	switch v.Kind() {
	case state.KindInt:
		return state.Int(pick[int64](g, 0, 1, 2, 5, 12, 16, 28, 65, 80, 200, 443, 65535, 70000, -1))
	case state.KindBytes:
		b, _ := v.Bytes()
		return state.Bytes(g.edit(string(b), true))
	case state.KindText:
		s, _ := v.Text()
		return state.TextBytes(g.edit(s, false))
	case state.KindList:
		elems, _ := v.Elements(nil)
		switch elems = slices.Clone(elems); {
		case len(elems) == 0 || g.chance(20):
			return state.NewList().Value()
		case g.chance(50):
			elems = append(elems, pick(g, elems...))
		default:
			i := g.IntN(len(elems))
			elems = slices.Delete(elems, i, i+1)
		}
		return state.NewList(elems...).Value()
	}
	return pick(g, v, v, state.Null(), state.Float(1.5), state.Bool(true))
}

// edit returns a text with something else in it.
func (g *generator) edit(s string, onBytes bool) []byte {
	b := []byte(s)
	if g.chance(10) {
		b = nil
	}
	i := g.IntN(len(b) + 1)
	j := min(len(b), i+pick(g, 0, 0, 1, 3, 20))
	with := pick(g, "", "é", "ß", "İ", ":", ":80", ":443", ":8080", ":0", ":99999", "[::1]", "[", "xn--", "xn--mnchen-3ya", "münchen",
		".", "..", "\r\n", "\n", " ", "\t", "a", "A", "127.0.0.1", "2001:db8::1", ",", ", ", "*", "/", "?x=1", "connect", "CONNECT",
		"gzip", "br", "HTTP/2.0", "https", "http", "image/", "\x00", "'", `"`, `\`, "\x7f", "\u200b", "k", "ſ", "٣", "Host", "content-type")
	if onBytes && g.chance(15) {
		with = pick(g, "\xff", "\xc3", "\xa9", "\x80\x80", "\xed\xb3\xbf")
	}
	b = slices.Concat(b[:i], []byte(with), b[j:])
	if !onBytes && !utf8.Valid(b) {
		return []byte(s)
	}
	return b
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// chance is true in a number of percent of all cases.
func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// expression returns an expression of one to five operators.
func (g *generator) expression() string {
	leaves := pick(g, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5)
	if leaves == 1 && g.chance(95) {
		return g.space() + g.regexOp() + g.space()
	}
	items := g.split(leaves)
	parts := make([]string, len(items))
	for i, n := range items {
		parts[i] = g.joined(n, 2)
	}
	return strings.Join(parts, pick(g, " ", " ", "  ", "\n", "\t"))
}

// split divides n into a few numbers.
func (g *generator) split(n int) (list []int) {
	for n > 0 {
		k := 1 + g.IntN(n)
		list, n = append(list, k), n-k
	}
	return list
}

// joined returns n operators joined by & and |. depth is how deep parentheses
// may nest: mitmproxy's time grows exponentially with it.
func (g *generator) joined(n, depth int) string {
	if n == 1 {
		not := ""
		if g.chance(20) {
			not = pick(g, "!", "! ", "!!")
		}
		if g.chance(60) {
			return not + g.regexOp()
		}
		return not + g.plainOp()
	}
	k := 1 + g.IntN(n-1)
	left, right := g.operand(k, depth), g.operand(n-k, depth)
	return left + " " + pick(g, "&", "|") + g.space() + right
}

func (g *generator) operand(n, depth int) string {
	if depth > 0 && g.chance(25) {
		return pick(g, "", "", "!") + "(" + g.space() + g.joined(n, depth-1) + " )"
	}
	return g.joined(n, depth)
}

func (g *generator) space() string { return pick(g, "", "", " ", "  ", "\n") }

func (g *generator) plainOp() string {
	if g.chance(20) {
		return "~c " + pick(g, g.codes...)
	}
	return pick(g, g.plain...)
}

func (g *generator) regexOp() string {
	op := pick(g, regexOps...)
	kind := op.kind
	if g.chance(8) {
		kind = subjectKind(g.IntN(int(subjectKinds)))
	}
	arg := g.quoted(g.regex(kind, op.kind, op.bytes))
	if op.op == "" {
		return arg
	}
	return op.op + pick(g, " ", " ", "  ", "\n") + arg
}

// quoted returns a regular expression as a word if that is possible.
func (g *generator) quoted(re string) string {
	special := func(r rune) bool { return strings.ContainsRune("()~'\" \n\r\t", r) }
	if re != "" && !strings.ContainsFunc(re, special) && g.chance(70) {
		return re
	}
	quote := pick(g, `"`, `'`)
	return quote + strings.NewReplacer(`\`, `\\`, quote, `\`+quote, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(re) + quote
}

// regex returns a regular expression made of one of the texts of a kind, to be
// searched in texts of another or the same kind.
func (g *generator) regex(from, in subjectKind, onBytes bool) string {
	if g.loops = 2; in == bodies || in == headers {
		g.loops = 0 // some are long
	}
	if g.chance(3) {
		return pick(g, "", "^$", "^", "$", ".", `\A\Z`, `^.{3}$`, `\S`, `^\s*$`, "[^a-z]", `\W\w`, `$\n`, `\r$`, "(?m)^$", `\b`, `\B`, "(?s)^.{0,40}$", "|x", "()", "(?!)")
	}
	re := g.sequence(from, onBytes)
	other := func() string { return g.sequence(from, onBytes) }
	switch g.IntN(30) {
	case 0:
		re += "|" + other()
	case 1:
		re = "(" + re + "|" + other() + ")"
	case 2:
		re = "(?:" + other() + "|" + re + "|" + other() + ")" + g.unit(from, onBytes)
	case 3:
		re += pick(g, "(?=", "(?!") + g.unit(from, onBytes) + ")"
	case 4:
		re = pick(g, "(?=.{0,9}", "(?!.{0,9}") + g.unit(from, onBytes) + ")" + re
	case 5:
		re = pick(g, "(?<=", "(?<!") + pick(g, `\w`, ".", "[a-z]", `\W.`, "/", "ab|c.") + ")" + re
	case 6:
		re += pick(g, `(.)\1`, `(\w)\w\1`, `(?P<q>["'=/.]).{0,12}?(?P=q)`, `.?(..).{0,5}\1`, `(a|e|o)[^ ]?\1`)
	case 7:
		re = pick(g, "(?s)", "(?m)", "(?i)", "(?ms)", "(?a)", "(?im)") + re
	case 8:
		re = pick(g, "(?i:", "(?-i:", "(?s:", "(?s-i:", "(?m:", "(?>") + re + ")"
	case 9:
		re = "(" + re + ")?" + "(?(1)" + g.unit(from, onBytes) + "|" + other() + ")"
	case 10:
		re = "(?x) " + strings.ReplaceAll(re, " ", `\ `) + " # comment"
	case 11:
		re = "(" + re + "){1,2}"
	}
	if g.chance(8) {
		re = pick(g, "^", `\A`, "^", `\b`, `\B`) + re
	}
	if g.chance(8) {
		re += pick(g, "$", `\Z`, "$", `\b`, `\B`, `\r?$`)
	}
	return re
}

// sequence returns a regular expression for a part of one of the texts.
func (g *generator) sequence(from subjectKind, onBytes bool) string {
	text := pick(g, g.texts[from]...)
	if len(text) == 0 {
		return pick(g, "", "a", ".")
	}
	begin := g.IntN(len(text))
	if g.chance(25) {
		begin = 0
	}
	text = text[begin:min(len(text), begin+1+g.IntN(10))]
	exact := g.chance(40) // a string, as most people search for one
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && n == 1 || !onBytes && n > 1 && g.chance(20) || onBytes && n > 1 && g.chance(50) {
			n = 1
			if onBytes {
				fmt.Fprintf(&b, `\x%02x`, text[0])
			} else if r == utf8.RuneError {
				fmt.Fprintf(&b, `\udc%02x`, text[0])
			} else {
				n = utf8.RuneLen(r)
				fmt.Fprintf(&b, `\U%08x`, r)
			}
		} else if exact {
			b.WriteString(g.literal(r))
		} else {
			b.WriteString(g.character(r, onBytes))
		}
		text = text[n:]
	}
	return b.String()
}

// unit returns a regular expression for one character or a few.
func (g *generator) unit(from subjectKind, onBytes bool) string {
	if text := pick(g, g.texts[from]...); text != "" && g.chance(70) {
		if r, _ := utf8.DecodeRuneInString(text[g.IntN(len(text)):]); r != utf8.RuneError {
			return g.literal(r)
		}
	}
	return pick(g, ".", `\w`, `\d`, `\s`, "[a-m]", "[^/]", "https?", "x", `\.`)
}

// literal returns a regular expression for r, perhaps in the other case.
func (g *generator) literal(r rune) string {
	if g.chance(8) {
		r = pick(g, unicode.ToUpper(r), unicode.ToLower(r), unicode.SimpleFold(r))
	}
	switch {
	case r == '\n':
		return pick(g, `\n`, `\x0a`, `\012`)
	case r < ' ' || r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r)
	case strings.ContainsRune(`\.+*?()|[]{}^$`, r):
		return `\` + string(r)
	case strings.ContainsRune(`/-_:,;=&#"' `, r) && g.chance(20):
		return `\` + string(r)
	}
	return string(r)
}

// character returns a regular expression that r matches, or nearly, perhaps
// with a quantifier.
func (g *generator) character(r rune, onBytes bool) string {
	re := g.literal(r)
	class := strings.Trim(re, "^]") != "" && len(re) <= 4
	switch g.IntN(20) {
	case 0, 1:
		re = "."
	case 2:
		re = pick(g, `\w`, `\d`, `\s`, `\S`, `\W`, `\D`)
	case 3:
		if class {
			re = "[" + re + "]"
		}
	case 4:
		if class {
			re = "[" + pick(g, "a-f", "0-9", `\d`, `\w`, "A-Z_", `\s`, "k", "é") + re + "]"
		}
	case 5:
		re = "[^" + pick(g, "x", "a-f", `\d`, `\s`, "/:", "s", "é", `\w`) + "]"
	case 6:
		re = "(" + re + ")"
	}
	if onBytes && len(re) > 1 && re[0] >= utf8.RuneSelf || !g.chance(15) {
		return re // a quantifier would apply to its last byte
	}
	switch quantifier := pick(g, "?", "+", "*", "{1,2}", "{0,3}", "{1}", "{,2}", "+?", "??", "{2,}", "++", "?+"); {
	case !strings.ContainsAny(quantifier, "+*") && quantifier != "{2,}":
		return re + quantifier
	case g.loops > 0:
		g.loops--
		return re + quantifier
	}
	return re + "{0,4}"
}
