package display

import (
	"math"
	"testing"
	"time"

	"github.com/flowtool/flowtool/flow"
)

func TestAppendSize(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		want string
	}{
		{0, "0b"}, {1, "1b"}, {1023, "1023b"}, {1024, "1.0k"}, {1536, "1.5k"},
		{102348, "99.9k"}, {102349, "100k"}, {1048575, "1024k"}, {1 << 20, "1.0m"},
		{100 << 20, "100m"}, {1 << 30, "1.0g"}, {1 << 40, "1.0t"}, {1 << 50, "1024t"},
		{1e18, "909495t"}, {math.MaxInt64, "8388608t"},
	} {
		if got := string(AppendSize([]byte("x"), tt.n)); got != "x"+tt.want {
			t.Errorf("%d: got %q, want %q", tt.n, got[1:], tt.want)
		}
	}
}

func TestAppendDuration(t *testing.T) {
	for _, tt := range []struct {
		seconds float64
		want    string
	}{
		{0, "0.0ms"}, {0.00004, "0.0ms"}, {0.0004, "0.4ms"}, {0.00994, "9.9ms"}, {0.00996, "10ms"},
		{0.045, "45ms"}, {0.9994, "999ms"}, {0.9996, "1.00s"}, {1.234, "1.23s"}, {9.994, "9.99s"},
		{9.996, "10.0s"}, {12.34, "12.3s"}, {59.94, "59.9s"}, {59.96, "1m00s"}, {60, "1m00s"},
		{123, "2m03s"}, {3599.4, "59m59s"}, {3599.6, "1h00m"}, {3720, "1h02m"}, {86400 * 4, "96h00m"},
		{1e16, "1e+16s"}, {-1.5, "-1.50s"}, {-100, "-1m40s"},
		{math.NaN(), "?"}, {math.Inf(1), "?"}, {math.Inf(-1), "?"},
	} {
		if got := string(AppendDuration(nil, tt.seconds)); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.seconds, got, tt.want)
		}
	}
}

func TestClock(t *testing.T) {
	loc := time.FixedZone("", 3600)
	c := clock{loc: loc, format: clockFormat}
	blank := "                  -"
	for _, tt := range []struct {
		at     flow.Timestamp
		want   string
		millis string
	}{
		{flow.Seconds(1700000000), "2023-11-14 23:13:20", "2023-11-14 23:13:20.000"},
		{flow.Seconds(1700000000.25), "2023-11-14 23:13:20", "2023-11-14 23:13:20.250"},
		{flow.Seconds(1700000000.3), "2023-11-14 23:13:20", "2023-11-14 23:13:20.300"}, // 0.299999952…
		{flow.Seconds(1700000000.9999998), "2023-11-14 23:13:20", "2023-11-14 23:13:20.999"},
		{flow.Seconds(1700000001), "2023-11-14 23:13:21", "2023-11-14 23:13:21.000"},
		{flow.Seconds(0), "1970-01-01 01:00:00", "1970-01-01 01:00:00.000"},
		{flow.Seconds(-0.5), "1970-01-01 00:59:59", "1970-01-01 00:59:59.500"},
		{flow.Timestamp{}, blank, "-"},
		{flow.Seconds(math.NaN()), blank, "-"},
		{flow.Seconds(math.Inf(1)), blank, "-"},
		{flow.Seconds(1e300), blank, "-"},
		{flow.Seconds(1700000000), "2023-11-14 23:13:20", "2023-11-14 23:13:20.000"},
	} {
		if got := string(c.append([]byte("x"), tt.at)); got != "x"+tt.want {
			t.Errorf("%v: got %q, want %q", tt.at, got[1:], tt.want)
		}
		if got := string(c.appendMillis([]byte("x"), tt.at)); got != "x"+tt.millis {
			t.Errorf("%v: got %q, want %q", tt.at, got[1:], tt.millis)
		}
	}
}

func TestAppendTime(t *testing.T) {
	for _, tt := range []struct {
		at   flow.Timestamp
		want string
	}{
		{flow.Seconds(1700000000.123456), "2023-11-14T22:13:20.123456Z"},
		{flow.Seconds(0), "1970-01-01T00:00:00.000000Z"},
		{flow.Seconds(-1.5), "1969-12-31T23:59:58.500000Z"},
		{flow.Timestamp{}, ""},
		{flow.Seconds(1e300), "1e+300"},
		{flow.Seconds(math.NaN()), "NaN"},
	} {
		if got := string(appendTime(nil, tt.at)); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.at, got, tt.want)
		}
	}
}
