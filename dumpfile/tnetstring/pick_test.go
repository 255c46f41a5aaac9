package tnetstring_test

import (
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

func open(t *testing.T, data string, c tnetstring.Codec) state.Value {
	t.Helper()
	v, err := state.Open(&state.Source{Codec: c, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPick: picking gives what the map has, however the map is written and
// whatever was done with it.
func TestPick(t *testing.T) {
	keys := []string{"a", "b", "missing", "c", "long", "d"}
	for _, test := range []struct{ name, data string }{
		{"in order", "32:1:d;1:4#1:c;1:3#1:b;1:2#1:a;1:1#}"},
		{"reverse", "32:1:a;1:1#1:b;1:2#1:c;1:3#1:d;1:4#}"},
		{"others between", "40:1:x;0:~1:d;1:4#2:yy;2:ab,1:a;1:1#1:z;0:]}"},
		{"twice, the last counts", "24:1:a;1:1#1:b;1:2#1:a;1:3#}"},
		{"bytes keys are others", "16:1:a,1:1#1:a;1:2#}"},
		{"odd length", "17:01:a;1:1#1:b;1:2#}"},
		{"containers", "26:1:a;4:1:1#]1:b;8:1:k;1:v;}}"},
		{"empty", "0:}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			untouched := open(t, test.data, tnetstring.Codec{})
			opened := open(t, test.data, tnetstring.Codec{})
			m, err := opened.Map()
			if err != nil {
				t.Fatal(err)
			}
			edited := open(t, test.data, tnetstring.Codec{})
			e, err := edited.Map()
			if err != nil {
				t.Fatal(err)
			}
			e.Set("d", state.Text("new"))
			for _, v := range []struct {
				name string
				v    state.Value
				want *state.Map
			}{{"untouched", untouched, m}, {"opened", opened, m}, {"edited", edited, e}} {
				dst := make([]state.Value, len(keys))
				for i := range dst {
					dst[i] = state.Text("left over")
				}
				if err := v.v.Pick(keys, dst); err != nil {
					t.Fatal(err)
				}
				for i, key := range keys {
					want, _ := v.want.Get(key)
					if !state.Equal(dst[i], want) {
						t.Errorf("%s: %s is %v, want %v", v.name, key, dst[i], want)
					}
				}
			}
		})
	}
}

// TestPickEach: looking several maps up side by side is the same as one after the other,
// and those that are not spelled as usual are left alone.
func TestPickEach(t *testing.T) {
	keys := []string{"a", "b", "missing", "c"}
	long := "200:" + strings.Repeat("x", 200) + ","
	var codec tnetstring.Codec
	for _, tt := range []struct {
		payloads []string
		done     string // a letter for each
	}{
		{[]string{"1:c;1:3#1:b;1:2#1:a;1:1#", "", "1:a;1:9#", "1:x;0:~1:c;0:]1:a;" + long}, "yyyy"},
		{[]string{"1:a;" + long + "1:a;1:1#", "1:b;4:1:1#]1:b;8:1:k;1:v;}"}, "yy"},
		{[]string{"01:a;1:1#", "1:a;1:1#", "1:a,1:1#", "1:a;1:1?", "1:a;1:1~", "1:a;", "1:a;9:1#"}, "nynnnnn"},
		{[]string{"1:a;1:1#1:b;1:2#1:a;x"}, "n"},
		{nil, ""},
	} {
		maps := make([]tnetstring.Lookup, len(tt.payloads))
		for i, p := range tt.payloads {
			values := make([]state.Value, len(keys))
			for k := range values {
				values[k] = state.Text("left over")
			}
			maps[i] = tnetstring.Lookup{Source: &state.Source{Codec: codec}, Payload: []byte(p), Values: values}
		}
		codec.PickEach(maps, keys)
		for i, p := range tt.payloads {
			want := make([]state.Value, len(keys))
			ok := codec.Pick(maps[i].Source, []byte(p), keys, want)
			if maps[i].Done != ok || ok != (tt.done[i] == 'y') {
				t.Errorf("%q: done is %v, and %v if asked alone", p, maps[i].Done, ok)
			}
			for k, key := range keys {
				if ok && !state.Equal(maps[i].Values[k], want[k]) {
					t.Errorf("%q: %s is %v, and %v if asked alone", p, key, maps[i].Values[k], want[k])
				}
			}
		}
	}
	strict := []tnetstring.Lookup{{Payload: []byte("1:a;1:1#"), Values: make([]state.Value, len(keys))}}
	if (tnetstring.Codec{Strict: true}).PickEach(strict, keys); strict[0].Done {
		t.Error("done in the strict profile, which has more to check")
	}
	nothing := make([]tnetstring.Lookup, 1)
	nothing[0].Values = make([]state.Value, len(keys))
	if codec.PickEach(nothing, keys); nothing[0].Done {
		t.Error("done without a map")
	}
}

func TestPickErrors(t *testing.T) {
	for _, test := range []struct{ name, data string }{
		{"no map", "3:abc,"},
		{"key without value", "4:1:a;}"},
		{"list as key", "7:0:]1:1#}"},
		{"cut", "9:1:a;9:1#1}"},
	} {
		v := open(t, test.data, tnetstring.Codec{})
		if err := v.Pick([]string{"a"}, make([]state.Value, 1)); err == nil {
			t.Errorf("%s: no error", test.name)
		}
	}
	strict := open(t, "16:1:a;1:1#1:a;1:2#}", tnetstring.Codec{Strict: true})
	if err := strict.Pick([]string{"a"}, make([]state.Value, 1)); err == nil {
		t.Error("the strict profile takes a key that occurs twice")
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	v := open(t, "32:1:d;1:4#1:c;1:3#1:b;1:2#1:a;1:1#}", tnetstring.Codec{})
	keys, dst := []string{"c", "a"}, make([]state.Value, 2)
	if n := testing.AllocsPerRun(100, func() {
		if err := v.Pick(keys, dst); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestIsEmpty(t *testing.T) {
	for data, want := range map[string]bool{
		"0:}": true, "0:]": true, "0:,": true, "0:;": true,
		"0:~": false, "1:0#": false, "4:true!": false,
		"8:1:a;1:1#}": false, "4:1:1#]": false, "1:a,": false,
	} {
		v := open(t, data, tnetstring.Codec{})
		if v.IsEmpty() != want {
			t.Errorf("%s: %v before it was opened", data, !want)
		}
		_, _ = v.Map()
		_, _ = v.List()
		if v.IsEmpty() != want {
			t.Errorf("%s: %v after it was opened", data, !want)
		}
	}
}
