package coding

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// charset is one character set. decode reports whether all of data were valid in it.
type charset struct {
	name   string
	decode func(data []byte) (text string, ok bool)
}

var (
	charsetUTF8    = charset{"utf-8", decodeUTF8}
	charsetUTF16LE = charset{"utf-16le", utf16Decoder(binary.LittleEndian)}
	charsetUTF16BE = charset{"utf-16be", utf16Decoder(binary.BigEndian)}
	charsetUTF32LE = charset{"utf-32le", utf32Decoder(binary.LittleEndian)}
	charsetUTF32BE = charset{"utf-32be", utf32Decoder(binary.BigEndian)}
	charsetCP1252  = charset{"windows-1252", decodeWindows1252}
)

func utf16Decoder(order binary.ByteOrder) func([]byte) (string, bool) {
	return func(data []byte) (string, bool) { return decodeUTF16(data, order) }
}

func utf32Decoder(order binary.ByteOrder) func([]byte) (string, bool) {
	return func(data []byte) (string, bool) { return decodeUTF32(data, order) }
}

// detectBOM returns the charset that a byte order mark at the start of data announces, and how
// many bytes of the mark are not text. It returns nil if there is no mark.
func detectBOM(data []byte) (c *charset, size int) {
	hasPrefix := func(bom string) bool {
		return len(data) >= len(bom) && string(data[:len(bom)]) == bom
	}
	switch {
	case hasPrefix("\x00\x00\xfe\xff"):
		return &charsetUTF32BE, 0
	case hasPrefix("\xff\xfe\x00\x00"): // before UTF-16, whose mark it begins with
		return &charsetUTF32LE, 0
	case hasPrefix("\xfe\xff"):
		return &charsetUTF16BE, 0
	case hasPrefix("\xff\xfe"):
		return &charsetUTF16LE, 0
	case hasPrefix("\xef\xbb\xbf"):
		return &charsetUTF8, 3
	}
	return nil, 0
}

// lookupCharset returns the charset that label names, or nil. Only letters and digits count, so
// that "UTF_8" and "utf 8" are found as mitmproxy finds them.
func lookupCharset(label string) *charset {
	key := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return -1
	}, label)
	switch key {
	case "utf8", "utf8sig", "unicode11utf8", "unicode20utf8", "xunicode20utf8", "u8", "utf8mb4":
		return &charsetUTF8
	case "utf16", "utf16le", "unicode", "ucs2", "csunicode", "iso10646ucs2", "unicodefeff":
		return &charsetUTF16LE
	case "utf16be", "unicodefffe":
		return &charsetUTF16BE
	case "utf32", "utf32le":
		return &charsetUTF32LE
	case "utf32be":
		return &charsetUTF32BE
	case "windows1252", "cp1252", "xcp1252",
		"iso88591", "iso885911987", "isoir100", "latin1", "l1", "csisolatin1", "cp819", "ibm819",
		"ascii", "usascii", "ansix341968":
		return &charsetCP1252
	}
	return lookupLegacy(label)
}

func decodeUTF8(data []byte) (string, bool) {
	return string(data), utf8.Valid(data)
}

func decodeUTF16(data []byte, order binary.ByteOrder) (string, bool) {
	var sb strings.Builder
	sb.Grow(len(data))
	ok := true
	for len(data) >= 2 {
		r := rune(order.Uint16(data))
		data = data[2:]
		if utf16.IsSurrogate(r) {
			low := rune(utf8.RuneError)
			if len(data) >= 2 {
				low = rune(order.Uint16(data))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				ok = false
			} else {
				data = data[2:]
			}
		}
		sb.WriteRune(r)
	}
	if len(data) > 0 {
		sb.WriteRune(utf8.RuneError)
		ok = false
	}
	return sb.String(), ok
}

func decodeUTF32(data []byte, order binary.ByteOrder) (string, bool) {
	var sb strings.Builder
	sb.Grow(len(data))
	ok := true
	for len(data) >= 4 {
		r := rune(order.Uint32(data))
		if !utf8.ValidRune(r) {
			r, ok = utf8.RuneError, false
		}
		sb.WriteRune(r)
		data = data[4:]
	}
	if len(data) > 0 {
		sb.WriteRune(utf8.RuneError)
		ok = false
	}
	return sb.String(), ok
}

func decodeLatin1(data []byte) string {
	var sb strings.Builder
	sb.Grow(len(data) + len(data)/8)
	for _, b := range data {
		sb.WriteRune(rune(b))
	}
	return sb.String()
}

// windows1252 holds the code points of the bytes 0x80 to 0x9f. The five that Microsoft leaves open
// are C1 controls, as the WHATWG Encoding Standard has them.
var windows1252 = [32]rune{
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
}

func decodeWindows1252(data []byte) (string, bool) {
	var sb strings.Builder
	sb.Grow(len(data) + len(data)/8)
	for _, b := range data {
		r := rune(b)
		if 0x80 <= b && b < 0xa0 {
			r = windows1252[b-0x80]
		}
		sb.WriteRune(r)
	}
	return sb.String(), true
}
