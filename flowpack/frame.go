package flowpack

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// Magic numbers of frames, all little-endian.
const (
	zstdMagic     = 0xFD2FB528
	ownMagic      = 0x184D2A5D // skippable: the marker and the summary
	tableMagic    = 0x184D2A5E // skippable: the seek table
	tableEnd      = 0x8F92EAB1 // the last four bytes of a seek table
	skipHead      = 8          // bytes of a skippable frame before its content
	markerText    = "flowpack"
	summaryText   = "summary\x00"
	summaryHead   = len(summaryText) + 4 // and the checksum of the rest
	checksumBytes = 4
)

// marker is the frame that every flowpack begins with.
var marker = skippable(ownMagic, []byte(markerText))

// MarkerSize is the number of bytes that [Detect] needs.
const MarkerSize = skipHead + len(markerText)

// Detect tells whether head, the first bytes of a file, is the start of a
// flowpack. A wrong bit does not deceive it.
func Detect(head []byte) bool {
	if len(head) < MarkerSize {
		return false
	}
	wrong := 0
	for i, b := range marker {
		wrong += bits.OnesCount8(b ^ head[i])
	}
	return wrong <= 1
}

// skippable returns a skippable frame.
func skippable(magic uint32, content []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, magic)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(content)))
	return append(out, content...)
}

// place is a frame within a flowpack, as far as it can be checked without
// decompressing it.
type place struct {
	offset  int64  // from the start of the input
	size    int64  // of the frame
	content uint32 // bytes when decompressed
	sum     uint32 // checksum of the content, as the frame has it
	crc     uint32 // CRC-32 of the frame itself; 0 if it is not known
}

func (p *place) end() int64 { return p.offset + p.size }

// Causes of damage to a frame.
var (
	errNoFrame    = errors.New("no frame begins here")
	errFrame      = errors.New("malformed frame")
	errFrameKind  = errors.New("frame without checksum or content size")
	errFrameSize  = errors.New("frame is larger than its content can be")
	errMoreNeeded = errors.New("more bytes needed") // never leaves the package
)

// frameHead decodes the header of a zstd frame.
func frameHead(p []byte) (h zstd.Header, err error) {
	if len(p) < 4 {
		return h, errMoreNeeded
	}
	if binary.LittleEndian.Uint32(p) != zstdMagic {
		return h, errNoFrame
	}
	// The header may need less than the first block header behind it.
	if err := h.Decode(p); err != nil {
		if len(p) < zstd.HeaderMaxSize {
			return h, errMoreNeeded
		}
		return h, errFrame
	}
	if h.HeaderSize > len(p) {
		return h, errMoreNeeded
	}
	if h.DictionaryID != 0 || !h.HasCheckSum || !h.HasFCS {
		return h, errFrameKind
	}
	return h, nil
}

const (
	blockHead = 3
	maxBlock  = 128 << 10
)

// A walker finds the end of a zstd frame from the sizes of its blocks.
type walker struct {
	head zstd.Header
	pos  int   // of the next block header; 0 before the frame header is known
	most int64 // where the frame ends at the latest
	done bool
}

// walk goes on in the frame that p begins with. At the end, size is that of the
// frame; errMoreNeeded asks for at least need bytes.
func (w *walker) walk(p []byte) (size, need int, err error) {
	if w.pos == 0 {
		if w.head, err = frameHead(p); err != nil {
			return 0, zstd.HeaderMaxSize, err
		}
		w.pos = w.head.HeaderSize
		// An encoder stores what it cannot compress.
		n := int64(min(w.head.FrameContentSize, 1<<40))
		w.most = int64(w.pos) + n + (n/1024+1)*(blockHead+1) + maxBlock
	}
	for !w.done {
		if len(p) < w.pos+blockHead {
			return 0, w.pos + blockHead, errMoreNeeded
		}
		b := int(p[w.pos]) | int(p[w.pos+1])<<8 | int(p[w.pos+2])<<16
		kind, n := b>>1&3, b>>3
		switch {
		case kind == 3 || n > maxBlock:
			return 0, 0, errFrame
		case kind == 1: // a run of one byte
			n = 1
		}
		w.pos += blockHead + n
		w.done = b&1 != 0
		if int64(w.pos) > w.most {
			return 0, 0, errFrameSize
		}
	}
	if end := w.pos + checksumBytes; len(p) < end {
		return 0, end, errMoreNeeded
	} else {
		return end, 0, nil
	}
}

// placeOf describes a complete frame at an offset.
func placeOf(offset int64, frame []byte, head *zstd.Header) place {
	return place{
		offset:  offset,
		size:    int64(len(frame)),
		content: uint32(head.FrameContentSize),
		sum:     binary.LittleEndian.Uint32(frame[len(frame)-checksumBytes:]),
		crc:     crc32.ChecksumIEEE(frame),
	}
}
