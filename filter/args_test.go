package filter

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // systems without zones
)

// argOf parses the argument of an operator.
func argOf(t *testing.T, text string, opts *Options) Arg {
	t.Helper()
	e, err := Parse(text, opts)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	op, ok := e.Root.(*Op)
	if !ok {
		t.Fatalf("%s is not one operator", text)
	}
	if op.Arg != nil && op.Text != op.Arg.String() {
		t.Errorf("%s: the text is %q and that of the argument %q", text, op.Text, op.Arg)
	}
	return op.Arg
}

func TestParseNumbers(t *testing.T) {
	for _, test := range []struct {
		text, canonical string
		most            int64
	}{
		{"0", "0", 0},
		{"0,4-9", "0,4..9", 9},
		{" 3 , 1 - 2 ", "3,1..2", 3},
		{"20-,1", "20..,1", math.MaxInt64},
		{"<5", "<5", 4},
	} {
		n, err := ParseNumbers(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if n.String() != test.canonical || n.Max() != test.most || !n.Contains(min(test.most, 1000)) || n.Contains(-1) && test.text != "<5" {
			t.Errorf("%q is %v, up to %d", test.text, n, n.Max())
		}
		for lo := range int64(25) {
			meets := false
			for hi := lo; hi < 25; hi++ {
				if meets = meets || n.Contains(hi); n.Meets(lo, hi) != meets {
					t.Errorf("%q meets %d..%d: %v", test.text, lo, hi, !meets)
				}
			}
		}
	}
	for text, want := range map[string]SyntaxError{
		"":                                  {Msg: "the argument breaks off"},
		"1,,2":                              {Offset: 2, Len: 1, Msg: "nothing before the comma"},
		"1,x":                               {Offset: 2, Len: 1, Msg: `"x" is not understood`},
		"-1":                                {Len: 2, Msg: `"-1" is not understood`},
		"1,9-4":                             {Offset: 2, Len: 3, Msg: `"9" is after "4"`},
		"1 2":                               {Offset: 2, Len: 1, Msg: `"2" is not understood`},
		"9" + strings.Repeat("0", 18) + "0": {Len: 20, Msg: `"90000000000000000000" is too large`},
	} {
		_, err := ParseNumbers(text)
		e, ok := err.(*SyntaxError)
		if !ok || e.Text != text || e.Offset != want.Offset || e.Len != want.Len || e.Msg != want.Msg || e.Want == "" && !strings.Contains(e.Msg, "after") {
			t.Errorf("%q: %#v, want %#v", text, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	const k, M, G = 1 << 10, 1 << 20, 1 << 30
	for _, test := range []struct {
		text, canonical string
		in, out         []int64
	}{
		{"~status 404", "404", []int64{404}, []int64{403, 405, 0, -1}},
		{"~status 4xx", "4xx", []int64{400, 499}, []int64{399, 500}},
		{"~status 40X", "40x", []int64{400, 409}, []int64{399, 410}},
		{"~status 200,4xx", "200,4xx", []int64{200, 404}, []int64{201, 500}},
		{"~status 200-299", "200..299", []int64{200, 250, 299}, []int64{199, 300}},
		{"~status 200..299", "200..299", []int64{200, 250, 299}, []int64{199, 300}},
		{"~status 4xx..5xx", "4xx..5xx", []int64{400, 599}, []int64{399, 600}},
		{"~status >=400", ">=400", []int64{400, math.MaxInt64}, []int64{399}},
		{"~status >400", ">400", []int64{401}, []int64{400}},
		{"~status <300", "<300", []int64{299, 0, -5}, []int64{300}},
		{"~status <=300", "<=300", []int64{300}, []int64{301}},
		{"~status =300", "=300", []int64{300}, []int64{301, 299}},
		{"~status =3xx", "=3xx", []int64{300, 399}, []int64{400, 299}},
		{"~status >4xx", ">4xx", []int64{500}, []int64{499, 400}},
		{"~status <4xx", "<4xx", []int64{399}, []int64{400}},
		{"~status >=4xx", ">=4xx", []int64{400}, []int64{399}},
		{"~status <=4xx", "<=4xx", []int64{499}, []int64{500}},
		{"~status 0404", "404", []int64{404}, nil},

		{"~size 0", "0", []int64{0}, []int64{1, -1}},
		{"~size 4096", "4096", []int64{4096}, nil},
		{"~size 10k", "10k", []int64{10 * k}, []int64{10_000}},
		{"~size 10K", "10K", []int64{10 * k}, nil},
		{"~size 10KiB", "10KiB", []int64{10 * k}, nil},
		{"~size 10kB", "10kB", []int64{10 * k}, nil},
		{"~size 7b", "7b", []int64{7}, nil},
		{"~size 1.5M", "1.5M", []int64{M + M/2}, nil},
		{"~size .5k", ".5k", []int64{512}, nil},
		{"~size 2G", "2G", []int64{2 * G}, nil},
		{"~size 1T", "1T", []int64{1 << 40}, nil},
		{"~size 0.3k", "0.3k", []int64{307}, nil},
		{"~size 1k..2M", "1k..2M", []int64{k, 2 * M}, []int64{k - 1, 2*M + 1}},
		{"~size 1k-2M", "1k..2M", []int64{k, 2 * M}, []int64{k - 1, 2*M + 1}},
		{"~size 1..2", "1..2", []int64{1, 2}, []int64{0, 3}},
		{"~size 1.5...5k", "1.5...5k", []int64{2, 512}, []int64{1, 513}},
		{"~size ..1M", "..1M", []int64{0, M}, []int64{M + 1}},
		{"~size 1M..", "1M..", []int64{M, math.MaxInt64}, []int64{M - 1}},
		{"~size 1M-", "1M..", []int64{M, math.MaxInt64}, []int64{M - 1}},
		{"~size 0,1M..", "0,1M..", []int64{0, M}, []int64{1}},
		{"~size > 10k", ">10k", []int64{10*k + 1}, []int64{10 * k}},
		{"~sizeq > 10k, < 5", ">10k,<5", []int64{10*k + 1, 4}, []int64{10 * k, 5}},
		{"~sizes '1 .. 2 , 4'", "1..2,4", []int64{1, 4}, []int64{3}},

		{"~index 0,4-9,20-", "0,4..9,20..", []int64{0, 4, 9, 20, math.MaxInt64}, []int64{1, 3, 10, 19}},
		{"~index ..5", "..5", []int64{0, 5}, []int64{6}},
		{"~port 443,8000-8999", "443,8000..8999", []int64{443, 8080}, []int64{80, 9000}},
		{"~port 0..65535", "0..65535", []int64{0, 65535}, nil},
	} {
		a := argOf(t, test.text, nil).(*Numbers)
		if a.String() != test.canonical {
			t.Errorf("%s: %s, want %s", test.text, a, test.canonical)
		}
		for _, n := range test.in {
			if !a.Contains(n) {
				t.Errorf("%s does not contain %d", test.text, n)
			}
		}
		for _, n := range test.out {
			if a.Contains(n) {
				t.Errorf("%s contains %d", test.text, n)
			}
		}
	}
	for text, want := range map[string]int64{
		"~index 1,7,3": 7, "~index <8": 7, "~index 9,3-": math.MaxInt64, "~status 4xx": 499,
	} {
		if got := argOf(t, text, nil).(*Numbers).Max(); got != want {
			t.Errorf("%s: at most %d, want %d", text, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for _, test := range []struct {
		text, canonical string
		in, out         []float64
	}{
		{"~dur >1s", ">1s", []float64{1.0001, 1e9}, []float64{1, 0, -1}},
		{"~dur >=1s", ">=1s", []float64{1}, []float64{0.999}},
		{"~dur > 1", ">1", []float64{1.1}, []float64{1}},
		{"~dur 100ms..2s", "100ms..2s", []float64{0.1, 2}, []float64{0.0999, 2.0001}},
		{"~dur 100ms-2s", "100ms..2s", []float64{0.1, 2}, []float64{0.0999, 2.0001}},
		{"~dur <1.5s", "<1.5s", []float64{1.4999}, []float64{1.5}},
		{"~dur =0.5", "=0.5", []float64{0.5}, []float64{0.50001}},
		{"~dur ..1m30s", "..1m30s", []float64{90}, []float64{90.1}},
		{"~dur 1h..", "1h..", []float64{3600}, []float64{3599}},
		{"~dur 1d..", "1d..", []float64{86400}, []float64{86399}},
		{"~dur =5ns", "=5ns", []float64{5e-9}, nil},
		{"~dur =5us", "=5us", []float64{5e-6}, nil},
		{"~dur =5\u00b5s", "=5\u00b5s", []float64{5e-6}, nil},
		{"~dur =5\u03bcs", "=5\u03bcs", []float64{5e-6}, nil},
		{"~dur =300ms", "=300ms", []float64{0.3}, nil},
		{"~dur =.3", "=.3", []float64{0.3}, nil},
		{"~dur <1ms,>1s", "<1ms,>1s", []float64{0, 2}, []float64{0.5}},
	} {
		a := argOf(t, test.text, nil).(*Durations)
		if a.String() != test.canonical {
			t.Errorf("%s: %s, want %s", test.text, a, test.canonical)
		}
		for _, n := range test.in {
			if !a.Contains(n) {
				t.Errorf("%s does not contain %v", test.text, n)
			}
		}
		for _, n := range append(test.out, math.NaN()) {
			if a.Contains(n) {
				t.Errorf("%s contains %v", test.text, n)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	for _, test := range []struct {
		text, canonical string
		in, out         []string // RFC 3339, in the zone
	}{
		{"2024", "2024", []string{"2024-01-01T00:00:00", "2024-12-31T23:59:59.999"}, []string{"2023-12-31T23:59:59.999", "2025-01-01T00:00:00"}},
		{"2024-05", "2024-05", []string{"2024-05-01T00:00:00", "2024-05-31T23:59:59.999"}, []string{"2024-04-30T23:59:59.999", "2024-06-01T00:00:00"}},
		{"2024-12", "2024-12", []string{"2024-12-31T23:59:59.999"}, []string{"2025-01-01T00:00:00"}},
		{"2024-05-01", "2024-05-01", []string{"2024-05-01T00:00:00", "2024-05-01T23:59:59.999"}, []string{"2024-04-30T23:59:59.999", "2024-05-02T00:00:00"}},
		{"2024-02-29", "2024-02-29", []string{"2024-02-29T12:00:00"}, []string{"2024-03-01T00:00:00"}},
		{"2024-05-01T10", "2024-05-01T10", []string{"2024-05-01T10:00:00", "2024-05-01T10:59:59"}, []string{"2024-05-01T11:00:00"}},
		{"2024-05-01T10:00", "2024-05-01T10:00", []string{"2024-05-01T10:00:00", "2024-05-01T10:00:59.9"}, []string{"2024-05-01T10:01:00", "2024-05-01T09:59:59.9"}},
		{"2024-05-01t10:00:00", "2024-05-01T10:00:00", []string{"2024-05-01T10:00:00", "2024-05-01T10:00:00.9"}, []string{"2024-05-01T10:00:01"}},
		{"2024-05-01T08:00:00Z", "2024-05-01T08:00:00Z", []string{"2024-05-01T10:00:00", "2024-05-01T10:00:00.9"}, []string{"2024-05-01T10:00:01"}},
		{"2024-05-01T08:00z", "2024-05-01T08:00Z", []string{"2024-05-01T10:00:00", "2024-05-01T10:00:59.9"}, []string{"2024-05-01T10:01:00"}},
		{"2024-05-01T13:30+05:30", "2024-05-01T13:30+05:30", []string{"2024-05-01T10:00:00"}, []string{"2024-05-01T10:01:00"}},
		{"2024-05-01T03:00-0500", "2024-05-01T03:00-0500", []string{"2024-05-01T10:00:00"}, []string{"2024-05-01T10:01:00"}},
		{"2024-05-01T10:00:00.25", "2024-05-01T10:00:00.25", []string{"2024-05-01T10:00:00.25", "2024-05-01T10:00:00.259"}, []string{"2024-05-01T10:00:00.26", "2024-05-01T10:00:00.2499"}},
		{"2024-05-01T08:00:00.5Z", "2024-05-01T08:00:00.5Z", []string{"2024-05-01T10:00:00.5"}, []string{"2024-05-01T10:00:00.6"}},
		{"'2024-05-01 10:00'", "2024-05-01T10:00", []string{"2024-05-01T10:00:00"}, []string{"2024-05-01T10:01:00"}},
		{"1714550400", "1714550400", []string{"2024-05-01T10:00:00", "2024-05-01T10:00:00.9"}, []string{"2024-05-01T10:00:01", "2024-05-01T09:59:59.9"}},
		{"1714550400.5", "1714550400.5", []string{"2024-05-01T10:00:00.5", "2024-05-01T10:00:00.59"}, []string{"2024-05-01T10:00:00.6", "2024-05-01T10:00:00.4"}},

		{"2024-05-01..2024-05-03", "2024-05-01..2024-05-03", []string{"2024-05-01T00:00:00", "2024-05-03T23:59:59.9"}, []string{"2024-05-04T00:00:00"}},
		{"2024-05-01T10:00 .. 2024-05-01T10:05", "2024-05-01T10:00..2024-05-01T10:05", []string{"2024-05-01T10:05:59.9"}, []string{"2024-05-01T10:06:00"}},
		{"2024-05-01..", "2024-05-01..", []string{"2024-05-01T00:00:00"}, []string{"2024-04-30T23:59:59"}},
		{"..2024-05-01", "..2024-05-01", []string{"2024-05-01T23:59:59"}, []string{"2024-05-02T00:00:00"}},
		{">=2024-05-01", ">=2024-05-01", []string{"2024-05-01T00:00:00"}, []string{"2024-04-30T23:59:59"}},
		{">2024-05-01", ">2024-05-01", []string{"2024-05-02T00:00:00"}, []string{"2024-05-01T23:59:59.9"}},
		{"<2024-05-01", "<2024-05-01", []string{"2024-04-30T23:59:59.9"}, []string{"2024-05-01T00:00:00"}},
		{"<=2024-05-01", "<=2024-05-01", []string{"2024-05-01T23:59:59.9"}, []string{"2024-05-02T00:00:00"}},
		{"2024-05-01,2024-05-03", "2024-05-01,2024-05-03", []string{"2024-05-01T12:00:00", "2024-05-03T12:00:00"}, []string{"2024-05-02T12:00:00"}},
	} {
		a := argOf(t, "~time "+test.text, &Options{Location: zone}).(*Times)
		if a.String() != test.canonical {
			t.Errorf("%s: %s, want %s", test.text, a, test.canonical)
		}
		if a.NeedsSpan() {
			t.Errorf("%s needs no span", test.text)
		}
		contains := func(s string) bool {
			at, err := time.ParseInLocation("2006-01-02T15:04:05", s, zone)
			if err != nil {
				t.Fatal(err)
			}
			return a.Contains(float64(at.Unix())+float64(at.Nanosecond())/1e9, math.NaN(), math.NaN())
		}
		for _, s := range test.in {
			if !contains(s) {
				t.Errorf("%s does not contain %s", test.text, s)
			}
		}
		for _, s := range test.out {
			if contains(s) {
				t.Errorf("%s contains %s", test.text, s)
			}
		}
	}
	// However many digits a time has, the flow that has it is found.
	for _, f := range []float64{1714557600.123456, 1714557600.1234567, 946681200.1, 0.1, 5, 12345.000001, 253402300799.25} {
		text := fmt.Sprintf("%f", f)
		if f != 5 {
			text = strings.TrimRight(fmt.Sprintf("%.9f", f), "0")
		}
		if len(strings.Split(text, ".")[0]) == 4 {
			continue
		}
		if a := argOf(t, "~time "+text, nil).(*Times); !a.Contains(f, 0, 0) {
			t.Errorf("~time %s does not contain %v", text, f)
		}
	}
}

func TestRelativeTimes(t *testing.T) {
	const first, last = 1000.0, 9000.0
	for _, test := range []struct {
		text, canonical string
		in, out         []float64
	}{
		{"start", "start", []float64{1000}, []float64{1000.1, 999}},
		{"start..start+10m", "start..start+10m", []float64{1000, 1600}, []float64{1600.1}},
		{"end-1h..", "end-1h..", []float64{5400, 9000, 9001}, []float64{5399}},
		{"end-1h..end", "end-1h..end", []float64{5400, 9000}, []float64{5399, 9001}},
		{"..start+1", "..start+1", []float64{1001, 0}, []float64{1001.1}},
		{">end-1h", ">end-1h", []float64{5401}, []float64{5400}},
		{"<start+1m30s", "<start+1m30s", []float64{1089}, []float64{1090}},
		{"1970..end-1h", "1970..end-1h", []float64{5400}, []float64{5401}},
		{"end+1s", "end+1s", []float64{9001}, []float64{9000}},
	} {
		a := argOf(t, "~time "+test.text, &Options{Location: time.UTC}).(*Times)
		if a.String() != test.canonical || !a.NeedsSpan() {
			t.Errorf("%s: %s, needs span: %v", test.text, a, a.NeedsSpan())
		}
		for _, n := range test.in {
			if !a.Contains(n, first, last) {
				t.Errorf("%s does not contain %v", test.text, n)
			}
		}
		for _, n := range test.out {
			if a.Contains(n, first, last) {
				t.Errorf("%s contains %v", test.text, n)
			}
		}
	}
}

// TestTimesSummer has days that are not 24 hours long.
func TestTimesSummer(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	a := argOf(t, "~time 2024-10-27", &Options{Location: berlin}).(*Times)
	for _, test := range []struct {
		utc  string
		want bool
	}{
		{"2024-10-26T21:59:59Z", false},
		{"2024-10-26T22:00:00Z", true},
		{"2024-10-27T22:59:59Z", true},
		{"2024-10-27T23:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, test.utc)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Contains(float64(at.Unix()), 0, 0); got != test.want {
			t.Errorf("%s: %v", test.utc, got)
		}
	}
}

func TestVersions(t *testing.T) {
	type v [2]int
	for _, test := range []struct {
		text, canonical string
		in, out         []v
	}{
		{"~httpv 1.1", "1.1", []v{{1, 1}}, []v{{1, 0}, {2, 0}, {1, 2}}},
		{"~httpv 2", "2", []v{{2, 0}}, []v{{1, 1}, {3, 0}}},
		{"~httpv 1", "1", []v{{1, 0}, {1, 1}}, []v{{0, 9}, {2, 0}}},
		{"~httpv 1.1,3", "1.1,3", []v{{1, 1}, {3, 0}}, []v{{2, 0}}},
		{"~tlsv 1.0..1.2", "1.0..1.2", []v{{1, 0}, {1, 1}, {1, 2}}, []v{{1, 3}, {0, 9}}},
		{"~tlsv 1.0-1.2", "1.0..1.2", []v{{1, 2}}, []v{{1, 3}}},
		{"~tlsv <1.2", "<1.2", []v{{1, 1}, {1, 0}}, []v{{1, 2}}},
		{"~formatv 17", "17", []v{{17, 0}}, []v{{16, 0}, {18, 0}, {0, 17}}},
		{"~formatv <12", "<12", []v{{11, 0}, {0, 18}, {3, 0}}, []v{{12, 0}}},
		{"~formatv 0.13..3.0", "0.13..3.0", []v{{0, 13}, {0, 18}, {1, 0}, {3, 0}}, []v{{0, 12}, {4, 0}, {0, 2}}},
		{"~formatv 0", "0", []v{{0, 10}, {0, 18}}, []v{{1, 0}}},
		{"~formatv >2", ">2", []v{{3, 0}}, []v{{2, 0}, {2, 5}}},
		{"~formatv ..3", "..3", []v{{3, 0}, {0, 10}}, []v{{4, 0}}},
		{"~formatv 4..", "4..", []v{{4, 0}, {21, 0}}, []v{{3, 0}}},
	} {
		a := argOf(t, test.text, nil).(*Versions)
		if a.String() != test.canonical {
			t.Errorf("%s: %s, want %s", test.text, a, test.canonical)
		}
		for _, v := range test.in {
			if !a.Contains(v[0], v[1]) {
				t.Errorf("%s does not contain %v", test.text, v)
			}
		}
		for _, v := range test.out {
			if a.Contains(v[0], v[1]) {
				t.Errorf("%s contains %v", test.text, v)
			}
		}
	}
}

func TestTextArgs(t *testing.T) {
	ids := argOf(t, "~id 8D2F-,ab", nil).(*Prefixes)
	for id, want := range map[string]bool{
		"8d2f-1234": true, "8D2F-": true, "8d2f": false, "abc": true, "xab": false, "": false, "AB": true,
	} {
		if got := ids.Match(id); got != want {
			t.Errorf("~id %s, %q: %v", ids, id, got)
		}
	}
	for _, test := range []struct {
		text string
		want Header
	}{
		{"~hn Content-Type", Header{Name: "content-type"}},
		{"~hnq a=x", Header{Name: "a", HasRegex: true, Regex: "x"}},
		{"~hns a=", Header{Name: "a", HasRegex: true}},
		{"~hn 'A=x=Y Z'", Header{Name: "a", HasRegex: true, Regex: "x=Y Z"}},
		{"~hn 'é'", Header{Name: "é"}},
	} {
		h := *argOf(t, test.text, nil).(*Header)
		if (h.Regexp != nil) != h.HasRegex {
			t.Errorf("%s: the regular expression is %v", test.text, h.Regexp)
		}
		if h.Regexp = nil; h != test.want {
			t.Errorf("%s: %+v, want %+v", test.text, h, test.want)
		}
	}
}

// TestArgErrors has arguments that are wrong. The place is written as the
// text before it and the text that is marked.
func TestArgErrors(t *testing.T) {
	for _, test := range []struct {
		text, before, mark string
		msg, want, suggest string
	}{
		{"~status x", "~status ", "x", `"x" is not understood`, nouns[StatusArg], ""},
		{"~status 4x", "~status ", "4x", `"4x" is no class of statuses`, "1xx to 9xx", ""},
		{"~status 0xx", "~status ", "0xx", `"0xx" is no class of statuses`, "1xx to 9xx", ""},
		{"~status 4xx,,5xx", "~status 4xx,", ",", "nothing before the comma", nouns[StatusArg], ""},
		{"~status 4xx,", "~status 4xx,", "", "the argument breaks off", nouns[StatusArg], ""},
		{"~status ,4xx", "~status ", ",", "nothing before the comma", nouns[StatusArg], ""},
		{"~status > x,3", "~status > ", "x", `"x" is not understood`, nouns[StatusArg], ""},
		{"~status >", "~status >", "", "the argument breaks off", nouns[StatusArg], ""},
		{"~status > & ~q", "~status >", "", "the argument breaks off", nouns[StatusArg], ""},
		{"~status ..", "~status ..", "", "the argument breaks off", nouns[StatusArg], ""},
		{"~status 200..x", "~status 200..", "x", `"x" is not understood`, nouns[StatusArg], ""},
		{"~status 300..200", "~status ", "300..200", `"300" is after "200"`, "", ""},
		{"~status 5-4,3", "~status ", "5-4", `"5" is after "4"`, "", ""},
		{"~status 99999999999999999999", "~status ", "99999999999999999999", `"99999999999999999999" is too large`, nouns[StatusArg], ""},
		{"~status '4xx, x'", "~status '4xx, ", "x", `"x" is not understood`, nouns[StatusArg], ""},
		{`~status "\4xx, \x"`, `~status "\4xx, `, `\x`, `"x" is not understood`, nouns[StatusArg], ""},
		{"~status '\tx'", "~status ", "'\tx'", `"x" is not understood`, nouns[StatusArg], ""},
		{"~status ''", "~status '", "", "the argument breaks off", nouns[StatusArg], ""},
		{"~size 10q", "~size 10", "q", `"q" is no unit of bytes`, "k, M, G or T", ""},
		{"~size 1kk", "~size 1", "kk", `"kk" is no unit of bytes`, "k, M, G or T", ""},
		{"~size 1i", "~size 1", "i", `"i" is no unit of bytes`, "k, M, G or T", ""},
		{"~size -5", "~size ", "-5", `"-5" is not understood`, nouns[SizeArg], ""},
		{"~size 99999999T", "~size ", "99999999T", `"99999999T" is too large`, nouns[SizeArg], ""},
		{"~size " + strings.Repeat("1", 50), "~size ", strings.Repeat("1", 50), "the number is too long", "at most 40 digits", ""},
		{"~index -5", "~index ", "-5", `"-5" is not understood`, nouns[IndexArg], ""},
		{"~port 65536", "~port ", "65536", `"65536" is too large`, "ports up to 65535", ""},
		{"~dur 2s", "~dur ", "2s", "a single duration is too exact", "a comparison or a range", ">=2s"},
		{"~dur >1s,2", "~dur >1s,", "2", "a single duration is too exact", "a comparison or a range", ">=2"},
		{"~dur >2x", "~dur >2", "x", `"x" is no unit of time`, "ns, us, ms, s, m, h or d", ""},
		{"~dur >1m30", "~dur >1m30", "", "the unit is missing", "ns, us, ms, s, m, h or d", ""},
		{"~dur >s", "~dur >", "s", `"s" is not understood`, nouns[DurationArg], ""},
		{"~time 2024-13-01", "~time ", "2024-13-01", `"2024-13-01" does not exist`, nouns[TimeArg], ""},
		{"~time 2023-02-29T10:00", "~time ", "2023-02-29T10:00", `"2023-02-29T10:00" does not exist`, nouns[TimeArg], ""},
		{"~time 2024-05-01T24:00", "~time ", "2024-05-01T24:00", `"2024-05-01T24:00" does not exist`, nouns[TimeArg], ""},
		{"~time 2024-5-1", "~time 2024", "-5-1", `"-5-1" is not understood`, nouns[TimeArg], ""},
		{"~time 2024-05-01T10:00+2", "~time 2024-05-01T10:00", "+2", `"+2" is not understood`, nouns[TimeArg], ""},
		{"~time -1h..", "~time ", "-1h", "a relative time begins with start or end", "", "end-1h.."},
		{"~time +1h", "~time ", "+1h", "a relative time begins with start or end", "", "start+1h.."},
		{"~time start+", "~time start+", "", `nothing after "start+"`, "a duration such as 10m", ""},
		{"~time start+1x", "~time start+1", "x", `"x" is no unit of time`, "ns, us, ms, s, m, h or d", ""},
		{"~time started", "~time start", "ed", `"ed" is not understood`, nouns[TimeArg], ""},
		{"~time 1714557600000", "~time ", "1714557600000", `"1714557600000" seconds are more than there is time for`, "", "1714557600.000"},
		{"~time 2024-05-02..2024-05-01", "~time ", "2024-05-02..2024-05-01", `"2024-05-02" is after "2024-05-01"`, "", ""},
		{"~time 2024-05-01T10:00:00." + strings.Repeat("1", 41), "~time 2024-05-01T10:00:00.", strings.Repeat("1", 41), "the number is too long", "at most 40 digits", ""},
		{"~time 1714557600." + strings.Repeat("1", 41), "~time ", "1714557600." + strings.Repeat("1", 41), "the number is too long", "at most 40 digits", ""},
		{"~dur >1m" + strings.Repeat("1", 41), "~dur >1m", strings.Repeat("1", 41), "the number is too long", "at most 40 digits", ""},
		{"~time now", "~time ", "now", `"now" is not understood`, nouns[TimeArg], ""},
		{"~httpv HTTP/1.1", "~httpv ", "HTTP/1.1", "a version is a number", "", "1.1"},
		{"~tlsv TLSv1.2", "~tlsv ", "TLSv1.2", "a version is a number", "", "1.2"},
		{"~tlsv 1.2.3", "~tlsv 1.2", ".3", `".3" is not understood`, nouns[VersionArg], ""},
		{"~tlsv 99999999999.1", "~tlsv ", "99999999999.1", `"99999999999.1" is no version`, nouns[VersionArg], ""},
		{"~id ,x", "~id ", "", "there is no id", nouns[IDArg], ""},
		{"~id ''", "~id '", "", "there is no id", nouns[IDArg], ""},
		{"~hn =x", "~hn ", "", "there is no name of a header", nouns[HeaderArg], ""},
		{"~hn Server: x", "~hn Server", ":", `":" cannot be in the name of a header`, "", "Server=REGEX"},
		{"~hn 'Server: x y'", "~hn 'Server", ":", `":" cannot be in the name of a header`, "", "Server=x y"},
	} {
		_, err := Parse(test.text, nil)
		checkError(t, test.text, err, test.before, test.mark, test.msg, test.want, test.suggest)
		if se, ok := errors.AsType[*SyntaxError](err); ok && strings.ContainsAny(se.Error(), "\n\r\t") {
			t.Errorf("%q: the error has several lines: %q", test.text, se.Error())
		}
	}
}
