package har_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// A loss is a standard field that need not have the same value after har → mitm →
// har. docs/har.md lists the losses.
type loss struct {
	name   string
	fields []string // as for path.Match
}

var losses = []loss{
	{"names of connections", []string{"connection"}},
	{"pages", []string{"pageref"}},
	{"cache", []string{"cache/*/*"}},
	{"sizes", []string{"*/headersSize", "*/bodySize", "response/content/size", "response/content/compression"}},
	{"comments on messages", []string{"response/content/comment", "response/comment"}},
	{"media types beside the header", []string{"response/content/mimeType", "request/postData/mimeType"}},
	{"encoded query strings", []string{"request/queryString/*/*"}},
	{"forms", []string{"request/postData/params/*/*"}},
	{"URLs that are not sent", []string{"request/url"}},
	{"base64 of text", []string{"response/content/text", "response/content/encoding", "request/postData/encoding", "request/postData/text"}},
	{"time without phases", []string{"time"}},
	{"connecting while waiting", []string{"timings/wait"}},
}

// TestLosses imports the samples of all tools and exports them again: every
// standard field has the value it had, or is in the list of losses.
func TestLosses(t *testing.T) {
	used := map[string]bool{}
	for _, name := range flowtest.Glob(t, "har", "tools", "*.har") {
		data := flowtest.Read(t, name)
		before := entriesOf(t, bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
		i := 0
		for m, err := range har.NewReader(bytes.NewReader(data), nil).States() {
			if err != nil {
				t.Fatal(err)
			}
			after := entriesOf(t, export(t, m, &har.WriterOptions{Plain: true}))
			is := after[0]
			for field, old := range before[i] {
				if is[field] == old {
					continue
				}
				if l := lossOf(field); l != "" {
					used[l] = true
					t.Logf("%s: %s: entry %d: %s was %.80s and is %.80s", l, path.Base(name), i, field, old, is[field])
					continue
				}
				t.Errorf("%s: entry %d: %s was %.80s and is %.80s", path.Base(name), i, field, old, is[field])
			}
			i++
		}
	}
	for _, l := range losses {
		if !used[l.name] {
			t.Errorf("nothing is lost as %q", l.name)
		}
	}
}

func lossOf(field string) string {
	for _, l := range losses {
		for _, f := range l.fields {
			if ok, err := path.Match(f, field); err != nil {
				panic(err)
			} else if ok {
				return l.name
			}
		}
	}
	return ""
}

// entriesOf returns the leaves of the entries of a HAR, by their paths, in a form
// in which equal values are equal strings.
func entriesOf(t *testing.T, data []byte) (out []map[string]string) {
	t.Helper()
	var doc struct {
		Log struct{ Entries []map[string]any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, e := range doc.Log.Entries {
		for _, side := range []string{"request", "response"} {
			m := e[side].(map[string]any)
			m["headers"] = comparableHeaders(m)
			if v, ok := m["httpVersion"].(string); ok {
				v = strings.Replace(strings.ToUpper(v), "H3", "HTTP/3", 1)
				m["httpVersion"] = strings.Replace(v+"$", "HTTP/2$", "HTTP/2.0$", 1)
			}
		}
		if ip, ok := e["serverIPAddress"].(string); ok {
			ip, _, _ = strings.Cut(strings.Trim(ip, "[]"), "%")
			e["serverIPAddress"] = strings.TrimSuffix(ip, ":443")
		}
		if s, ok := e["startedDateTime"].(string); ok {
			if when, err := time.Parse(time.RFC3339, s); err == nil {
				e["startedDateTime"] = when.UTC().Truncate(time.Microsecond).String()
			}
		}
		if phases, ok := e["timings"].(map[string]any); ok {
			total, _ := e["time"].(float64)
			e["timings"] = comparableTimings(phases, total)
		}
		flat := map[string]string{}
		flattenJSON(flat, "", e)
		out = append(out, flat)
	}
	return out
}

// comparableHeaders returns the headers of a message without those whose place in
// a flow is elsewhere: pseudo headers, and what a body that is shown without its
// codings does not have.
func comparableHeaders(m map[string]any) map[string]any {
	out := map[string]any{}
	list, _ := m["headers"].([]any)
	for _, e := range list {
		name, value := "", any(nil)
		switch e := e.(type) {
		case map[string]any:
			name, value = e["name"].(string), e["value"]
		case []any:
			name, value = e[0].(string), e[1]
		}
		switch strings.ToLower(name) {
		case ":authority", ":method", ":path", ":scheme", "content-length", "content-encoding":
			continue
		}
		for out[name] != nil {
			name += "+"
		}
		out[name] = value
	}
	return out
}

// comparableTimings returns timings with what flows do not tell apart as one: what
// is before a request is sent, and connecting with TLS.
func comparableTimings(m map[string]any, total float64) map[string]any {
	ms := func(key string) float64 {
		f, _ := m[key].(float64)
		return max(f, 0)
	}
	out := map[string]any{"before": ms("blocked") + ms("dns") + ms("send"), "wait": ms("wait"), "receive": ms("receive")}
	if connect, ssl := ms("connect"), ms("ssl"); connect > 0 {
		sum := connect + out["before"].(float64) + ms("wait") + ms("receive")
		if math.Abs(total-sum-ssl) < math.Abs(total-sum) {
			connect += ssl // Firefox and mitmproxy have them side by side
		}
		out["connect"], out["ssl"] = connect, ssl
	}
	return out
}

// flattenJSON adds the leaves of the standard fields, by their paths. Values that
// say nothing are left out, numbers are to the microsecond.
func flattenJSON(out map[string]string, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if !strings.HasPrefix(k, "_") && k != "settingEncodeUrl" {
				flattenJSON(out, strings.TrimPrefix(at+"/"+k, "/"), e)
			}
		}
	case []any:
		for i, e := range v {
			flattenJSON(out, fmt.Sprintf("%s/%d", at, i), e)
		}
	case float64:
		if v = math.Round(v*1e3) / 1e3; v != -1 && v != 0 {
			out[at] = fmt.Sprint(v)
		}
	case string:
		if v != "" && v != "x-unknown" && v != "$" {
			out[at] = fmt.Sprintf("%q", v)
		}
	case nil:
	default:
		out[at] = fmt.Sprint(v)
	}
}

// TestTimings: times to the microsecond come back exactly, but that of the phases
// before the request is sent only the sum does.
func TestTimings(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var us [7]int64 // blocked, dns, connect, ssl, send, wait, receive
		for i := range us {
			us[i] = rng.Int64N(1 << (3 * rng.IntN(9)))
		}
		us[3] = min(us[2], us[3])
		entry := fmt.Sprintf(`{"log":{"entries":[{"startedDateTime":"2026-01-02T03:04:%02d.%06dZ","request":{"method":"GET","url":"https://a.example/"},`+
			`"response":{"status":200},"timings":{"blocked":%g,"dns":%g,"connect":%g,"ssl":%g,"send":%g,"wait":%g,"receive":%g}}]}}`,
			rng.IntN(60), rng.IntN(1e6), float64(us[0])/1e3, float64(us[1])/1e3, float64(us[2])/1e3, float64(us[3])/1e3,
			float64(us[4])/1e3, float64(us[5])/1e3, float64(us[6])/1e3)
		for m, err := range har.NewReader(strings.NewReader(entry), nil).States() {
			if err != nil {
				t.Fatal(err)
			}
			got := decode(t, export(t, m, &har.WriterOptions{Plain: true}))[0]
			is := func(key string) int64 {
				ms, ok := got.Timings[key]
				if whole := math.Round(ms*1e3) / 1e3; !ok || whole != ms {
					t.Errorf("%s is %v", key, got.Timings[key])
				}
				return int64(math.Round(max(0, ms) * 1e3))
			}
			before := is("blocked") + is("dns") + is("send")
			if before != us[0]+us[1]+us[4] || is("connect") != us[2] || us[2] > 0 && is("ssl") != us[3] ||
				is("wait") != us[5] || is("receive") != us[6] {
				t.Fatalf("%s\nbecomes %v", entry, got.Timings)
			}
		}
	}
}
