package filter

import (
	"slices"
	"strings"
	"testing"
)

func TestOperators(t *testing.T) {
	all := Operators()
	seen := map[string]bool{}
	ours := false
	for _, o := range all {
		if o.Code == "" || strings.Trim(o.Code, "abcdefghijklmnopqrstuvwxyz") != "" || seen[o.Code] || len(o.Code) > 20 {
			t.Errorf("the code %q is taken, or is no name", o.Code)
		}
		seen[o.Code] = true
		if o.Summary == "" || o.subject == "" || o.dump == "" || o.build == nil || (o.ArgName == "") != (o.Arg == NoArg) {
			t.Errorf("%v lacks something: %+v", &o, o)
		}
		if o.Summary != "" && (strings.HasSuffix(o.Summary, ".") || len(o.Summary) > 70) {
			t.Errorf("%v: %q is not a few words", &o, o.Summary)
		}
		if o.Ours != ours {
			if !o.Ours {
				t.Errorf("%v is among our own operators", &o)
			}
			ours = true
		}
		e, err := Parse(o.Example, nil)
		if err != nil {
			t.Errorf("%v: %v", &o, err)
			continue
		}
		used := false
		Walk(e.Root, func(n Node) bool {
			op, ok := n.(*Op)
			used = used || ok && op.Operator == Lookup(o.Code) && !op.Bare
			return true
		})
		if !used || len(e.Warnings()) > 0 || e.Extended != o.Ours {
			t.Errorf("%v: the example %s is not one of it, extended %v, warnings %+v", &o, o.Example, e.Extended, e.Warnings())
		}
		if o.Arg != NoArg && nouns[o.Arg] == "" {
			t.Errorf("%v: its argument has no name", &o)
		}
	}
	for _, code := range slices.Concat(pegUnary, pegRegex, []string{"c"}) {
		if o := Lookup(code); o == nil || o.Ours {
			t.Errorf("~%s is missing", code)
		}
	}
	if o := Lookup("nope"); o != nil {
		t.Errorf("Lookup finds %v", o)
	}
	all[0].Code = "changed"
	if Operators()[0].Code == "changed" {
		t.Error("the table can be changed")
	}
}

// TestDescription has our own operators; the vectors have those of mitmproxy.
func TestDescription(t *testing.T) {
	for _, test := range []struct{ text, description, dump string }{
		{"~status 4xx", "response status is 4xx", "FStatus4xx\n"},
		{"~size > 10k", "size is >10k", "FSize>10k\n"},
		{"~sizeq 1k-2M", "request size is 1k..2M", "FSizeRequest1k..2M\n"},
		{"~sizes 0", "response size is 0", "FSizeResponse0\n"},
		{"~dur >1s", "duration is >1s", "FDuration>1s\n"},
		{"~time end-1h..", "start time is end-1h..", "FTimeend-1h..\n"},
		{"~id 8D,ab", "id starts with 8d,ab", "FId8d,ab\n"},
		{"~index 0,20-", "flow number is 0,20..", "FIndex0,20..\n"},
		{"~httpv 2", "http version is 2", "FHTTPVersion2\n"},
		{"~tlsv 1.2", "tls version is 1.2", "FTLSVersion1.2\n"},
		{"~formatv 0.18", "format version is 0.18", "FFormatVersion0.18\n"},
		{"!~edited", "not has been edited", "FNot\n\tFEdited\n"},
		{"~enc br", "content encoding matches /br/i", "FContentEncodingbr\n"},
		{"~encq (?s)br", "", ""},
		{"~encq '(?s)br'", "req. content encoding matches /(?s)br/is", "FContentEncodingRequest(?s)br\n"},
		{"~hn Server", "header server is present", "FHeadNamedserver\n"},
		{"~hnq A=b", "req. header a matches /b/i", "FHeadNamedRequesta=b\n"},
		{"~hns A=", "resp. header a matches //i", "FHeadNamedResponsea=\n"},
		{"~port 443", "server port is 443", "FPort443\n"},
		{"(~sni x|y z)", "sni matches /x|y/i and url matches /z/i", "FAnd\n\tFSNIx|y\n\tFUrlz\n"},
		{"~errmsg x | ~e a", "error message matches /x/i or (has error and url matches /a/i)", ""},
	} {
		e, err := Parse(test.text, nil)
		if err != nil {
			if test.description != "" {
				t.Errorf("%s: %v", test.text, err)
			}
			continue
		}
		if got := e.Description(); got != test.description && test.dump != "" {
			t.Errorf("%s: description %q, want %q", test.text, got, test.description)
		}
		if got := e.Dump(); got != test.dump && test.dump != "" {
			t.Errorf("%s: dump %q, want %q", test.text, got, test.dump)
		}
	}
}

func TestWalk(t *testing.T) {
	e, err := Parse("!(a | b) & (c | d)", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	Walk(e.Root, func(n Node) bool {
		got = append(got, show(n))
		not, ok := n.(*Not)
		return !ok || not == nil
	})
	want := []string{show(e.Root), `not(or(~u"a", ~u"b"))`, `or(~u"c", ~u"d")`, `~u"c"`, `~u"d"`}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestUnknownNode gives a node of an unknown type to all that looks at nodes.
func TestUnknownNode(t *testing.T) {
	type other struct{ extent }
	n := &Not{Node: &other{}}
	e := &Expr{Root: n}
	for name, f := range map[string]func(){
		"Walk":        func() { Walk(n, func(Node) bool { return true }) },
		"Equal":       func() { Equal(n, n) },
		"String":      func() { _ = e.String() },
		"Description": func() { e.Description() },
		"Dump":        func() { e.Dump() },
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "filter: unexpected node type") {
					t.Errorf("%s: panics with %q", name, s)
				}
			}()
			f()
		}()
	}
}
