package filter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// ourExamples are filters with operators that mitmproxy does not have, for
// expressions that the vectors do not have.
var ourExamples = []string{
	"~size >1k | ~sizeq 0 | ~sizes 1..", "~dur <1s | ~dur >1h", "~time 2020.. & !~time 2025", "~time start.. | ~time end",
	"~hn server=a | ~hnq host | ~hns 'x=(.)\\\\1'", "~enc gzip | ~encq . | ~encs ^$", "~httpv 2 | ~tlsv 1.3 | ~formatv 21",
	"~port 443,80 | ~sni a | ~errmsg . | ~edited", "~id 0,a | ~index 0 | ~status 2xx,404",
}

// matchSeeds returns the expressions of the vectors, and records of all types.
func matchSeeds(t testing.TB) (texts []string, records [][]byte) {
	t.Helper()
	for dec := json.NewDecoder(bytes.NewReader(flowtest.Read(t, flowtest.Path("filter", "vectors-a.jsonl")))); dec.More(); {
		var v struct{ Expr string }
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, v.Expr)
	}
	texts = append(texts, ourExamples...)
	for _, name := range []string{
		flowtest.Path("filter", "corpus-a.mitm"), flowtest.Path("har", "corpus.mitm"), flowtest.Path("har", "other.mitm"),
		flowtest.Path("real", "edited-v21.mitm"), flowtest.Path("real", "tcp.mitm"),
	} {
		for rec, err := range dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, name)), nil).Records() {
			if err != nil {
				t.Fatal(err)
			}
			data, err := rec.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if len(data) < 8<<10 {
				records = append(records, data)
			}
		}
	}
	if len(texts) < 500 || len(records) < 100 {
		t.Fatalf("only %d expressions and %d records", len(texts), len(records))
	}
	return texts, records
}

// FuzzMatch looks at any record with any filter. It must not panic or take long,
// and the answer must not depend on how much of the record was decoded before.
func FuzzMatch(f *testing.F) {
	texts, records := matchSeeds(f)
	for i := range max(len(texts), len(records)) {
		f.Add(texts[i%len(texts)], records[i%len(records)])
	}
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		if len(text) > 500 || len(data) > 64<<10 {
			return
		}
		expr, err := filter.Parse(text, &filter.Options{Timeout: 50 * time.Millisecond, Location: time.UTC})
		if err != nil {
			return
		}
		m := filter.Compile(expr)
		m.MaxBody = 1 << 20
		checkRecord(t, m, data)
	})
}

// TestMatchMutated does the same with records that are well-formed, but in which
// some values were replaced by those at other places.
func TestMatchMutated(t *testing.T) {
	texts, records := matchSeeds(t)
	rnd := rand.New(rand.NewPCG(seed(t), 3))
	var fs []*filter.Filter
	for _, text := range texts {
		if expr, err := filter.Parse(text, &filter.Options{Location: time.UTC}); err == nil {
			fs = append(fs, filter.Compile(expr))
		}
	}
	for _, op := range filter.Operators() {
		for range 20 { // as often as others
			fs = append(fs, compile(t, op.Example, &filter.Options{Location: time.UTC}))
		}
	}
	random := func() *state.Map {
		m, err := onlyValue(t, records[rnd.IntN(len(records))]).Map()
		if err != nil {
			t.Fatal(err)
		}
		return m.Clone()
	}
	// Most places lie in certificates and connections, which few filters look at.
	anywhere := func(m *state.Map) place {
		list := places(m)
		for {
			p := list[rnd.IntN(len(list))]
			if depth := strings.Count(string(p.path), "/"); depth < 2 || rnd.IntN(2) == 0 {
				return p
			}
		}
	}
	valid, repairable, failed := 0, 0, 0
	rounds := 1000
	if raceEnabled {
		rounds /= 10
	}
	for range rounds {
		m := random()
		for range 1 + rnd.IntN(2) {
			p := anywhere(m)
			switch {
			case rnd.IntN(4) > 0:
				p.set(anywhere(random()).value)
			case p.remove != nil:
				p.remove()
			default:
				p.set(state.Null())
			}
		}
		data, err := tnetstring.Append(nil, m.Value())
		if err != nil {
			continue // a list as the key of a map
		}
		for range 20 {
			switch checkRecord(t, fs[rnd.IntN(len(fs))], data) {
			case isValid:
				valid++
			case isRepairable:
				repairable++
			case isDamaged:
				failed++
			}
		}
		if t.Failed() {
			t.Fatalf("%s", data)
		}
	}
	t.Logf("%d answers for valid flows, %d for those that can be repaired, %d for others", valid, repairable, failed)
}

// A condition is how a record can be read as a flow.
type condition int

const (
	isDamaged condition = iota
	isRepairable
	isValid
)

// checkRecord asks a filter about a record in several ways.
func checkRecord(t *testing.T, m *filter.Filter, data []byte) condition {
	text := m.Expr().String()
	record := func() *dumpfile.Record {
		rec, err := dumpfile.NewReader(struct{ io.Reader }{bytes.NewReader(data)}, nil).ReadRecord()
		if err != nil {
			return nil
		}
		return rec
	}
	rec := record()
	if rec == nil {
		return isDamaged
	}
	v, err := rec.Value()
	if err != nil {
		return isDamaged
	}
	facts := &filter.Facts{Index: 1, First: 1, Last: 2}
	begin := time.Now()
	ok, err := m.MatchState(v, facts)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("%q takes %v", text, took)
	}
	check := func(how string, again bool, errAgain error) {
		if isLimit(err) || isLimit(errAgain) {
			return // what runs out of time once need not do so again
		}
		if ok != again || (err == nil) != (errAgain == nil) {
			t.Errorf("%q, %s: %v, %v; before: %v, %v", text, how, again, errAgain, ok, err)
		}
	}
	if _, isPath := errors.AsType[*state.PathError](err); err != nil && !isLimit(err) && !isPath {
		t.Errorf("%q: the error has no path: %v", text, err)
	}
	again, errAgain := m.MatchState(v, facts)
	check("again", again, errAgain)
	for _, inner := range []bool{false, true} {
		if p := pickedOf(v, m.Keys(), inner); p != nil {
			again, errAgain = m.MatchPicked(p, facts)
			check("picked", again, errAgain)
		}
	}
	not := filter.Compile(&filter.Expr{Root: &filter.Not{Node: m.Expr().Root}})
	not.MaxBody = m.MaxBody
	again, errAgain = not.MatchState(v, facts)
	check("negated", !again && errAgain == nil, errAgain)

	s, errState := record().State()
	if errState != nil {
		return isDamaged
	}
	if decoded := state.Clone(s.Value()); state.Validate(decoded) == nil {
		again, errAgain = m.MatchState(&decoded, facts)
		check("decoded", again, errAgain)
	}
	// As a flow, if it is one.
	if fl, err := flow.FromState(s); err == nil {
		again, errAgain = m.Match(fl, facts)
		check("as a flow", again, errAgain)
		if errAgain != nil && !isLimit(errAgain) {
			t.Errorf("%q fails for a valid flow: %v", text, errAgain)
		}
		return isValid
	}
	// Or if it can be made one, unless Repair makes up what filters look at.
	notes, errRepair := flow.Repair(s)
	fl, errFlow := flow.FromState(s)
	if errRepair != nil || errFlow != nil {
		return isDamaged
	}
	for _, note := range notes {
		if note.Path == "/id" || note.Path == "/client_conn/peername" || note.Path == "/is_replay" {
			return isRepairable
		}
	}
	if err == nil {
		again, errAgain = m.Match(fl, facts)
		check("repaired", again, errAgain)
	}
	return isRepairable
}

// isLimit tells whether err is about a limit that was exceeded.
func isLimit(err error) bool {
	_, ok := errors.AsType[*filter.MatchError](err)
	return ok
}
