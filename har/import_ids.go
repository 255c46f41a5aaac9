package har

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/google/uuid"
)

// idSpace keeps the ids made here apart from all other UUIDs made by hashing.
var idSpace = uuid.MustParse("b0a4c5e2-6d0f-4f3b-9f43-0f6c1d2a77e9")

// A seed stands for a file in the ids of its flows, so that flows of different
// files have different ones. It is the sum of the start of the first entry.
type seed [sha256.Size]byte

// seedLen is how much of the first entry counts.
const seedLen = 4096

// ids returns two ids for a sequence of strings: always the same, and in the form
// of the random UUIDs that mitmproxy uses.
func (s *seed) ids(kind string, parts ...string) (first, second uuid.UUID) {
	key := make([]byte, 0, 512)
	key = append(append(append(key, idSpace[:]...), s[:]...), kind...)
	for _, p := range parts {
		key = append(binary.AppendUvarint(key, uint64(len(p))), p...)
	}
	sum := sha256.Sum256(key)
	for i := 0; i < len(sum); i += 16 {
		sum[i+6] = sum[i+6]&0x0f | 4<<4 // version
		sum[i+8] = sum[i+8]&0x3f | 2<<6 // variant
	}
	return uuid.UUID(sum[:16]), uuid.UUID(sum[16:])
}

// flowIDs returns the ids of the flow of an entry and of its client connection.
func (e *RawEntry) flowIDs(started, method, url string) (flow, client string) {
	f, c := e.seed.ids("flow", strconv.FormatInt(e.Index, 10), started, method, url)
	return f.String(), c.String()
}

// serverID returns the id of the connection that the file calls name, to a host
// and port. The same name for another host is another connection: some programs
// count for each host anew.
func (e *RawEntry) serverID(name, host string, port int) string {
	id, _ := e.seed.ids("server", name, host, strconv.Itoa(port))
	return id.String()
}

// isUUID tells whether s is an id in the form in which mitmproxy writes them.
func isUUID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}
