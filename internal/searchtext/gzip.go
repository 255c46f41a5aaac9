package searchtext

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
)

// Flags of a gzip header (RFC 1952).
const (
	gzipHeaderCRC = 1 << 1
	gzipExtra     = 1 << 2
	gzipName      = 1 << 3
	gzipComment   = 1 << 4
	gzipReserved  = 7 << 5
)

// gunzip decodes a gzip or zlib stream like zlib.decompressobj(47): what follows the stream is
// ignored, and a stream that is cut short, be it in its header or in its checksum, ends with
// errTruncated and the output that it determines.
func (d *inflater) gunzip(buf, in []byte, limit int) ([]byte, error) {
	if len(in) < 2 {
		return buf[:0], errTruncated
	}
	if in[0] != 0x1f || in[1] != 0x8b {
		return d.unzlib(buf, in, limit)
	}
	head, err := gzipHeader(in)
	if err != nil {
		return buf[:0], err
	}
	in = in[head:]
	if size := gzipSize(in, limit); size > cap(buf) {
		buf = make([]byte, size)
	}
	out, rest, err := d.inflate(buf, in, limit)
	switch {
	case err != nil:
	case len(rest) < 4:
		err = errTruncated
	case binary.LittleEndian.Uint32(rest) != crc32.ChecksumIEEE(out):
		err = errCorrupt
	case len(rest) < 8:
		err = errTruncated
	case binary.LittleEndian.Uint32(rest[4:]) != uint32(len(out)):
		err = errCorrupt
	}
	return out, err
}

// gzipSize returns the size of the buffer for what a gzip stream says it decodes to, 0 if that is
// implausible, which it may be because of trailing bytes.
func gzipSize(in []byte, limit int) int {
	const mostRatio = 1032 // two bits for 258 bytes
	if len(in) < 8 {
		return 0
	}
	size := int64(binary.LittleEndian.Uint32(in[len(in)-4:]))
	if size > mostRatio*int64(len(in)) || size > int64(limit) {
		return 0
	}
	return int(size) + fastOutput
}

// gzipHeader returns the length of a gzip header.
func gzipHeader(in []byte) (size int, err error) {
	if len(in) < 4 {
		return 0, errTruncated
	}
	const deflate = 8
	flags := in[3]
	if in[2] != deflate || flags&gzipReserved != 0 {
		return 0, errCorrupt
	}
	size = 10
	if flags&gzipExtra != 0 {
		if len(in) < size+2 {
			return 0, errTruncated
		}
		size += 2 + int(binary.LittleEndian.Uint16(in[size:]))
	}
	for _, text := range []byte{gzipName, gzipComment} {
		if flags&text == 0 {
			continue
		}
		end := bytes.IndexByte(in[min(size, len(in)):], 0)
		if end < 0 {
			return 0, errTruncated
		}
		size += end + 1
	}
	if flags&gzipHeaderCRC != 0 {
		if len(in) < size+2 {
			return 0, errTruncated
		}
		if binary.LittleEndian.Uint16(in[size:]) != uint16(crc32.ChecksumIEEE(in[:size])) {
			return 0, errCorrupt
		}
		size += 2
	}
	if len(in) < size {
		return 0, errTruncated
	}
	return size, nil
}

// unzlib decodes a zlib stream (RFC 1950). What follows it is ignored.
func (d *inflater) unzlib(buf, in []byte, limit int) ([]byte, error) {
	if len(in) < 2 {
		return buf[:0], errTruncated
	}
	const (
		deflate    = 8 // with a window of at most 1<<(7+8) bytes
		dictionary = 1 << 5
	)
	switch {
	case binary.BigEndian.Uint16(in)%31 != 0 || in[0]&0x0f != deflate || in[0]>>4 > 7:
		return buf[:0], errCorrupt
	case in[1]&dictionary != 0 && len(in) < 6:
		return buf[:0], errTruncated
	case in[1]&dictionary != 0: // which nobody has
		return buf[:0], errCorrupt
	}
	out, rest, err := d.inflate(buf, in[2:], limit)
	switch {
	case err != nil:
	case len(rest) < 4:
		err = errTruncated
	case binary.BigEndian.Uint32(rest) != adler32.Checksum(out):
		err = errCorrupt
	}
	return out, err
}

// undeflate decodes a complete zlib stream or, if there is none, a complete raw stream. What
// follows it is ignored.
func (d *inflater) undeflate(buf, in []byte, limit int) ([]byte, error) {
	out, err := d.unzlib(buf, in, limit)
	if err == nil || err == errLimit {
		return out, err
	}
	out, _, err = d.inflate(out, in, limit)
	return out, err
}
