package searchtext

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the largest window that the reference implementation accepts unless told
// otherwise.
const maxZstdWindow = 128 << 20

// zst decodes frames in memory. Their structure is looked at first: the decoder overlooks some
// trailing bytes, and allocates whatever a frame announces.
func (d *BodyDecoder) zst(buf, raw []byte, limit int) ([]byte, error) {
	size, window, err := zstdSize(raw)
	if err != nil {
		return buf, err
	}
	if size > int64(limit) {
		return buf, errLimit
	}
	if d.zstd == nil {
		d.zstd, err = zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1), // there are no goroutines then, and need not be closed
			zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			panic("searchtext: invalid zstd options: " + err.Error())
		}
	}
	// The decoder applies its limit also to the window, which says little about the content.
	if most := max(limit, min(window, maxZstdWindow), zstd.MinWindowSize); most != d.zstdMost {
		if err := d.zstd.ResetWithOptions(nil, zstd.WithDecoderMaxMemory(uint64(most))); err != nil {
			panic("searchtext: invalid zstd options: " + err.Error())
		}
		d.zstdMost = most
	}
	out, err := d.zstd.DecodeAll(raw, buf)
	if out == nil {
		out = buf
	}
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || err == nil && len(out) > limit {
		err = errLimit
	}
	return out, err
}

// zstdSize returns the size of the content that frames announce, or 0 if one does not, the largest
// window of those that announce one, and errCorrupt unless there are complete frames and nothing
// else, or if one announces more content than its blocks can have.
func zstdSize(raw []byte) (size int64, window int, err error) {
	known := true
	for len(raw) > 0 {
		content, w, rest, err := zstdFrame(raw)
		if err != nil {
			return 0, 0, err
		}
		window = max(window, w)
		if known = known && content >= 0; known {
			size += content
		}
		raw = rest
	}
	if !known {
		size = 0
	}
	return size, window, nil
}

// zstdFrame cuts a frame off (RFC 8878, 3.1). The size of its content is -1 if it is not announced,
// and the window is 0 if it is as large as the content.
func zstdFrame(raw []byte) (content int64, window int, rest []byte, err error) {
	const (
		magic         = 0xfd2fb528
		skippable     = 0x184d2a50
		maxBlock      = 128 << 10
		singleSegment = 1 << 5
		checksum      = 1 << 2
	)
	if len(raw) < 5 {
		return 0, 0, nil, errCorrupt
	}
	m := binary.LittleEndian.Uint32(raw)
	if m&^15 == skippable {
		if len(raw) < 8 {
			return 0, 0, nil, errCorrupt
		}
		size := int64(binary.LittleEndian.Uint32(raw[4:]))
		if size > int64(len(raw)-8) {
			return 0, 0, nil, errCorrupt
		}
		return 0, 0, raw[8+size:], nil
	}
	if m != magic {
		return 0, 0, nil, errCorrupt
	}
	descriptor := raw[4]
	single := descriptor&singleSegment != 0
	at := 5
	if !single {
		if len(raw) < 6 {
			return 0, 0, nil, errCorrupt
		}
		base := int64(1) << (10 + raw[5]>>3)
		window = int(min(base+base/8*int64(raw[5]&7), 2*maxZstdWindow))
		at++
	}
	at += [...]int{0, 1, 2, 4}[descriptor&3] // the dictionary
	sizeBytes := [...]int{0, 2, 4, 8}[descriptor>>6]
	if sizeBytes == 0 && single {
		sizeBytes = 1
	}
	if len(raw) < at+sizeBytes {
		return 0, 0, nil, errCorrupt
	}
	switch field := raw[at : at+sizeBytes]; sizeBytes {
	case 0:
		content = -1
	case 1:
		content = int64(field[0])
	case 2:
		content = int64(binary.LittleEndian.Uint16(field)) + 256
	case 4:
		content = int64(binary.LittleEndian.Uint32(field))
	case 8:
		content = int64(min(binary.LittleEndian.Uint64(field), math.MaxInt64))
	}
	rest = raw[at+sizeBytes:]

	most := int64(0) // what the blocks can have
	for last := false; !last; {
		if len(rest) < 3 {
			return 0, 0, nil, errCorrupt
		}
		header := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
		last = header&1 != 0
		size := header >> 3
		rest = rest[3:]
		switch header >> 1 & 3 {
		case 0:
			most += int64(size)
		case 1: // one byte, repeated
			most += int64(size)
			size = 1
		case 2:
			most += maxBlock
		default:
			return 0, 0, nil, errCorrupt
		}
		if size > len(rest) {
			return 0, 0, nil, errCorrupt
		}
		rest = rest[size:]
	}
	if content > most {
		return 0, 0, nil, errCorrupt
	}
	if descriptor&checksum != 0 {
		if len(rest) < 4 {
			return 0, 0, nil, errCorrupt
		}
		rest = rest[4:]
	}
	return content, window, rest, nil
}
