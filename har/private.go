package har

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
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

// A summer makes the sum of the visible values of a part.
type summer struct {
	hash hash.Hash
	buf  []byte
	any  bool // a value is there
}

// add adds a value that is there.
func (s *summer) add(value []byte) {
	s.start()
	s.any = true
	s.buf = append(strconv.AppendInt(s.buf[:0], int64(len(value)), 10), ':')
	s.hash.Write(s.buf)
	s.hash.Write(value)
}

// addInt adds an integer.
func (s *summer) addInt(n int64) {
	var digits [20]byte
	s.add(strconv.AppendInt(digits[:0], n, 10))
}

// addAbsent adds a value that is absent or null.
func (s *summer) addAbsent() {
	s.start()
	s.buf = append(s.buf[:0], '-')
	s.hash.Write(s.buf)
}

func (s *summer) start() {
	if s.hash == nil {
		s.hash = sha256.New()
	}
}

// take returns the sum of what was added, "" if nothing was but values that are
// absent, and makes s ready for the next part.
func (s *summer) take() string {
	if !s.any {
		if s.hash != nil {
			s.hash.Reset()
		}
		return ""
	}
	s.buf = s.hash.Sum(s.buf[:0])
	sum := hex.EncodeToString(s.buf[:8])
	s.hash.Reset()
	s.any = false
	return sum
}
