package flowpack

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// FormatVersion is the version of the format that a Writer writes, and the
// newest that a Reader reads.
const FormatVersion = 1

// A Header says what wrote a flowpack.
type Header struct {
	// Version is the version of the format.
	Version int
	// Software is the name of the program that wrote the file, with its version.
	Software string
}

// packedHeader is the content of the first frame. Readers skip what they do not
// know.
type packedHeader struct {
	Version  int    `msgpack:"flowpack"` // headerKey
	Software string `msgpack:"software"`
}

var errHeader = errors.New("the header is damaged")

// pack returns the header in MessagePack.
func (h *Header) pack() ([]byte, error) {
	return msgpack.Marshal(&packedHeader{h.Version, h.Software})
}

// isHeader tells whether the content of a frame is a header.
func isHeader(content []byte) bool {
	key, err := msgpack.Marshal(headerKey)
	return err == nil && len(content) > 1 && isMap(content[0]) && bytes.HasPrefix(content[1:], key)
}

// parseHeader is the reverse of pack.
func parseHeader(content []byte) (*Header, error) {
	var p packedHeader
	if !isHeader(content) {
		return nil, errHeader
	}
	if err := msgpack.Unmarshal(content, &p); err != nil {
		return nil, fmt.Errorf("%w: %w", errHeader, err)
	}
	if p.Version < 1 || p.Version > FormatVersion {
		return nil, &VersionError{Version: p.Version}
	}
	return &Header{p.Version, p.Software}, nil
}
