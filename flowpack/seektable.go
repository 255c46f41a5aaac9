package flowpack

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// The seek table is that of the zstd seekable format, with checksums. It lists
// all frames before it, the skippable ones with no content.
const (
	tableEntry  = 12
	tableFooter = 9
	tableFlags  = 0x80       // there are checksums
	emptySum    = 0x51D8E999 // XXH64 of nothing, the lower half
	maxFrames   = 0x8000000  // of the seekable format
)

var errTable = errors.New("the seek table is damaged")

// appendTable appends the seek table of frames that follow each other.
func appendTable(dst []byte, frames []place) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, tableMagic)
	dst = le.AppendUint32(dst, uint32(len(frames)*tableEntry+tableFooter))
	dst = appendEntries(dst, frames)
	dst = le.AppendUint32(dst, uint32(len(frames)))
	return le.AppendUint32(append(dst, tableFlags), tableEnd)
}

func appendEntries(dst []byte, frames []place) []byte {
	le := binary.LittleEndian
	for _, f := range frames {
		dst = le.AppendUint32(dst, uint32(f.size))
		dst = le.AppendUint32(dst, f.content)
		dst = le.AppendUint32(dst, f.sum)
	}
	return dst
}

// tableCRC returns the checksum of the entries of frames.
func tableCRC(frames []place) uint32 { return crc32.ChecksumIEEE(appendEntries(nil, frames)) }

// tableSize returns the size of the frame of a seek table from its footer.
func tableSize(footer []byte) (size int64, ok bool) {
	le := binary.LittleEndian
	n := le.Uint32(footer)
	if footer[4] != tableFlags || le.Uint32(footer[5:]) != tableEnd || n > maxFrames {
		return 0, false
	}
	return skipHead + int64(n)*tableEntry + tableFooter, true
}

// parseTable returns the frames that a seek table lists, the first of them at
// an offset of 0. p is the whole frame.
func parseTable(p []byte) ([]place, error) {
	le := binary.LittleEndian
	if len(p) < skipHead+tableFooter {
		return nil, errTable
	}
	size, ok := tableSize(p[len(p)-tableFooter:])
	if !ok || size != int64(len(p)) || le.Uint32(p) != tableMagic || int64(le.Uint32(p[4:])) != size-skipHead {
		return nil, errTable
	}
	entries := p[skipHead : len(p)-tableFooter]
	frames := make([]place, 0, len(entries)/tableEntry)
	offset := int64(0)
	for ; len(entries) > 0; entries = entries[tableEntry:] {
		f := place{offset: offset, size: int64(le.Uint32(entries)), content: le.Uint32(entries[4:]), sum: le.Uint32(entries[8:])}
		offset += f.size
		frames = append(frames, f)
	}
	return frames, nil
}
