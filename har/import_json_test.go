package har

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
)

// one returns the flow of an entry.
func one(t *testing.T, entry string) (*flow.HTTP, error) {
	t.Helper()
	f, err := NewReader(strings.NewReader(`{"log":{"entries":[`+entry+`]}}`), nil).ReadFlow()
	if err != nil {
		return nil, err
	}
	h := f.(*flow.HTTP)
	if _, err := flow.FromState(h.State()); err != nil {
		t.Fatal(err)
	}
	return h, nil
}

const plainRequest = `"request":{"method":"GET","url":"http://h.example/"}`

// TestManyKeys has so many keys in one object that looking for each among all others
// would take minutes.
func TestManyKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large entries")
	}
	const n = 200_000
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"\u0061%d":%d`, i%(n-1), i) // the last one is the first again
	}
	members := b.String()
	f, err := one(t, "{"+plainRequest+members+"}")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := f.MetadataValue("har.a0"); f.Metadata().Len() != n-1 || v.String() != fmt.Sprint(n-1) {
		t.Errorf("%d keys, of which one is %v", f.Metadata().Len(), v)
	}
	if f, err = one(t, "{"+plainRequest+`,"_x":{`+members[1:]+"}}"); err != nil {
		t.Fatal(err)
	}
	x, _ := f.MetadataValue("har._x")
	m, err := x.Map()
	if err != nil || m.Len() != n-1 {
		t.Fatalf("%v, %v", m.Len(), err)
	}
	if e := m.Entry(0); e.Key.String() != `"a0"` || e.Value.String() != fmt.Sprint(n-1) {
		t.Errorf("first is %v: %v", e.Key, e.Value)
	}
}

// TestTooManyElements: an entry cannot have more elements in a container than a dump.
func TestTooManyElements(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large entries")
	}
	list := func(n int, element string) string { return strings.Repeat(element+",", n-1) + element }
	for in, want := range map[string]string{
		`"_x":[` + list(maxElements+1, "0") + `]`:            "/_x",
		`"_x":[{"y":{` + list(maxElements+1, `"":0`) + `}}]`: "/_x/0/y",
		`"_x":[` + list(maxElements, "0") + `]`:              "",
		`"_x":{` + list(maxElements, `"":0`) + `}`:           "",
		`"_x":[` + list(maxElements/2, "[],0") + `]`:         "",
	} {
		_, err := one(t, "{"+plainRequest+","+in+"}")
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Index != 0 || string(e.Path) != want || !strings.Contains(err.Error(), "too many elements: the limit is 1048576") {
			t.Errorf("%v, want an error at %s", err, want)
		}
	}
}

// TestEscapedKeys looks for keys without keeping what they stand for.
func TestEscapedKeys(t *testing.T) {
	in := `{"\u0072equest":{"meth\u006fd":"GET","\u0075\u0072\u006C":"http://h.example/"},"comm\u0065nt":"one","\u0063omment":"two",` +
		`"\u0063\u006f\u006d\u006d\u0065\u006e\u0074\u0073":"three","` + strings.Repeat(`\n`, 1<<10) + `":1}`
	f, err := one(t, in)
	if err != nil {
		t.Fatal(err)
	}
	if f.Comment() != "two" || f.Metadata().Len() != 2 {
		t.Errorf("comment %q, metadata %v", f.Comment(), f.Metadata())
	}
	var d document
	if err := d.parse([]byte(in), DefaultMaxDepth); err != nil {
		t.Fatal(err.err)
	}
	for range 100 {
		d.get(0, "comment")
	}
	if len(d.plain) > 0 {
		t.Errorf("%d bytes are kept", len(d.plain))
	}
}
