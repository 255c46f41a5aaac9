package migrate_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// targets are the versions that To can migrate to.
func targets() []migrate.Version {
	return slices.DeleteFunc(migrate.Versions(), func(v migrate.Version) bool { return migrate.CheckTarget(v) != nil })
}

// All flows of all dumps, each in every fourth version.
func TestDownDumps(t *testing.T) {
	flows, skipped, lossless := 0, 0, 0
	turn, every := 0, 4
	if testing.Short() {
		every = 30
	}
	for _, name := range flowtest.Dumps(t) {
		data := flowtest.Read(t, name)
		for ; len(data) > 0; turn++ {
			m, n := record(data)
			if m == nil {
				break // of a damaged dump what comes before
			}
			raw := data[:n]
			data = data[n:]
			if v, err := migrate.VersionOf(m); err != nil || !migrate.Stateless(v) {
				continue // needs other records
			}
			for i, to := range targets() {
				if (i+turn)%every != 0 {
					continue
				}
				m, _ := record(raw)
				got, losses, err := checkTo(t, m, to)
				if err != nil {
					t.Fatalf("%s to %s: %v", name, to, err)
				}
				if t.Failed() {
					t.Fatalf("%s, to %s", name, to)
				}
				switch {
				case len(got) == 0:
					skipped++
				case len(losses) == 0:
					lossless++
				}
				flows++
			}
		}
	}
	if flows == 0 || skipped == 0 || lossless == 0 {
		t.Error("something does not occur")
	}
	t.Logf("%d migrations, %d without losses, %d flows skipped", flows, lossless, skipped)
}

// Whatever a record holds, it is migrated to any version or refused, and not
// changed. Up gives the rest back unless it is listed as lost.
func FuzzDown(f *testing.F) {
	vs, _ := downVectors(f)
	n := 0
	for _, v := range vs {
		for i := range targets() {
			f.Add(v.Input, uint64(0), uint8(i))
			f.Add(v.Input, uint64(n), uint8(i))
			n++
		}
	}
	for _, v := range flowtest.Vectors[vector](f, "migrate-vectors.jsonl.gz") {
		for data := v.Input; len(data) > 0; n++ {
			_, size := record(data)
			f.Add(data[:size], uint64(0), uint8(n))
			f.Add(data[:size], uint64(n), uint8(n*7))
			data = data[size:]
		}
	}
	all := targets()
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, target uint8) {
		m, _ := record(data)
		if m == nil {
			return
		}
		if seed != 0 {
			if r := rand.New(rand.NewPCG(seed, 1)); seed%2 == 0 {
				mutate(m, r)
			} else {
				vary(m, r)
			}
			data, err := tnetstring.Encode(m.Value())
			if err != nil {
				return
			}
			m, _ = record(data)
		}
		to := all[int(target)%len(all)]
		if _, _, err := checkTo(t, m, to); err != nil {
			_, ok1 := errors.AsType[*migrate.VersionError](err)
			_, ok2 := errors.AsType[*migrate.StepError](err)
			if !ok1 && !ok2 {
				t.Fatalf("error of type %T: %v", err, err)
			}
		}
	})
}

// checkTo migrates m and checks the promises of To.
func checkTo(t *testing.T, m *state.Map, to migrate.Version) ([]*state.Map, []migrate.Loss, error) {
	t.Helper()
	before := encode(t, m)
	from, _ := migrate.VersionOf(m)
	got, losses, err := migrate.NewStream(nil).To(m, to)
	if after := encode(t, m); !bytes.Equal(after, before) {
		t.Fatalf("to %s: the state was changed\n%q\nbefore: %q", to, after, before)
	}
	if err != nil {
		return nil, nil, err
	}
	skipped := slices.ContainsFunc(losses, func(l migrate.Loss) bool { return l.Skipped })
	if skipped != (len(got) == 0) || skipped && len(losses) != 1 {
		t.Fatalf("to %s: %d flows, losses %v", to, len(got), losses)
	}
	want := newest(m)
	var again *state.Map
	s := migrate.NewStream(nil)
	for _, f := range got {
		out := encode(t, f)
		f, _ := record(out)
		if v, err := migrate.VersionOf(f); v != to || err != nil {
			t.Fatalf("version %s, %v, want %s", v, err, to)
		}
		again, err = s.Up(f)
		if err != nil && want != nil && from.Compare(migrate.Tuple(1, 0)) >= 0 { // none of these mixes text and bytes
			t.Fatalf("to %s: %v\n%s", to, err, flowtest.Dump(f.Value(), false))
		}
	}
	if again == nil || want == nil || needsOthers(m) || oddText(want) {
		return got, losses, nil
	}
	for _, l := range losses {
		if from.Compare(to) <= 0 && !within(l.Path, "/backup") { // which may be newer
			t.Fatalf("up to %s: loss %s", to, l)
		}
	}
	want, again = newest(want), newest(again)
	ignoreLink(want, again, to)
	changed := changes(want.Value(), again.Value(), "")
	for _, p := range changed {
		if from.Compare(migrate.Number(10)) < 0 && (len(losses) > 0 || strings.HasSuffix(string(p), "_conn/id")) {
			continue // computed from what is lost, or from bytes instead of text
		}
		if p == "/is_replay" && from.Compare(migrate.Number(9)) < 0 {
			continue // snapshots had it in the response too
		}
		if p == "/request/host" && from.Compare(migrate.Tuple(1, 0)) < 0 {
			continue // text where Python 2 had bytes
		}
		if !slices.ContainsFunc(losses, func(l migrate.Loss) bool { return within(p, l.Path) || within(l.Path, p) }) {
			t.Errorf("%s to %s: %s is not the same and not listed as lost\nlosses: %v\nwas: %s\nis: %s",
				from, to, p, losses, flowtest.Dump(want.Value(), false), flowtest.Dump(again.Value(), false))
		}
	}
	if from != migrate.Newest {
		return got, losses, nil
	}
	for _, l := range losses {
		if backup, _ := want.Get("backup"); l.What == "unknown key" || within(l.Path, "/backup") && backup.IsNull() {
			continue // up would lose it as well
		}
		if strings.HasSuffix(string(l.Path), "/nan") {
			continue // a key that never equals itself
		}
		if !slices.ContainsFunc(changed, func(p state.Path) bool { return within(p, l.Path) || within(l.Path, p) }) {
			t.Errorf("%s to %s: %s is listed as lost, but it is not\nis: %s", from, to, l,
				flowtest.Dump(again.Value(), false))
		}
	}
	return got, losses, nil
}

// newest returns what Up makes of m, or nil if it cannot be migrated. A state of
// the newest version gets the shape of one that was, and so does its backup.
func newest(m *state.Map) *state.Map {
	m = m.Clone()
	if b, err := m.Map("backup"); err == nil {
		m.Set("backup", newest(b).Value())
	}
	if v, _ := migrate.VersionOf(m); v == migrate.Newest {
		m.DeleteKey(state.Bytes([]byte("version")))
		m.Set("version", state.Int(20))
	}
	m, err := migrate.NewStream(nil).Up(m)
	if err != nil {
		return nil
	}
	return m
}

// needsOthers tells whether what becomes of m depends on other records.
func needsOthers(m *state.Map) bool {
	for _, typ := range []state.Value{state.Text("type"), state.Bytes([]byte("type"))} {
		v, _ := m.GetKey(typ)
		if strings.Contains(v.String(), "websocket") {
			return true
		}
	}
	return false
}

// oddText tells whether a flow has text where mitmproxy has bytes, or the other way
// round, at a place where nobody looks. Versions without text mix them up.
func oddText(m *state.Map) bool {
	if id, _ := m.Get("id"); id.Kind() != state.KindText {
		return true
	}
	if v, _ := m.Get("intercepted"); v.Kind() != state.KindBool {
		return true
	}
	for _, key := range []string{"request", "response"} {
		msg, err := m.Map(key)
		if err != nil {
			continue
		}
		for _, key := range []string{"headers", "trailers"} {
			if v, ok := msg.Get(key); ok && !v.IsNull() && !v.Pairs(func(_, _ []byte) bool { return true }) {
				return true
			}
		}
	}
	return false
}

// ignoreLink removes what flows have to say of their handshake once they were
// apart from it.
func ignoreLink(want, got *state.Map, to migrate.Version) {
	if v, _ := want.Get("websocket"); v.IsNull() || to.Compare(migrate.Number(12)) >= 0 {
		return
	}
	for _, m := range []*state.Map{want, got} {
		if metadata, err := m.Map("metadata"); err == nil {
			for _, key := range []string{"websocket", "websocket_flow", "duplicated"} {
				metadata.Delete(key)
			}
		}
	}
}

// changes returns the paths at which a and b differ.
func changes(a, b state.Value, at state.Path) (paths []state.Path) {
	x, err1 := a.Map()
	y, err2 := b.Map()
	if err1 != nil || err2 != nil {
		if !state.Equal(a, b) && !(strings.HasSuffix(string(at), "/timestamp_created") && sameTime(a, b)) {
			paths = append(paths, at)
		}
		return paths
	}
	key := func(k state.Value) state.Path {
		if s, err := k.Text(); err == nil {
			return at.Key(s)
		}
		return at.Key(k.String())
	}
	for k, v := range x.All() {
		if !state.SameKey(k, k) {
			continue // NaN
		}
		if w, ok := y.GetKey(k); ok {
			paths = append(paths, changes(v, w, key(k))...)
		} else {
			paths = append(paths, key(k))
		}
	}
	for k := range y.All() {
		if _, ok := x.GetKey(k); !ok && state.SameKey(k, k) {
			paths = append(paths, key(k))
		}
	}
	return paths
}

func sameTime(a, b state.Value) bool {
	x, err1 := a.Number()
	y, err2 := b.Number()
	return err1 == nil && err2 == nil && x == y
}

// within tells whether one path leads to the place of the other or into it. Keys
// that were bytes may be text now.
func within(path, parent state.Path) bool {
	asText := strings.NewReplacer(`/b"`, "/", `"`, "", "infinity", "inf")
	a, b := asText.Replace(strings.ToLower(string(path))), asText.Replace(strings.ToLower(string(parent)))
	return a == b || strings.HasPrefix(a, b+"/")
}

type list = []any

// varied are values that flows of the newest version may have.
var varied = map[string]list{
	"/id":                              {"", "x", "00000000-0000-4000-8000-000000000010"},
	"/error":                           {nil, map[string]any{"msg": "café", "timestamp": 1.0}},
	"/intercepted":                     {true},
	"/is_replay":                       {nil, "request", "response", "x"},
	"/marked":                          {"", ":default:", ":grapes:", 1},
	"/comment":                         {"", "c"},
	"/timestamp_created":               {946681200, 1.5},
	"/metadata":                        {map[string]any{}, map[string]any{"a": 1}, map[string]any{"a": list{[]byte("\xff"), 1}}, map[string]any{"duplicated": "x"}},
	"/metadata/websocket":              {true, false, nil},
	"/client_conn/peername":            {list{}, list{"::1", 1, 0, 0}, list{"::1", 1}},
	"/client_conn/sockname":            {list{"", 0}, list{"h", 1}},
	"/client_conn/id":                  {"x"},
	"/client_conn/transport_protocol":  {"udp", "tcp"},
	"/client_conn/error":               {nil, "e"},
	"/client_conn/tls":                 {true, false},
	"/client_conn/certificate_list":    {list{}, list{[]byte("a")}, list{[]byte("a"), []byte("b")}, list{[]byte("")}},
	"/client_conn/alpn":                {nil, []byte(""), []byte("h2")},
	"/client_conn/alpn_offers":         {list{}, list{[]byte("h2")}, list{[]byte("h2"), []byte("x")}},
	"/client_conn/cipher":              {nil, "C"},
	"/client_conn/cipher_list":         {list{}, list{"C"}, list{"C", "D"}},
	"/client_conn/tls_version":         {nil, "QUICv1", "TLSv1.3"},
	"/client_conn/sni":                 {nil, "h", "ü"},
	"/client_conn/timestamp_start":     {1.0, 946681200},
	"/client_conn/timestamp_tls_setup": {nil, 1.0},
	"/client_conn/mitmcert":            {nil, []byte("a")},
	"/client_conn/proxy_mode": {"regular", "Regular", "regular@8080", "transparent", "tun", "local:x", "x",
		"reverse:http3://h:1", "reverse:QUIC://h:1", "reverse:http://h", "upstream:http://p"},
	"/server_conn/peername":            {nil, list{"h", 1}},
	"/server_conn/sockname":            {nil, list{"h", 1}},
	"/server_conn/address":             {nil, list{"h", 1}, list{"::1", 1}},
	"/server_conn/id":                  {"x"},
	"/server_conn/error":               {nil, "e"},
	"/server_conn/tls":                 {true, false},
	"/server_conn/certificate_list":    {list{}, list{[]byte("a")}, list{[]byte("a"), []byte("b")}},
	"/server_conn/alpn":                {nil, []byte("h2")},
	"/server_conn/alpn_offers":         {list{}, list{[]byte("h2")}},
	"/server_conn/cipher":              {nil, "C"},
	"/server_conn/cipher_list":         {list{}, list{"C"}},
	"/server_conn/tls_version":         {nil, "QUICv1"},
	"/server_conn/sni":                 {nil, "h", "ü"},
	"/server_conn/timestamp_end":       {nil, 7.0},
	"/server_conn/timestamp_tls_setup": {nil, 1.0},
	"/server_conn/via":                 {nil, list{"http", list{"h", 80}}, list{"http3", list{"h", 80}}},
	"/request/http_version":            {[]byte("HTTP/1.1"), []byte("HTTP/3"), []byte("HTTP/3.0"), []byte("ICY")},
	"/request/content":                 {nil, []byte("")},
	"/request/trailers":                {nil, list{}, list{list{[]byte("a"), []byte("b")}}},
	"/request/timestamp_start":         {0, 1.5},
	"/request/host":                    {"", "h", "münchen.x", "straße", "MÜNCHEN.x", "xn--mnchen-3ya", "xn--strae-oqa", "mü。x"},
	"/request/method":                  {[]byte("GET"), []byte("CONNECT")},
	"/request/authority":               {[]byte(""), []byte("h")},
	"/response":                        {nil},
	"/response/trailers":               {nil, list{list{[]byte("a"), []byte("b")}}},
	"/response/http_version":           {[]byte("HTTP/2.0"), []byte("HTTP/2")},
	"/websocket":                       {nil},
	"/websocket/messages": {list{}, list{list{1, true, []byte("a"), 1, true, true}},
		list{list{1, false, []byte("\xff"), 1, false, false}}},
	"/websocket/closed_by_client": {nil, true, false},
	"/websocket/close_code":       {nil, 1000, -1},
	"/websocket/close_reason":     {nil, "", "r"},
	"/websocket/timestamp_end":    {nil, 7.0, 8.0},
}

// vary gives some of the keys of m that are there other values.
func vary(m *state.Map, r *rand.Rand) {
	paths := slices.Sorted(maps.Keys(varied))
	for range 1 + r.IntN(5) {
		path := paths[r.IntN(len(paths))]
		v := varied[path][r.IntN(len(varied[path]))]
		set(m, strings.Split(path, "/")[1:], flowtest.Value(v))
		if b, err := m.Map("backup"); err == nil && r.IntN(2) == 0 {
			set(b, strings.Split(path, "/")[1:], flowtest.Value(v))
		}
	}
}

func set(m *state.Map, keys []string, v state.Value) {
	for len(keys) > 1 {
		sub, err := m.Map(keys[0])
		if err != nil {
			return
		}
		m, keys = sub, keys[1:]
	}
	if m.Has(keys[0]) {
		m.Set(keys[0], v)
	}
}
