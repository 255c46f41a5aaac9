package har

import (
	"net/netip"
	"strconv"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// serverFacts are what HAR has a place for of the connection to the server. They
// are read from the state, because a [flow.ServerConn] has certificates, ciphers
// and more, which takes longer than anything else here.
type serverFacts struct {
	conn      uint64 // what stands for it; 0 if nothing is known of it
	connected bool
	peer      netip.Addr // invalid if there is none
	port      int64
	start     flow.Timestamp
	tcp, tls  state.Value // timestamps that are rarely needed
}

var serverKeys = [...]string{"id", "peername", "timestamp_start", "timestamp_tcp_setup", "timestamp_tls_setup"}

// server returns the facts about the server of the flow with the state m.
func (r *renderer) server(m *state.Map) (s serverFacts) {
	v := m.Peek("server_conn")
	values := r.picked[:]
	if v == nil {
		r.note("no server connection")
		return s
	}
	if err := v.Pick(serverKeys[:], values); err != nil {
		r.note("server connection: %v", err)
		return s
	}
	if id, err := values[0].TextBytes(); err == nil && len(id) > 0 {
		s.conn = connectionHash(id)
	}
	if address, err := values[1].Elements(r.elems[:0]); err == nil && len(address) >= 2 && values[1].Kind() == state.KindList {
		s.connected = true
		if host, err := address[0].TextBytes(); err == nil {
			s.peer, _ = netip.ParseAddr(string(host))
		}
		s.port, _ = address[1].Int64()
		clear(address)
		r.elems = address
	}
	s.start, s.tcp, s.tls = timestamp(&values[2]), values[3], values[4]
	s.connected = s.connected || !s.start.IsNull()
	return s
}

func timestamp(v *state.Value) flow.Timestamp {
	if sec, err := v.Number(); err == nil {
		return flow.Seconds(sec)
	}
	return flow.Timestamp{}
}

// append appends what an entry has about the connection, only what HAR defines if
// it is plain.
func (s *serverFacts) append(dst []byte, plain bool) []byte {
	if s.peer.IsValid() {
		dst = append(dst, `,"serverIPAddress":"`...)
		dst = append(s.peer.WithZone("").AppendTo(dst), '"')
	}
	if s.port > 0 && !plain {
		dst = strconv.AppendInt(append(dst, `,"_serverPort":`...), s.port, 10)
	}
	if s.conn != 0 && s.connected {
		// Readers take it for a number; this one is exact in all of them.
		dst = append(dst, `,"connection":"`...)
		dst = append(strconv.AppendUint(dst, s.conn>>12, 10), '"')
	}
	return dst
}

// connectionHash returns what stands for a connection, the FNV-1a of its id with
// the lowest bit set; it is never 0.
func connectionHash(id []byte) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h | 1
}
