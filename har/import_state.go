package har

import (
	"errors"
	"fmt"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// A kindSet is a set of kinds of values.
type kindSet uint16

func kinds(list ...state.Kind) (s kindSet) {
	for _, k := range list {
		s |= 1 << k
	}
	return s
}

var (
	aMap      = kinds(state.KindMap)
	mapOrNull = kinds(state.KindMap, state.KindNull)
	aList     = kinds(state.KindList)
	aText     = kinds(state.KindText)
	someBytes = kinds(state.KindBytes)
	aNumber   = kinds(state.KindInt)
	aTime     = kinds(state.KindFloat, state.KindInt, state.KindNull)
)

// A need is a key that readers want in the state of a flow, with a value of one of
// some kinds: a flow without it would be the last one that they read of a dump.
type need struct {
	key      string
	kinds    kindSet
	optional bool
}

var (
	flowNeeds = []need{
		{"version", aNumber, false}, {"type", aText, false}, {"id", aText, true}, {"error", mapOrNull, true},
		{"client_conn", aMap, false}, {"server_conn", aMap, false},
		{"intercepted", kinds(state.KindBool), true}, {"is_replay", kinds(state.KindText, state.KindNull), true},
		{"marked", aText, true}, {"metadata", aMap, true}, {"comment", aText, true},
		{"timestamp_created", aTime, true}, {"backup", mapOrNull, true},
		{"request", aMap, false}, {"response", mapOrNull, true}, {"websocket", mapOrNull, true},
	}
	messageNeeds = []need{
		{"http_version", someBytes, true}, {"headers", aList, false},
		{"content", kinds(state.KindBytes, state.KindNull), false}, {"trailers", kinds(state.KindList, state.KindNull), true},
		{"timestamp_start", aTime, true}, {"timestamp_end", aTime, true},
	}
	requestNeeds = append(messageNeeds[:len(messageNeeds):len(messageNeeds)],
		need{"host", aText, false}, need{"port", aNumber, false}, need{"method", someBytes, false},
		need{"scheme", someBytes, false}, need{"authority", someBytes, true}, need{"path", someBytes, false})
	responseNeeds = append(messageNeeds[:len(messageNeeds):len(messageNeeds)],
		need{"status_code", aNumber, false}, need{"reason", someBytes, true})
	webSocketNeeds = []need{{"messages", aList, false}}
)

// A stateMap has the maps of a state.
type stateMap interface {
	// AppendEntries appends the entries of the state or, with a key, of the map
	// under it.
	AppendEntries(dst []jsonl.Entry, key string) []jsonl.Entry
}

// checkState returns what keeps a state from being that of an HTTP flow, as far as
// every reader of it looks, save for the messages of a WebSocket, if it has one.
// Headers that are among from may be null.
func (r *restorer) checkState(s stateMap) (webSocket bool, err error) {
	for _, part := range [...]struct {
		key      string
		needs    []need
		headers  string // the part that they are
		optional bool   // it may be empty
	}{
		{"", flowNeeds, "", false},
		{"request", requestNeeds, partRequestHeaders, false},
		{"response", responseNeeds, partResponseHeaders, true},
		{"websocket", webSocketNeeds, "", true},
	} {
		r.entries = s.AppendEntries(r.entries[:0], part.key)
		if part.optional && len(r.entries) == 0 {
			continue
		}
		given := part.headers != "" && r.from.has(part.headers)
		if err := checkNeeds(r.entries, part.needs, given); err != nil {
			if part.key != "" {
				err = fmt.Errorf("%s: %w", part.key, err)
			}
			return false, err
		}
	}
	return len(r.entries) > 0, nil // those of the last part
}

// checkNeeds is checkState for one map, whose headers may be null if they are given.
func checkNeeds(entries []jsonl.Entry, needs []need, given bool) error {
	found, next := uint(0), 0
	for i := range entries {
		e := &entries[i]
		at := needOf(needs, e.Key, next)
		if at < 0 {
			continue
		}
		n := &needs[at]
		if n.kinds&(1<<e.Kind) == 0 && !(given && e.Kind == state.KindNull && n.key == "headers") {
			return fmt.Errorf("%s is a %s", n.key, e.Kind)
		}
		found |= 1 << at
		next = at + 1
	}
	for i := range needs {
		if !needs[i].optional && found&(1<<i) == 0 {
			return fmt.Errorf("%s is missing", needs[i].key)
		}
	}
	return nil
}

// needOf returns the position of a key, which is probably next; -1 if it is not
// among needs.
func needOf(needs []need, key []byte, next int) int {
	if next < len(needs) && needs[next].key == string(key) {
		return next
	}
	for i := range needs {
		if needs[i].key == string(key) {
			return i
		}
	}
	return -1
}

// checkVersion returns what is wrong with the version and type of a state.
func checkVersion(version int64, ok bool, kind string) error {
	switch {
	case !ok || version != flow.Version:
		return fmt.Errorf("not of version %d", flow.Version)
	case kind != "http":
		return errors.New("not an HTTP flow")
	}
	return nil
}

// checkMap is checkState for a state that was read already, version, type and the
// messages of a WebSocket included.
func (r *restorer) checkMap(m *state.Map) error {
	version, err := m.Int64("version")
	kind, _ := m.Text("type")
	if err := checkVersion(version, err == nil, kind); err != nil {
		return err
	}
	webSocket, err := r.checkState(readState{m})
	if err != nil || !webSocket {
		return err
	}
	w, err := m.Map("websocket")
	if err != nil {
		return err
	}
	return checkMessages(w, r.from.has(partMessages))
}

// A readState is a state that was read already.
type readState struct{ m *state.Map }

// AppendEntries implements stateMap.
func (s readState) AppendEntries(dst []jsonl.Entry, key string) []jsonl.Entry {
	m := s.m
	if key != "" {
		var err error
		if m, err = m.Map(key); err != nil {
			return dst
		}
	}
	for k, v := range m.All() {
		if k.Kind() != state.KindText {
			continue
		}
		if name, err := k.TextBytes(); err == nil {
			dst = append(dst, jsonl.Entry{Key: name, Kind: v.Kind()})
		}
	}
	return dst
}

// checkMessages returns what is wrong with the messages of a WebSocket. Their
// contents may be null if the visible fields have them.
func checkMessages(w *state.Map, visible bool) error {
	list, err := w.List("messages")
	if err != nil {
		return err
	}
	for i, v := range list.All() {
		m, err := v.List()
		if err != nil || m.Len() <= messageContent {
			return fmt.Errorf("websocket: message %d is no list of opcode, direction and content", i)
		}
		switch kind := m.At(messageContent).Kind(); {
		case kind == state.KindBytes, kind == state.KindNull && visible:
		default:
			return fmt.Errorf("websocket: the content of message %d is a %s", i, kind)
		}
	}
	return nil
}
