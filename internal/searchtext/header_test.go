package searchtext

import (
	"slices"
	"testing"
)

func TestAppendField(t *testing.T) {
	var block []byte
	for _, f := range [][2]string{{"Host", "a"}, {"x", ""}, {"", "\xff\r\n"}} {
		block = AppendField(block, []byte(f[0]), []byte(f[1]))
	}
	if want := "Host: a\r\nx: \r\n: \xff\r\n\r\n"; string(block) != want {
		t.Errorf("%q, want %q", block, want)
	}
}

func TestAppendAddress(t *testing.T) {
	for _, tt := range []struct {
		host string
		port int64
		want string
	}{
		{"192.0.2.1", 80, "192.0.2.1:80"},
		{"2001:db8::99", 50505, "2001:db8::99:50505"},
		{"", 0, ":0"},
		{"a", -1, "a:-1"},
	} {
		if got := string(AppendAddress(nil, []byte(tt.host), tt.port)); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestJoined(t *testing.T) {
	var j Joined
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{""}, ""},
		{[]string{"a", "b"}, "a, b"},
		{[]string{"", ""}, ", "},
		{[]string{"a", "", "c"}, "a, , c"},
		{[]string{"d"}, "d"},
	} {
		j.Reset()
		for _, v := range tt.values {
			j.Add([]byte(v))
		}
		if string(j.Value()) != tt.want || j.Present() != (tt.values != nil) {
			t.Errorf("%q: %q, present %v", tt.values, j.Value(), j.Present())
		}
	}

	one, two := []byte("one"), []byte("two")
	j.Reset()
	j.Add(one)
	if v := j.Value(); &v[0] != &one[0] {
		t.Error("the only value was copied")
	}
	n := testing.AllocsPerRun(100, func() {
		j.Reset()
		j.Add(one)
		j.Add(two)
	})
	if n != 0 || !slices.Equal(one, []byte("one")) {
		t.Errorf("%v allocations, value is now %q", n, one)
	}
}
