package dumpfile

import "github.com/flowtool/flowtool/state"

// shape says where in a record large byte strings are to be expected.
//
// The tag that tells a list from a byte string stands behind the element, so a
// reader that does not want to bring a large element into memory cannot know
// what it is. The names of the keys tell: lists and maps that are listed here are
// walked into, and byte strings that are listed here are what may be dropped from
// a stream (see [ReaderOptions]). Everything else that is large is left in the
// input as a whole if it can be fetched again, and read if it cannot. The tag is
// checked in the end; a record that is not as expected costs time, not
// correctness.
type shape struct {
	kind state.Kind        // bytes, list or map
	keys map[string]*shape // of a map
	elem *shape            // of a list
}

var recordShape = func() *shape {
	body := &shape{kind: state.KindBytes}
	message := &shape{kind: state.KindList, elem: body}
	messages := &shape{kind: state.KindList, elem: message}
	// "body" is what a response called its content in formats 0.14 and 0.15.
	http := &shape{kind: state.KindMap, keys: map[string]*shape{"content": body, "body": body}}
	record := &shape{kind: state.KindMap}
	record.keys = map[string]*shape{
		"request":        http,
		"response":       http,
		"messages":       messages,
		"websocket":      {kind: state.KindMap, keys: map[string]*shape{"messages": messages}},
		"backup":         record,
		"handshake_flow": record,
	}
	return record
}()

// only returns the shape s of a record of which only some keys are to be looked
// into.
func (s *shape) only(keys []string) *shape {
	if keys == nil {
		return s
	}
	out := &shape{kind: s.kind, keys: map[string]*shape{}}
	for _, key := range keys {
		if below := s.keys[key]; below != nil {
			out.keys[key] = below
		}
	}
	return out
}

// below returns the shape of what is stored under a key.
func (s *shape) below(key state.Value) *shape {
	switch key.Kind() {
	case state.KindText:
		b, _ := key.TextBytes()
		return s.keys[string(b)]
	case state.KindBytes:
		b, _ := key.Bytes()
		return s.keys[string(b)]
	}
	return nil
}
