package migrate

import (
	"errors"
	"math"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

func open(t testing.TB, record string) *state.Map {
	t.Helper()
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: []byte(record)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestVersionOf(t *testing.T) {
	for _, c := range []struct {
		name, record string
		want         Version
		err          string
	}{
		{"integer", "15:7:version;2:21#}", Number(21), ""},
		{"oldest integer", "14:7:version;1:4#}", Number(4), ""},
		{"bytes key", "15:7:version,2:14#}", Number(14), ""},
		{"both keys", "30:7:version;2:21#7:version,2:20#}", Number(20), ""},
		{"tuple", "27:7:version;13:1:0#2:18#1:2#]}", Tuple(0, 18), ""},
		{"tuple of two", "21:7:version,8:1:3#1:0#]}", Tuple(3, 0), ""},
		{"floats and bools", "29:7:version;15:5:false!4:10.0^]}", Tuple(0, 10), ""},

		{"missing", "0:}", Version{}, "format version is missing"},
		{"null", "13:7:version;0:~}", Version{}, "null is not a format version"},
		{"float", "17:7:version;4:21.0^}", Version{}, "21.0 is not a format version"},
		{"text", "15:7:version;2:21;}", Version{}, `"21" is not a format version`},
		{"list of one", "17:7:version;4:1:1#]}", Version{}, "list of 1 is not a format version"},
		{"list of text", "21:7:version;8:1:1;1:1;]}", Version{}, `"1" is not a format version`},
		{"malformed", "14:7:version;1:x#}", Version{}, "malformed (malformed integer) is not a format version"},

		{"newer", "15:7:version;2:22#}", Number(22), "format version 22 is newer than 21, the newest this build reads"},
		{"bool", "17:7:version;4:true!}", Number(1), "format version 1 is not one that mitmproxy ever wrote"},
		{"negative", "15:7:version;2:-1#}", Number(-1), "format version -1 is not one that mitmproxy ever wrote"},
		{"tuple instead of integer", "22:7:version;9:2:21#1:0#]}", Tuple(21, 0), "format version 21.0 is not one that mitmproxy ever wrote"},
		{"unknown tuple", "22:7:version;9:1:0#2:20#]}", Tuple(0, 20), "format version 0.20 is not one that mitmproxy ever wrote"},
		{"older", "21:7:version,8:1:0#1:9#]}", Tuple(0, 9), "format version 0.9 is older than 0.10, the oldest this build reads"},
		{"huge", "43:7:version;29:99999999999999999999999999999#}", Number(math.MaxInt32), "format version 99999999999999999999999999999 is newer than 21, the newest this build reads"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := VersionOf(open(t, c.record))
			if v != c.want && (c.name != "huge" || v != Version{}) {
				t.Errorf("version %v, want %v", v, c.want)
			}
			if c.err == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*VersionError](err)
			if !ok || e.Error() != c.err {
				t.Errorf("error %v, want %s", err, c.err)
			}
			if e.Have != c.want {
				t.Errorf("Have is %v, want %v", e.Have, c.want)
			}
		})
	}
}

// The version of each record of a huge file is looked at.
func TestVersionOfAllocates(t *testing.T) {
	m := open(t, "43:7:garbage;14:no list at all]7:version;2:21#}")
	if n := testing.AllocsPerRun(100, func() {
		if v, err := VersionOf(m); v != Newest || err != nil {
			t.Fatal(v, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParseVersion(t *testing.T) {
	for _, r := range releases {
		v, err := ParseVersion(r.version.String())
		if v != r.version || err != nil {
			t.Errorf("%s: %v, %v", r.version, v, err)
		}
	}
	for in, want := range map[string]string{
		"":       `"" is not a format version`,
		"v21":    `"v21" is not a format version`,
		"0.18.2": `"0.18.2" is not a format version`,
		"-4":     `"-4" is not a format version`,
		"0.":     `"0." is not a format version`,
		"22":     "format version 22 is newer than 21, the newest this build reads",
		"3":      "format version 3 is not one that mitmproxy ever wrote",
		"0.9":    "format version 0.9 is older than 0.10, the oldest this build reads",
	} {
		_, err := ParseVersion(in)
		if _, ok := errors.AsType[*VersionError](err); !ok || err.Error() != want {
			t.Errorf("%q: error %v, want %s", in, err, want)
		}
	}
}

func TestCompare(t *testing.T) {
	for i, a := range releases {
		for j, b := range releases {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.version.Compare(b.version); got != want {
				t.Errorf("%s and %s: %d, want %d", a.version, b.version, got, want)
			}
		}
	}
}

// oneWay are the steps that do something in one direction only.
var oneWay = map[Version]string{
	Tuple(0, 10): "nothing goes down to 0.10",
	Tuple(0, 19): "text stays text until there is none, in 0.17",
	Tuple(1, 0):  "WebSocket flows came with 2.0, and flows of 1.0 are flows of 2.0",
}

// Every version must have its row, its step, and a layout if it is a target.
func TestChain(t *testing.T) {
	if steps[0].From != Oldest || steps[len(steps)-1].To != Newest {
		t.Errorf("the chain goes from %s to %s", steps[0].From, steps[len(steps)-1].To)
	}
	for i, st := range steps {
		if i > 0 && steps[i-1].To != st.From {
			t.Errorf("gap between %s and %s", steps[i-1].To, st.From)
		}
		if st.From.Compare(st.To) >= 0 {
			t.Errorf("step from %s to %s does not go up", st.From, st.To)
		}
		if both := (st.Up == nil) == (st.Down == nil); both != (oneWay[st.From] == "") {
			t.Errorf("step from %s to %s: up %t, down %t", st.From, st.To, st.Up != nil, st.Down != nil)
		}
		if CheckTarget(st.To) != nil || len(layoutOf(st.To)) == 0 {
			t.Errorf("%s is no target", st.To)
		}
		if releases[i].version != st.From {
			t.Errorf("row %d of releases is %s, want %s", i, releases[i].version, st.From)
		}
	}
	for n := 4; n < Newest.major; n++ {
		if len(steps) < n || steps[len(steps)-(Newest.major-n)].From != Number(n) {
			t.Errorf("no step from %d", n)
		}
	}
	if len(releases) != len(steps)+1 {
		t.Errorf("%d rows of releases for %d steps", len(releases), len(steps))
	}
	for _, r := range releases {
		if r.version.WrittenBy() == "" || r.version.ReadBy() == "" {
			t.Errorf("%s: no releases", r.version)
		}
		if _, err := ParseVersion(r.version.String()); err != nil {
			t.Error(err)
		}
	}
	if s := Number(22).WrittenBy() + Number(22).ReadBy(); s != "" {
		t.Errorf("version 22: %q", s)
	}
}
