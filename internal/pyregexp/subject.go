package pyregexp

import (
	"encoding/binary"
	"regexp"
	"sync"
	"unicode/utf8"
)

// isASCII reports whether s has no byte from 80 on.
func isASCII(s []byte) bool {
	const high = 0x8080808080808080
	for len(s) >= 32 {
		x := binary.LittleEndian.Uint64(s) | binary.LittleEndian.Uint64(s[8:]) |
			binary.LittleEndian.Uint64(s[16:]) | binary.LittleEndian.Uint64(s[24:])
		if x&high != 0 {
			return false
		}
		s = s[32:]
	}
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// keepBuffer is the number of elements up to which a buffer is kept for the next text.
const keepBuffer = 1 << 20

// buffers has the buffers of matchWidened.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// matchWidened runs re on a text of bytes, each of which has to be a character to re: those from
// 80 on become U+0080 to U+00FF.
func matchWidened(re *regexp.Regexp, text []byte) bool {
	buf := buffers.Get().(*[]byte)
	*buf = appendWidened((*buf)[:0], text)
	ok := re.Match(*buf)
	if cap(*buf) <= keepBuffer {
		buffers.Put(buf)
	}
	return ok
}

// appendWidened appends text to dst with every byte as a character in UTF-8.
func appendWidened(dst, text []byte) []byte {
	high := 0
	for _, c := range text {
		high += int(c >> 7)
	}
	if n := len(text) + high; cap(dst) < n {
		dst = make([]byte, 0, n)
	}
	for _, c := range text {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
		} else {
			dst = append(dst, 0xC0|c>>6, 0x80|c&0x3F)
		}
	}
	return dst
}
