package flowpack

import (
	"hash/crc32"
	"io"
)

// index finds the chunks of the flowpacks between two offsets from their seek
// tables and summaries. ok is false if anything about those is not as it should
// be: then the input is to be read from its start.
func (in *input) index(start, end int64) (header *Header, chunks []*Chunk, ok bool) {
	type member struct {
		frames  []place // of chunks
		summary *fileSummary
	}
	var members []member
	for end > start {
		frames, first, ok := in.table(start, end)
		if !ok {
			return nil, nil, false
		}
		n := len(frames)
		summary, err := in.readFrame(frames[n-1])
		if err != nil {
			return nil, nil, false
		}
		s, err := in.summary(summary)
		if err != nil || len(s.chunks) != n-3 || s.table != tableCRC(frames[:n-1]) {
			return nil, nil, false
		}
		if header, err = in.readHeader(frames[1], s.header); err != nil {
			return nil, nil, false
		}
		members = append(members, member{frames[2 : n-1], s})
		end = first
	}
	chunks = []*Chunk{}
	flows := int64(0)
	for i := len(members) - 1; i >= 0; i-- {
		m := &members[i]
		for j, f := range m.frames {
			p := &m.summary.chunks[j]
			facts, err := p.unpack(flows)
			if err != nil {
				return nil, nil, false
			}
			flows += facts.Flows
			f.crc = p.CRC
			chunks = append(chunks, &Chunk{Number: len(chunks), Offset: f.offset, Size: f.size, Facts: &facts, place: f, in: in})
		}
	}
	return header, chunks, true
}

// table returns the frames of the flowpack that ends at an offset, and where it
// starts.
func (in *input) table(start, end int64) (frames []place, first int64, ok bool) {
	footer := make([]byte, tableFooter)
	if end-start < int64(tableFooter+skipHead+MarkerSize) {
		return nil, 0, false
	}
	if _, err := in.at.ReadAt(footer, end-tableFooter); err != nil && err != io.EOF {
		return nil, 0, false
	}
	size, ok := tableSize(footer)
	if !ok || size > end-start || size > in.opts.MaxChunk {
		return nil, 0, false
	}
	frame, err := in.readFrame(place{offset: end - size, size: size})
	if err != nil {
		return nil, 0, false
	}
	if frames, err = parseTable(frame); err != nil || len(frames) < 3 {
		return nil, 0, false
	}
	last := len(frames) - 1
	first = end - size - frames[last].end()
	if first < start || frames[0].size != int64(len(marker)) {
		return nil, 0, false
	}
	for i := range frames {
		f := &frames[i]
		f.offset += first
		own := i == 0 || i == last
		if own != (f.content == 0) || own && f.sum != emptySum {
			return nil, 0, false
		}
	}
	m, err := in.readFrame(frames[0])
	return frames, first, err == nil && string(m) == string(marker)
}

// readFrame reads a frame of a limited size.
func (in *input) readFrame(f place) ([]byte, error) {
	if f.size > in.opts.MaxChunk {
		return nil, errFrameSize
	}
	p := make([]byte, f.size)
	n, err := in.at.ReadAt(p, f.offset)
	if n == len(p) {
		return p, nil
	}
	return nil, err
}

// readHeader reads the frame of a header.
func (in *input) readHeader(f place, crc uint32) (*Header, error) {
	if f.size > maxHeader || f.content > maxHeader {
		return nil, errHeader
	}
	frame, err := in.readFrame(f)
	if err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(frame) != crc {
		return nil, errHeader
	}
	content, err := in.content(frame, nil)
	if err != nil {
		return nil, err
	}
	return parseHeader(content)
}

// maxHeader is the largest header.
const maxHeader = 1 << 20
