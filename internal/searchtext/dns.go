package searchtext

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"unicode/utf8"
)

// The types of DNS records that have a text of their own.
const (
	typeA     = 1
	typeNS    = 2
	typeCNAME = 5
	typePTR   = 12
	typeTXT   = 16
	typeAAAA  = 28
	typeHTTPS = 65
)

// DNSText builds the text of a DNS message that operators ~b, ~bq and ~bs search: the names of all
// questions and then the data of all records, in their order, one below the other
// (str(message).encode() in mitmproxy). The zero value is that of a message with neither.
type DNSText struct {
	text  []byte
	lines int
}

// Reset makes t empty again. Its memory is from then on that of buf, which may be nil.
func (t *DNSText) Reset(buf []byte) { t.text, t.lines = buf[:0], 0 }

// Question adds a question by its name.
func (t *DNSText) Question(name []byte) {
	t.line()
	t.text = append(t.text, name...)
}

// Record adds a record.
func (t *DNSText) Record(rtype int64, data []byte) {
	t.line()
	t.text = AppendRecordData(t.text, rtype, data)
}

func (t *DNSText) line() {
	if t.lines > 0 {
		t.text = append(t.text, "\r\n"...)
	}
	t.lines++
}

// Bytes returns the text so far.
func (t *DNSText) Bytes() []byte { return t.text }

// AppendRecordData appends the data of a DNS record as mitmproxy shows them (str(record)):
// addresses, names, the octets of TXT records with the lengths between them, HTTPS records as a
// Python dict, everything else in hexadecimal digits.
func AppendRecordData(dst []byte, rtype int64, data []byte) []byte {
	start := len(dst)
	ok, name := false, ""
	switch rtype {
	case typeA:
		name = "A"
		dst, ok = appendIP(dst, data, 4)
	case typeAAAA:
		name = "AAAA"
		dst, ok = appendIP(dst, data, 16)
	case typeNS:
		name = "NS"
		dst, ok = appendWholeDomain(dst, data)
	case typeCNAME:
		name = "CNAME"
		dst, ok = appendWholeDomain(dst, data)
	case typePTR:
		name = "PTR"
		dst, ok = appendWholeDomain(dst, data)
	case typeTXT:
		name = "TXT"
		if ok = utf8.Valid(data); ok {
			dst = append(dst, data...)
		}
	case typeHTTPS:
		name = "HTTPS"
		dst, ok = appendHTTPS(dst, data)
	}
	if ok {
		return dst
	}
	dst = append(dst[:start], "0x"...)
	dst = hex.AppendEncode(dst, data)
	if name != "" {
		dst = append(dst, " (invalid "...)
		dst = append(dst, name...)
		dst = append(dst, " data)"...)
	}
	return dst
}

// appendIP shows an address as Go and Python since 3.13 do, with the last four octets of an
// IPv4-mapped one in decimal.
func appendIP(dst, data []byte, size int) ([]byte, bool) {
	if len(data) != size {
		return dst, false
	}
	a, _ := netip.AddrFromSlice(data)
	return a.AppendTo(dst), true
}

func appendWholeDomain(dst, data []byte) ([]byte, bool) {
	dst, rest, ok := appendDomain(dst, data)
	return dst, ok && len(rest) == 0
}

// appendDomain appends the name that data begin with, and returns what follows it. The root is the
// empty text. A label may contain dots, and then stands for several.
func appendDomain(dst, data []byte) (text, rest []byte, ok bool) {
	for first := true; ; first = false {
		if len(data) == 0 || data[0] > maxLabel || len(data) <= int(data[0]) {
			return dst, nil, false
		}
		label := data[1 : 1+data[0]]
		data = data[1+len(label):]
		if len(label) == 0 {
			return dst, data, true
		}
		if !first {
			dst = append(dst, '.')
		}
		if dst, ok = appendName(dst, label); !ok {
			return dst, nil, false
		}
	}
}

// serviceKeys are the names of the parameters of HTTPS records (RFC 9460).
var serviceKeys = [...]string{"mandatory", "alpn", "no_default_alpn", "port", "ipv4hint", "ech", "ipv6hint"}

// appendHTTPS shows the data of an HTTPS record as a Python dict.
func appendHTTPS(dst, data []byte) ([]byte, bool) {
	if len(data) < 2 {
		return dst, false
	}
	priority := int16(binary.BigEndian.Uint16(data))
	var buf [64]byte
	name, data, ok := appendDomain(buf[:0], data[2:])
	if !ok {
		return dst, false
	}
	dst = append(dst, "{'target_name': "...)
	dst = appendTextRepr(dst, name)
	dst = append(dst, ", 'priority': "...)
	dst = strconv.AppendInt(dst, int64(priority), 10)

	params, ok := serviceParams(data)
	if !ok {
		return dst, false
	}
	escaped := buf[:0]
	for _, p := range params {
		dst = append(dst, ", "...)
		if int(p.key) < len(serviceKeys) {
			dst = append(dst, '\'')
			dst = append(dst, serviceKeys[p.key]...)
			dst = append(dst, '\'')
		} else {
			dst = strconv.AppendUint(dst, uint64(p.key), 10)
		}
		dst = append(dst, ": "...)
		escaped = appendEscaped(escaped[:0], p.value)
		dst = appendTextRepr(dst, escaped)
	}
	return append(dst, '}'), true
}

type serviceParam struct {
	key   uint16
	value []byte
}

// serviceParams splits the parameters of an HTTPS record. One that is repeated is at its first
// place with its last value, as in a Python dict.
func serviceParams(data []byte) (params []serviceParam, ok bool) {
	var seen map[uint16]int
	for len(data) > 0 {
		if len(data) < 4 {
			return nil, false
		}
		key, size := binary.BigEndian.Uint16(data), int(binary.BigEndian.Uint16(data[2:]))
		data = data[4:]
		if size > len(data) {
			return nil, false
		}
		if seen == nil {
			seen = map[uint16]int{}
		}
		if i, again := seen[key]; again {
			params[i].value = data[:size]
		} else {
			seen[key] = len(params)
			params = append(params, serviceParam{key, data[:size]})
		}
		data = data[size:]
	}
	return params, true
}

// appendEscaped appends b as mitmproxy escapes bytes for people (bytes_to_escaped_str): like repr,
// but with no quote escaped. It loses all but one of several backslashes before a single quote.
func appendEscaped(dst, b []byte) []byte {
	backslashes := 0
	for _, c := range b {
		if c == '\\' {
			backslashes++
		} else {
			if c == '\'' && backslashes > 1 {
				dst = dst[:len(dst)-2*(backslashes-1)]
			}
			backslashes = 0
		}
		dst = appendEscapedByte(dst, c, '\\')
	}
	return dst
}
