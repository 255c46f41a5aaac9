package migrate

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"math"
	"math/big"
	"strconv"

	"github.com/google/uuid"

	"github.com/flowtool/flowtool/state"
)

// idSpace keeps the generated ids apart from all other UUIDs made by hashing.
var idSpace = uuid.MustParse("7d1f1d6e-52f3-4c0b-9a3a-0a5c1ef8d1b7")

// newID returns the id for key: always the same, and in the form of the random
// UUIDs that mitmproxy uses.
func newID(key []byte) state.Value {
	return state.Text(uuid.NewHash(sha256.New(), idSpace, key, 4).String())
}

// webSocketID returns the id of the WebSocket flow that is taken off the flow with
// the given id.
func webSocketID(flow string) string {
	id, _ := newID([]byte("websocket" + flow)).Text()
	return id
}

// connectionID returns the id of a connection that began at start and has the
// address addr at its other end (client) or at this one (server). Flows with the
// same client or server connection get the same id. A null address contributes
// nothing.
func connectionID(client bool, start, addr state.Value) (state.Value, error) {
	key := []byte("server")
	if client {
		key = []byte("client")
	}
	key, err := appendKey(key, start)
	if err != nil {
		return state.Value{}, state.At(err, "timestamp_start")
	}
	if addr.IsNull() {
		return newID(key), nil
	}
	l, err := addr.List()
	if err != nil {
		return state.Value{}, err
	}
	for i, e := range l.All() {
		if key, err = appendKey(key, e); err != nil {
			return state.Value{}, state.At(err, i)
		}
	}
	return newID(key), nil
}

// appendKey appends a form of the scalar v that is the same for equal values and
// differs for others, also when several are appended. Equality is Python's: 1,
// 1.0 and true are equal, text never equals bytes. Every NaN equals every other.
func appendKey(b []byte, v state.Value) ([]byte, error) {
	switch v.Kind() {
	case state.KindNull:
		return append(b, '~'), nil
	case state.KindBytes, state.KindText:
		tag, read := byte(','), v.Bytes
		if v.Kind() == state.KindText {
			tag, read = ';', v.TextBytes
		}
		s, err := read()
		b = strconv.AppendInt(append(b, tag), int64(len(s)), 10)
		return append(append(b, ':'), s...), err
	case state.KindBool:
		t, err := v.Bool()
		if t {
			return append(b, "#1:"...), err
		}
		return append(b, "#0:"...), err
	case state.KindInt:
		n, err := v.BigInt()
		if err != nil {
			return b, err
		}
		return append(n.Append(append(b, '#'), 10), ':'), nil
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil {
			return b, err
		}
		if b = append(b, '#'); f == math.Trunc(f) && !math.IsInf(f, 0) {
			n, _ := big.NewFloat(f).Int(nil)
			b = n.Append(b, 10)
		} else {
			b = state.AppendFloat(b, f)
		}
		return append(b, ':'), nil
	}
	return b, typeError("scalar", v)
}

// flowID returns the id of a flow of version 0.10, where flows have none. Equal
// requests are common, so the place in the input is part of it.
func flowID(record int64, m *state.Map) (state.Value, error) {
	h := sha256.New()
	if err := hashValue(h, m.Value()); err != nil {
		return state.Value{}, err
	}
	key := binary.BigEndian.AppendUint64([]byte("flow"), uint64(record))
	return newID(h.Sum(key)), nil
}

// hashedInFull is the size up to which the content of a leaf is hashed. Of larger
// ones only the size is: they may not be in memory.
const hashedInFull = 1024

// hashValue writes all of v to h.
func hashValue(h hash.Hash, v state.Value) error {
	var head [9]byte
	head[0] = byte(v.Kind())
	switch v.Kind() {
	case state.KindBytes, state.KindText:
		binary.BigEndian.PutUint64(head[1:], uint64(v.Len()))
		h.Write(head[:])
		if v.Len() > hashedInFull || !v.InMemory() {
			return nil
		}
		r, err := v.Reader()
		if err == nil {
			_, err = io.Copy(h, r)
		}
		return err
	case state.KindList, state.KindMap:
		elems, err := v.Elements(nil)
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint64(head[1:], uint64(len(elems)))
		h.Write(head[:])
		for _, e := range elems {
			if err := hashValue(h, e); err != nil {
				return err
			}
		}
		return nil
	}
	key, err := appendKey(head[:1], v)
	h.Write(key)
	return err
}

// isUUID tells whether s is an id in the form in which mitmproxy writes them.
func isUUID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}
