package jsonl_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// TestAppendWithout: the object is the line with null for the parts, and there is none
// for flows that lack one of them.
func TestAppendWithout(t *testing.T) {
	paths := map[jsonl.Parts][2]string{
		jsonl.RequestHeaders: {"request", "headers"}, jsonl.RequestContent: {"request", "content"},
		jsonl.ResponseHeaders: {"response", "headers"}, jsonl.ResponseContent: {"response", "content"},
		jsonl.WebSocketContents: {"websocket", "messages"},
	}
	found := map[jsonl.Parts]int{}
	for _, path := range [][]string{{"real", "ws-v21.mitm"}, {"har", "corpus.mitm"}} {
		for _, record := range flowtest.Records(t, flowtest.Read(t, flowtest.Path(path...))) {
			line, err := jsonl.AppendRecord(nil, record)
			if err != nil {
				t.Fatal(err)
			}
			for parts := range 2 * jsonl.WebSocketContents {
				var want map[string]any
				if err := json.Unmarshal(line, &want); err != nil {
					t.Fatal(err)
				}
				_, raw := want["$raw"]
				there := !raw
				for part, path := range paths {
					if parts&part == 0 {
						continue
					}
					m, _ := want[path[0]].(map[string]any)
					if there = there && m != nil && m[path[1]] != nil; !there {
						break
					}
					if part != jsonl.WebSocketContents {
						m[path[1]] = nil
						continue
					}
					for _, msg := range m[path[1]].([]any) {
						msg.([]any)[2] = nil
					}
				}
				got, ok := jsonl.AppendWithout([]byte("before"), record, parts)
				if ok != there || string(got[:6]) != "before" {
					t.Fatalf("parts %b of %.200s: %v", parts, line, ok)
				}
				if !ok {
					if len(got) > 6 {
						t.Errorf("left %.100q", got)
					}
					continue
				}
				var is map[string]any
				if err := json.Unmarshal(got[6:], &is); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, is); diff != "" {
					t.Fatalf("parts %b (-want +got):\n%s", parts, diff)
				}
				found[parts]++
			}
		}
	}
	for part := range paths {
		if found[part] == 0 {
			t.Errorf("no flow has part %b", part)
		}
	}
}

// TestRepeatsWritten: a list of certificates that was written before is written the same
// way again, and one that begins like it is another.
func TestRepeatsWritten(t *testing.T) {
	v, err := state.Open(&state.Source{
		Codec: tnetstring.Codec{}, Data: flowtest.Records(t, flowtest.Read(t, flowtest.Path("real", "h2-v21.mitm")))[1],
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	server, err := m.Map("server_conn")
	if err != nil {
		t.Fatal(err)
	}
	first := strings.Repeat("certificate\n", 100)
	for i := range 12 {
		list := state.NewList(state.Bytes([]byte(first)), state.Bytes([]byte(strings.Repeat("x", i%4))))
		key := []string{"certificate_list", "cipher_list"}[i%2]
		server.Set(key, list.Value())
		record, err := tnetstring.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		line, err := jsonl.AppendRecord(nil, record)
		if err != nil {
			t.Fatal(err)
		}
		back, err := jsonl.DecodeRecord(nil, line)
		if err != nil || string(back) != string(record) {
			t.Fatalf("%d: another record: %v", i, err)
		}
	}
}
