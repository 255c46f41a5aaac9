package har_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestCopy: entries are copied that have all that HAR demands, and no others.
func TestCopy(t *testing.T) {
	var entry har.Entry
	n := 0
	for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		_, data := encode(t, f, nil)
		var file struct {
			Log struct{ Entries []json.RawMessage }
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		raw := file.Log.Entries[0]
		if err := entry.Copy(raw, nil); err != nil {
			t.Fatalf("flow %s: %v", f.ID(), err)
		}
		for _, indent := range []string{"", "  "} {
			var out bytes.Buffer
			w := har.NewWriter(&out, &har.WriterOptions{Indent: indent})
			if err := errors.Join(w.WriteEntry(&entry), w.Close()); err != nil {
				t.Fatal(err)
			}
			valid(t, out.Bytes())
			if indent == "" && !bytes.Contains(out.Bytes(), raw) {
				t.Errorf("flow %s is not copied as it is", f.ID())
			}
		}
		// Without one of its members it is not copied.
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"startedDateTime", "time", "request", "response", "cache", "timings"} {
			value := members[key]
			delete(members, key)
			less, err := json.Marshal(members)
			if members[key] = value; err != nil {
				t.Fatal(err)
			}
			if err := entry.Copy(less, nil); err != har.ErrIncomplete {
				t.Errorf("flow %s without %s: %v", f.ID(), key, err)
			}
		}
		n++
	}
	if n == 0 {
		t.Error("no flows")
	}
	for _, raw := range []string{"", "null", "[]", "{\"a\": \"\t\"}", `{"request":{"method":1}}`} {
		if err := entry.Copy([]byte(raw), nil); err != har.ErrIncomplete {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// copied is an entry that is copied as it is.
const copied = `{"startedDateTime":"2026-11-22T10:00:02Z","time":12,"request":{"method":"GET","url":"https://one.example/","httpVersion":"h2",` +
	`"cookies":[],"headers":[{"name":"A","value":"b"}],"queryString":[],"headersSize":-1,"bodySize":0},"response":{"status":204,"statusText":"",` +
	`"httpVersion":"h2","cookies":[],"headers":[],"content":{"size":0,"mimeType":""},"redirectURL":"","headersSize":-1,"bodySize":0},` +
	`"cache":{},"timings":{"send":1,"wait":10,"receive":1}}`

// TestCopyChanged: what readers that go by HAR 1.2 may refuse is not copied but made
// anew, and what browsers write is copied.
func TestCopyChanged(t *testing.T) {
	change := func(change string) []byte {
		from, to, _ := strings.Cut(change, " => ")
		if !strings.Contains(copied, from) {
			t.Fatalf("%s is not in the entry", from)
		}
		return []byte(strings.Replace(copied, from, to, 1))
	}
	var entry har.Entry
	for _, c := range []string{
		`2026-11-22T10:00:02Z => yesterday`, `2026-11-22T10:00:02Z => 2026-11-22 10:00`, `2026-11-22T10:00:02Z => 2026-11-22T10:00:02`,
		`2026-11-22T10:00:02Z => 2026-11-22T10:00:02,5Z`, `2026-11-22T10:00:02Z => 2026-11-22T1:00:02Z`, `2026-11-22T10:00:02Z => 2026-13-22T10:00:02Z`,
		`"cache" => "CACHE"`, `"timings" => "Timings"`, `"cache":{} => "cache":null`, `"cache":{} => "cache":{"afterRequest":1}`,
		`"time":12 => "time":"12"`, `"time":12 => "time":-1`, `"time":12 => "time":NaN`, `"time":12 => "time":12,"time":13`, `"time":12 => "time":"x","Time":12`,
		`"wait":10 => "wait":-5`, `"wait":10 => "wait":10,"blocked":"x"`, `"wait":10 => "wait":10,"blocked":-2`, `"wait":10 => "wait":"10"`,
		`"time":12 => "time":12,"comment":5`, `"time":12 => "time":12,"comment":null`, `"time":12 => "time":12,"serverIPAddress":5`, `"time":12 => "time":12,"connection":443`,
		`"time":12 => "time":12,"pageref":1`, `"time":12 => "time":12,"_x":"\ud83d"`, `"time":12 => "time":12,"_x":{"\uDC00":1}`, "\"time\":12 => \"time\":12,\"_x\":\"\xff\"",
		`"GET" => "GET","postData":{"text":5}`, `"GET" => "GET","postData":{"text":""}`, `"GET" => "GET","postData":{"mimeType":"","params":[{}]}`,
		`https://one.example/ => //one.example/`, `https://one.example/ => https://a b/`, `https://one.example/ => https://one.example/ö`,
		`https://one.example/ => https://one.example/%zz`, `https://one.example/ => https://one.example/#top`,
		`"value":"b" => "value":null`, `"value":"b" => "VALUE":"b"`, `"value":"b" => "value":"b","value":"c"`,
		`"size":0 => "size":0.5`, `"size":0 => "size":0,"text":5`, `"status":204 => "status":"204"`,
		`"h2","cookies":[] => "h2","cookies":[{"name":"","value":"","expires":"never"}]`, `"h2","cookies":[] => "h2","cookies":[{"name":"","value":"","secure":1}]`,
		`"cookies":[],"headers":[{ => "headers":[{`,
	} {
		raw := change(c)
		if err := entry.Copy(raw, nil); err != har.ErrIncomplete {
			t.Errorf("%s: %v", c, err)
		}
		r := har.NewReader(bytes.NewReader(slices.Concat([]byte("["), raw, []byte("]"))), nil)
		m, err := r.ReadState()
		if err != nil {
			t.Errorf("%s: %v", c, err)
			continue
		}
		var out bytes.Buffer
		w := har.NewWriter(&out, nil)
		if err := errors.Join(w.WriteState(m), w.Close()); err != nil {
			t.Fatal(err)
		}
		valid(t, out.Bytes())
	}
	for _, c := range []string{
		`} => }`, `"time" => "\u0074ime"`, `2026-11-22T10:00:02Z => 2026-11-22T10:00:02.1234567+05:30`, `https://one.example/ => data:text/plain,x`,
		`"cache":{} => "cache":{"beforeRequest":null}`, `"time":12 => "time":1.2e1,"serverIPAddress":"[::1]","connection":"443","_x":null`,
		`"size":0 => "size":0.0,"text":"\ud83d\ude00"`, `"GET" => "GET","postData":{"mimeType":"","text":""}`, `"time":12 => "time":12,"more":1`,
	} {
		if err := entry.Copy(change(c), nil); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
}

// TestCopyPage: the name of a page that is not to be kept is cut out, whatever is
// around it.
func TestCopyPage(t *testing.T) {
	inner := copied[1 : len(copied)-1]
	for in, want := range map[string]string{
		`{"pageref":"p",` + inner + `}`:                  `{` + inner + `}`,
		`{ "pageref": "p" , ` + inner + ` }`:             `{` + inner + ` }`,
		`{` + inner + ",\n \"page\\u0072ef\":\"p\"}":     `{` + inner + `}`,
		"{\"_a\":1 , \"pageref\":\"p\"\n," + inner + `}`: `{"_a":1 ` + "\n," + inner + `}`,
		`{"_a":[{"pageref":"in"}],` + inner + `}`:        ``,
	} {
		for _, note := range []string{"", "why"} {
			var entry har.Entry
			asked := ""
			if err := entry.Copy([]byte(in), func(page string) string { asked = page; return note }); err != nil {
				t.Fatalf("%s: %v", in, err)
			}
			var out bytes.Buffer
			w := har.NewWriter(&out, nil)
			if err := errors.Join(w.WriteEntry(&entry), w.Close()); err != nil {
				t.Fatal(err)
			}
			valid(t, out.Bytes())
			exp, page, notes := in, "", 0
			if want != "" {
				page = "p"
			}
			if want != "" && note != "" {
				exp, notes = want, 1
			}
			if !bytes.Contains(out.Bytes(), []byte("[\n"+exp+"\n]")) || asked != page || len(entry.Notes()) != notes {
				t.Errorf("%s: asked for %q, notes %q, wrote\n%s\nwant\n%s", in, asked, entry.Notes(), out.Bytes(), exp)
			}
		}
	}
}

// TestCopyLog: what the other HAR says besides its entries is written before them as far
// as it is known then, and the rest behind them, once.
func TestCopyLog(t *testing.T) {
	page := har.Page{ID: "p1", StartedDateTime: "2026-11-22T10:00:00Z"}
	bad := har.Page{ID: "p2", StartedDateTime: "2026-11-22"}
	all := har.Log{Comment: "c", Browser: har.Agent{Name: "b"}, Pages: []har.Page{page, bad}}
	if ids := all.PageIDs(); len(ids) != 1 || !ids["p1"] {
		t.Error(ids)
	}
	const (
		before  = `{"log":{"version":"1.2","creator":{"name":"flowtool","version":""},`
		browser = `"browser":{"name":"b","version":"","comment":""}`
		pages   = `"pages":[{"id":"p1","title":"","startedDateTime":"2026-11-22T10:00:00Z","comment":"","pageTimings":{}}]`
	)
	for _, tt := range []struct {
		head, log  har.Log
		begin, end string
		missing    int64
	}{
		{all, all, browser + `,` + pages + `,"comment":"c",`, ``, 2},
		{har.Log{}, all, ``, `,` + browser + `,` + pages + `,"comment":"c"`, 2},
		{har.Log{Comment: "c"}, all, `"comment":"c",`, `,` + browser + `,` + pages, 2},
		{har.Log{Pages: []har.Page{}}, all, `"pages":[],`, `,` + browser + `,"comment":"c"`, 3},
		{har.Log{}, har.Log{}, ``, `,"pages":[]`, 3},
	} {
		for _, indent := range []string{"", "\t"} {
			var out bytes.Buffer
			w := har.NewWriter(&out, &har.WriterOptions{Indent: indent, Log: func(atEnd bool) har.Log {
				if atEnd {
					return tt.log
				}
				return tt.head
			}})
			var entry har.Entry
			list := ""
			for _, id := range []string{"p1", "p2", "p2"} {
				raw := `{"pageref":"` + id + `",` + copied[1:]
				if list += raw + ","; entry.Copy([]byte(raw), nil) != nil {
					t.Fatal("not copied")
				}
				if err := w.WriteEntry(&entry); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			valid(t, out.Bytes())
			want := before + tt.begin + `"entries":[` + list[:len(list)-1] + `]` + tt.end + `}}`
			if got := compacted(t, out.Bytes()); got != want {
				t.Errorf("wrote\n%s\nwant\n%s", got, want)
			}
			if n := w.MissingPages(); n != tt.missing {
				t.Errorf("%d entries name missing pages, want %d", n, tt.missing)
			}
		}
	}
}

// TestHead: what stands before the first entry is told from what stands behind it,
// however small the file is, and whether or not keys have escapes.
func TestHead(t *testing.T) {
	entries := `"entries":[` + copied + `]`
	for in, want := range map[string]string{
		`{"log":{"comment":"a",` + entries + `,"pages":[]}}`:                                        "a",
		`{"log":{` + entries + `,"comment":"a"}}`:                                                   "",
		`{"l\u006fg":{"\u0063omment":"a","\u0065ntries":[null,` + copied + `],"c\u006fmment":"b"}}`: "a",
	} {
		r := har.NewReader(strings.NewReader(in), nil)
		if head := r.Head(); head.Comment != "" {
			t.Error("before reading:", head)
		}
		if e, err := r.ReadEntry(); err != nil || e.Index != 0 {
			t.Fatalf("%s: %v", in, err)
		}
		if head := r.Head(); head.Comment != want || head.Pages != nil {
			t.Errorf("%s: %+v", in, head)
		}
	}
}
