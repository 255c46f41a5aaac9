package jsonstring

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// digits has the two digits in base64 for twelve bits.
var digits = func() (t [1 << 12]uint16) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&63])<<8
	}
	return t
}()

// AppendBase64 appends data in base64, with padding and in the standard alphabet, in
// half the time that package base64 takes.
func AppendBase64(dst, data []byte) []byte {
	start, n := len(dst), base64.StdEncoding.EncodedLen(len(data))
	dst = slices.Grow(dst, n)[:start+n]
	out := dst[start:]
	for len(data) >= 8 && len(out) >= 8 {
		// The last two of the eight bytes are for the next turn.
		x := binary.BigEndian.Uint64(data)
		binary.LittleEndian.PutUint64(out, uint64(digits[x>>52])|uint64(digits[x>>40&0xfff])<<16|
			uint64(digits[x>>28&0xfff])<<32|uint64(digits[x>>16&0xfff])<<48)
		data, out = data[6:], out[8:]
	}
	base64.StdEncoding.Encode(out, data)
	return dst
}
