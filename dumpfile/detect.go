package dumpfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// Format is what an input turned out to be.
type Format uint8

// The formats that are told apart.
const (
	FormatUnknown Format = iota
	FormatEmpty
	FormatDump
	FormatHAR
	FormatJSON
)

func (f Format) String() string {
	switch f {
	case FormatEmpty:
		return "empty"
	case FormatDump:
		return "mitm"
	case FormatHAR:
		return "har"
	case FormatJSON:
		return "json"
	}
	return "unknown"
}

// Container is the compression around an input.
type Container uint8

// The containers that are undone when reading.
const (
	ContainerNone Container = iota
	ContainerGzip
	ContainerZstd
)

func (c Container) String() string {
	switch c {
	case ContainerGzip:
		return "gzip"
	case ContainerZstd:
		return "zstd"
	}
	return "none"
}

const (
	// sniffFirst is how much of an input is looked at first: a byte order mark,
	// the longest length, and what follows it. No flow is shorter.
	sniffFirst = 3 + tnetstring.MaxPrefix + 1
	// sniffLen is how much is looked at if it is no dump.
	sniffLen = 4096
)

const (
	bom        = "\xef\xbb\xbf"
	whitespace = " \t\r\n"
)

// detectContainer looks for the magic numbers of gzip and of zstd frames,
// skippable ones included.
func detectContainer(head []byte) Container {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return ContainerGzip
	case len(head) >= 4:
		if magic := binary.LittleEndian.Uint32(head); magic == 0xfd2fb528 || magic&^0xf == 0x184d2a50 {
			return ContainerZstd
		}
	}
	return ContainerNone
}

// detectFormat tells what an input is from its first bytes. skip is the number
// of bytes before the first record: a byte order mark, or white space in an
// otherwise empty file.
func detectFormat(head []byte, all bool) (f Format, skip int) {
	text := bytes.TrimPrefix(head, []byte(bom))
	skip = len(head) - len(text)
	trimmed := bytes.TrimLeft(text, whitespace)
	switch {
	case len(trimmed) == 0 && all:
		return FormatEmpty, len(head)
	case len(trimmed) == 0:
		return FormatUnknown, 0
	case trimmed[0] == '{' || trimmed[0] == '[':
		if isHAR(trimmed) {
			return FormatHAR, 0
		}
		if looksJSON(trimmed, all) {
			return FormatJSON, 0
		}
	case text[0] >= '0' && text[0] <= '9' && looksRecord(text):
		return FormatDump, skip
	}
	return FormatUnknown, 0
}

// looksRecord tells whether text begins like a record: digits, then a colon.
// Too many digits still look like a record, a damaged one, whatever follows: the
// answer must not depend on how much of the input is at hand.
func looksRecord(text []byte) bool {
	rest := bytes.TrimLeft(text, "0123456789")
	return len(rest) == 0 || rest[0] == ':' || len(text)-len(rest) > tnetstring.MaxPrefix
}

// isHAR tells whether text begins like a HAR: an object with the key "log", which
// need not be the first, a log, or an entry of one; or an array of them.
func isHAR(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	t, err := d.Token()
	if t == json.Delim('[') {
		t, err = d.Token()
	}
	if err != nil || t != json.Delim('{') {
		return false
	}
	for {
		key, err := d.Token()
		if err != nil || key == json.Delim('}') {
			return false
		}
		if key == "log" || key == "entries" || key == "startedDateTime" {
			return true
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return false
		}
	}
}

// looksJSON tells whether text begins like a JSON value.
func looksJSON(text []byte, all bool) bool {
	rest := bytes.TrimLeft(text[1:], whitespace)
	if len(rest) == 0 {
		return !all
	}
	if text[0] == '{' {
		return rest[0] == '"' || rest[0] == '}'
	}
	return strings.IndexByte("{[\"]-0123456789tfn", rest[0]) >= 0
}

// seems describes an input that is not a dump.
func seems(f Format, head []byte) string {
	switch f {
	case FormatHAR:
		return "a HAR file"
	case FormatJSON:
		return "JSON"
	}
	for _, m := range []struct{ magic, name string }{
		{"\xd4\xc3\xb2\xa1", "a pcap capture"}, {"\xa1\xb2\xc3\xd4", "a pcap capture"},
		{"\x4d\x3c\xb2\xa1", "a pcap capture"}, {"\x0a\x0d\x0d\x0a", "a pcapng capture"},
		{"BZh", "bzip2 data"}, {"\xfd7zXZ\x00", "xz data"}, {"7z\xbc\xaf\x27\x1c", "a 7z archive"},
		{"\x04\x22\x4d\x18", "lz4 data"}, {"\x7fELF", "a program"}, {"SQLite format 3\x00", "an SQLite database"},
		{"\x78\x01", "zlib data (a .zhar file, perhaps)"}, {"\x78\x9c", "zlib data (a .zhar file, perhaps)"},
		{"\x78\xda", "zlib data (a .zhar file, perhaps)"}, {"-----BEGIN ", "a PEM file"}, {"%PDF-", "a PDF document"}, {"PK\x03\x04", "a ZIP archive"},
		{"\xff\xfe", "UTF-16 text"}, {"\xfe\xff", "UTF-16 text"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.name
		}
	}
	switch t, _, _ := strings.Cut(http.DetectContentType(head), ";"); {
	case t == "text/html" || t == "text/xml":
		return strings.ToUpper(strings.TrimPrefix(t, "text/"))
	case strings.HasPrefix(t, "text/"):
		return "text"
	case strings.HasPrefix(t, "image/"):
		return article(strings.TrimPrefix(t, "image/")) + " image"
	case strings.HasPrefix(t, "audio/"), strings.HasPrefix(t, "video/"):
		return t[:5] + " data"
	case t != "application/octet-stream":
		return t
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return "nothing but zero bytes"
	}
	if utf8.Valid(head) && bytes.IndexByte(head, 0) < 0 {
		return "text"
	}
	return "binary data"
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + strings.ToUpper(noun)
	}
	return "a " + strings.ToUpper(noun)
}
