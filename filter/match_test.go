package filter_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// readFlows returns the flows of a dump.
func readFlows(t testing.TB, path string) []flow.Flow {
	t.Helper()
	var flows []flow.Flow
	r := dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, path)), nil)
	for f, err := range r.Flows() {
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f)
	}
	return flows
}

// matches returns the numbers of the flows that a filter matches.
func matches(t testing.TB, f *filter.Filter, flows []flow.Flow) []int {
	t.Helper()
	out := []int{}
	for i, fl := range flows {
		ok, err := f.Match(fl, &filter.Facts{Index: int64(i)})
		if err != nil {
			t.Errorf("flow %d: %v", i, err)
		}
		if ok {
			out = append(out, i)
		}
	}
	return out
}

// TestVectors: the flows that mitmproxy matches are those that are matched.
func TestVectors(t *testing.T) {
	flows := readFlows(t, flowtest.Path("filter", "corpus-a.mitm"))
	for name, opts := range map[string]filter.Options{
		"vectors-a.jsonl":               {},
		"vectors-a-casesensitive.jsonl": {CaseSensitive: true},
	} {
		t.Run(name, func(t *testing.T) {
			lines := bufio.NewScanner(bytes.NewReader(flowtest.Read(t, flowtest.Path("filter", name))))
			lines.Buffer(nil, 1<<20)
			n := 0
			for line := 1; lines.Scan(); line++ {
				var v struct {
					Expr  string
					Match []int
					Error bool
				}
				if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
					t.Fatal(err)
				}
				if v.Error {
					continue
				}
				for _, mitmproxy := range []bool{false, true} {
					opts.Mitmproxy = mitmproxy
					expr, err := filter.Parse(v.Expr, &opts)
					if err != nil {
						t.Errorf("line %d, %q: %v", line, v.Expr, err)
						continue
					}
					n++
					if got := matches(t, filter.Compile(expr), flows); !slices.Equal(got, v.Match) {
						t.Errorf("line %d, %q: matches %v, want %v", line, v.Expr, got, v.Match)
					}
				}
			}
			if n < 200 {
				t.Errorf("only %d expressions", n)
			}
		})
	}
}

// pickedOf looks up keys in a flow, also in the map in it if inner is true and there is one.
// It returns nil if the flow is malformed.
func pickedOf(v *state.Value, keys *state.Keys, inner bool) *state.Picked {
	p := &state.Picked{Values: make([]state.Value, len(keys.Keys))}
	if v.Pick(keys.Keys, p.Values) != nil {
		return nil
	}
	if len(keys.InnerKeys) > 0 && inner {
		in := &p.Values[keys.Inner]
		vals := make([]state.Value, len(keys.InnerKeys))
		if in.Kind() == state.KindMap && !in.IsEmpty() && in.Pick(keys.InnerKeys, vals) == nil {
			p.Inner = vals
		}
	}
	return p
}

// TestKeys: what a filter looks at first is known beforehand.
func TestKeys(t *testing.T) {
	for expr, want := range map[string]string{
		"~d x":                  "request: host authority http_version headers",
		"~c 200":                "response: status_code",
		"!~m GET":               "request: method",
		"~bs x | ~u y":          "request: ",
		"~u x & ~bs y":          "request: ",
		"~c 200 & ~d x":         "response: status_code",
		"~http":                 "",
		"~marked & ~d x":        "",
		"~src 127":              "client_conn: peername",
		"~all":                  "",
		"~comment a | ~meta b":  "",
		"~tlsv 1.2 & ~status 5": "client_conn: tls_version",
	} {
		k := compile(t, expr, nil).Keys()
		got := ""
		if len(k.InnerKeys) > 0 {
			got = k.Keys[k.Inner] + ": " + strings.Join(k.InnerKeys, " ")
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s looks at %q first, want %q", expr, got, want)
		}
	}
}

// TestEveryOperatorHasAMatcher compiles an example of every operator, looks at
// all kinds of flows with it, and does the same with the flows as they are in
// the file.
func TestEveryOperatorHasAMatcher(t *testing.T) {
	flows := readFlows(t, flowtest.Path("filter", "corpus-a.mitm"))
	data := flowtest.Read(t, flowtest.Path("filter", "corpus-a.mitm"))
	for _, op := range filter.Operators() {
		expr, err := filter.Parse(op.Example, nil)
		if err != nil {
			t.Errorf("%s: %v", op.Code, err)
			continue
		}
		f := filter.Compile(expr)
		want := matches(t, f, flows)
		got := []int{}
		for i, v := range values(t, data) {
			ok, err := f.MatchState(&v, &filter.Facts{Index: int64(i)})
			if err != nil {
				t.Errorf("%s, flow %d: %v", op.Code, i, err)
			}
			for _, inner := range []bool{false, true} {
				picked, err := f.MatchPicked(pickedOf(&v, f.Keys(), inner), &filter.Facts{Index: int64(i)})
				if picked != ok || err != nil {
					t.Errorf("%s, flow %d: %v with values that were picked, but %v (%v)", op.Code, i, picked, ok, err)
				}
			}
			if ok {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: matches %v of the records, %v of the flows", op.Code, got, want)
		}
	}
}

// values returns the undecoded states of a dump of the newest version.
func values(t testing.TB, data []byte) []state.Value {
	t.Helper()
	var out []state.Value
	for rec, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Records() {
		if err != nil {
			t.Fatal(err)
		}
		v, err := rec.Value()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, *v)
	}
	return out
}
