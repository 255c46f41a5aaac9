package har

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/flowtool/flowtool/internal/jsonstring"
)

// privateKey is the key of the private field of an entry.
const privateKey = "_mitm"

// privateVersion is the version of the private fields this package writes and
// reads. Others are ignored on import.
const privateVersion = 1

// The parts of a flow that both the visible fields and the private one know, as
// they are named in from and sums; see the package documentation.
const (
	partComment         = "comment"
	partRequest         = "request"
	partRequestHeaders  = "request.headers"
	partRequestContent  = "request.content"
	partResponse        = "response"
	partResponseHeaders = "response.headers"
	partResponseContent = "response.content"
	partWebSocket       = "websocket"          // in sums
	partMessages        = "websocket.messages" // in from
)

// messageContent is the index of the content in the state of a WebSocket
// message.
const messageContent = 2

// A summer makes the sum of the visible values of a part.
type summer struct {
	buf    []byte    // what was added last
	hash   hash.Hash // of what was added before, if hashed
	hashed bool
	any    bool // a value is there
}

// maxSummed is up to which size what is added is collected.
const maxSummed = 1 << 10

// add adds a value that is there.
func (s *summer) add(value []byte) {
	s.size(len(value))
	if len(value) > maxSummed {
		s.flush()
		s.hash.Write(value)
		return
	}
	s.buf = append(s.buf, value...)
}

// addString is add for a string.
func (s *summer) addString(value string) {
	s.size(len(value))
	s.buf = append(s.buf, value...)
}

// addBase64 adds data in base64.
func (s *summer) addBase64(data []byte) {
	s.size(base64.StdEncoding.EncodedLen(len(data)))
	for len(data) > 0 {
		if len(s.buf) > maxSummed {
			s.flush()
		}
		n := min(len(data), 3*maxSummed)
		s.buf = jsonstring.AppendBase64(s.buf, data[:n])
		data = data[n:]
	}
}

// addInt adds an integer.
func (s *summer) addInt(n int64) {
	var digits [20]byte
	value := strconv.AppendInt(digits[:0], n, 10)
	s.size(len(value))
	s.buf = append(s.buf, value...)
}

// addAbsent adds a value that is absent or null.
func (s *summer) addAbsent() { s.buf = append(s.buf, '-') }

// size adds what stands before a value that is there.
func (s *summer) size(n int) {
	if len(s.buf) > maxSummed {
		s.flush()
	}
	s.any = true
	s.buf = append(strconv.AppendInt(s.buf, int64(n), 10), ':')
}

// flush empties buf.
func (s *summer) flush() {
	if s.hash == nil {
		s.hash = sha256.New()
	}
	s.hash.Write(s.buf)
	s.buf, s.hashed = s.buf[:0], true
}

// take returns the sum of what was added, "" if nothing was but values that are
// absent, and makes s ready for the next part.
func (s *summer) take() string {
	sum, there := s.sum()
	if !there {
		return ""
	}
	return hex.EncodeToString(sum[:8])
}

// fits is take for somebody who only wants to know whether the sum is want.
func (s *summer) fits(want []byte) bool {
	sum, there := s.sum()
	if !there {
		return len(want) == 0
	}
	var text [16]byte
	return string(hex.AppendEncode(text[:0], sum[:8])) == string(want)
}

func (s *summer) sum() (sum [sha256.Size]byte, there bool) {
	switch {
	case s.hashed:
		s.flush()
		s.hash.Sum(sum[:0])
		s.hash.Reset()
	case s.any:
		sum = sha256.Sum256(s.buf)
	}
	there = s.any
	s.buf, s.hashed, s.any = s.buf[:0], false, false
	return sum, there
}
