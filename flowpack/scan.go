package flowpack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A scanner finds the frames of an input from its start to its end.
type scanner struct {
	in  *input
	win window

	header  *Header
	number  int     // of the next chunk
	pending []error // to be returned before anything else
	final   error   // what scanning ended with

	member  member
	between bool   // no flowpack has begun, or the last one is complete
	free    []byte // memory for the next chunk
	effort  int64  // bytes of what was looked at in searches
}

// A member is one of several flowpacks that follow each other.
type member struct {
	start   int64 // of its first frame
	frames  []place
	numbers []int // of chunks, for each of frames; -1 for others
	header  bool  // was there, or was found missing
	lost    bool  // something was damaged
	ended   bool  // it was said that the end is missing or damaged
	summary *fileSummary
}

// ErrFormat is the cause of the only [*Error] for an input that is no flowpack.
var ErrFormat = errors.New("not a flowpack")

// Causes of damage to the order of parts.
var (
	errCutOff    = fmt.Errorf("the file is cut off: %w", io.ErrUnexpectedEOF)
	errNoEnd     = fmt.Errorf("the file is cut off behind this place: summary and seek table are missing: %w", io.ErrUnexpectedEOF)
	errMarker    = errors.New("the first bytes are damaged")
	errNoHeader  = errors.New("there is no header")
	errNoSummary = errors.New("there is no summary")
	errTwice     = errors.New("there is something between summary and seek table")
	errMismatch  = errors.New("the seek table does not agree with what is there")
	errCount     = errors.New("the summary does not agree with what is there")
	errChanged   = errors.New("a byte was changed")
)

// next returns the next chunk. Errors other than the last are those that
// reading can go on behind.
func (s *scanner) next() (*Chunk, error) {
	for {
		if len(s.pending) > 0 {
			err := s.pending[0]
			s.pending = s.pending[1:]
			return nil, err
		}
		if s.final != nil {
			return nil, s.final
		}
		if c := s.step(); c != nil {
			return c, nil
		}
	}
}

// recycle takes the memory of a chunk that nobody is going to decode again.
func (s *scanner) recycle(c *Chunk) {
	if cap(c.data) <= keepBatch {
		s.free, c.data = c.data[:0], nil
	}
}

// report adds an error.
func (s *scanner) report(part Part, offset, lost int64, err error) {
	s.member.lost = true
	s.pending = append(s.pending, s.error(part, s.number, offset, lost, err))
}

func (s *scanner) error(part Part, chunk int, offset, lost int64, err error) *Error {
	return &Error{Name: s.in.opts.Name, Part: part, Chunk: chunk, Offset: offset, Lost: lost, Flow: -1, Err: err}
}

// step looks at what comes next. It returns a chunk, or nil after something
// else.
func (s *scanner) step() *Chunk {
	p := s.win.peek(skipHead + len(marker))
	if len(p) == 0 {
		s.end()
		return nil
	}
	if bytes.HasPrefix(p, marker) {
		if !s.between && !s.member.ended {
			s.report(PartEnd, s.win.offset, 0, errNoEnd)
		}
		s.begin()
		s.keep(marker, nil, -1)
		return nil
	}
	if s.between {
		return s.damaged(PartMarker, errMarker)
	}
	switch magic(p) {
	case zstdMagic:
		return s.frame()
	case ownMagic:
		s.skippable(PartSummary)
	case tableMagic:
		s.skippable(PartTable)
	default:
		return s.damaged(PartChunk, errNoFrame)
	}
	return nil
}

func magic(p []byte) uint32 {
	if len(p) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(p)
}

// begin begins a flowpack.
func (s *scanner) begin() {
	s.between = false
	s.member = member{start: s.win.offset}
}

// keep notes a frame that is at the front of the window, and is done with it.
func (s *scanner) keep(frame []byte, head *place, number int) {
	f := place{offset: s.win.offset, size: int64(len(frame)), sum: emptySum}
	if head != nil {
		f = *head
	}
	s.member.frames = append(s.member.frames, f)
	s.member.numbers = append(s.member.numbers, number)
	s.win.skip(len(frame))
}

// end ends the input.
func (s *scanner) end() {
	s.final = s.win.err
	switch {
	case s.final != io.EOF:
	case s.between && s.win.offset == 0:
		s.report(PartMarker, 0, 0, errCutOff)
	case !s.between && !s.member.ended:
		s.report(PartEnd, s.win.offset, 0, errNoEnd)
	}
}

// walk returns the zstd frame at the front of the window.
func (s *scanner) walk() ([]byte, *walker, error) {
	var w walker
	p := s.win.peek(0)
	for {
		size, need, err := w.walk(p)
		switch {
		case err == nil:
			return p[:size], &w, nil
		case err != errMoreNeeded:
			return nil, nil, err
		case int64(need) > s.in.opts.MaxChunk:
			return nil, nil, s.in.opts.check(int64(need), w.head.FrameContentSize)
		}
		if p = s.win.peek(need); len(p) < need {
			return nil, nil, errCutOff
		}
	}
}

// frame takes the zstd frame that comes next.
func (s *scanner) frame() *Chunk {
	part := PartChunk
	switch {
	case s.member.summary != nil:
		part = PartTable
	case !s.member.header:
		part = PartHeader
	}
	frame, w, err := s.walk()
	if err != nil {
		return s.damaged(part, err)
	}
	if part == PartTable {
		return s.damaged(part, errTwice)
	}
	offset := s.win.offset
	n := len(frame)
	follows := s.follows(n)
	frame = s.win.peek(n)[:n] // it may have moved
	if !follows {
		// This frame or the next one is damaged.
		if _, err := s.in.content(frame, nil); err != nil {
			return s.damaged(part, err)
		}
	}
	f := placeOf(offset, frame, &w.head)
	if part == PartHeader && s.takeHeader(frame, &f) {
		return nil
	}
	c := &Chunk{Number: s.number, Offset: offset, Size: f.size, place: f, data: append(s.free, frame...), in: s.in}
	s.free = nil
	s.keep(frame, &f, s.number)
	s.number++
	return c
}

// follows tells whether a frame may begin, or the input ends, n bytes further.
func (s *scanner) follows(n int) bool {
	p := s.win.peek(n + 4)
	if len(p) == n {
		return true
	}
	switch magic(p[n:]) {
	case zstdMagic, ownMagic, tableMagic:
		return true
	}
	return false
}

// takeHeader takes the first frame of a flowpack, which should be its header. It
// returns false if it is a chunk.
func (s *scanner) takeHeader(frame []byte, f *place) bool {
	s.member.header = true
	err := errNoHeader
	if f.size <= maxHeader && f.content <= maxHeader {
		var content []byte
		if content, err = s.in.content(frame, nil); err == nil {
			var h *Header
			if h, err = parseHeader(content); err == nil {
				s.header = cmp.Or(s.header, h)
				s.keep(frame, f, -1)
				return true
			}
			if !isHeader(content) {
				err = errNoHeader
			}
		}
	}
	if v, ok := errors.AsType[*VersionError](err); ok {
		s.final = s.error(PartHeader, s.number, f.offset, 0, v)
		return true
	}
	s.report(PartHeader, f.offset, 0, err)
	if err == errNoHeader {
		return false
	}
	s.win.skip(len(frame))
	return true
}

// skippable takes a summary or a seek table.
func (s *scanner) skippable(part Part) {
	p := s.win.peek(skipHead)
	if len(p) < skipHead {
		s.damaged(part, errCutOff)
		return
	}
	size := skipHead + int64(binary.LittleEndian.Uint32(p[4:]))
	if size > s.in.opts.MaxChunk {
		s.damaged(part, s.in.opts.check(size, 0))
		return
	}
	if p = s.win.peek(int(size)); int64(len(p)) < size {
		s.damaged(part, errCutOff)
		return
	}
	p = p[:size]
	if part == PartSummary {
		sum, err := s.in.summary(p)
		if err != nil {
			s.damaged(part, err)
			return
		}
		s.member.summary = sum
		s.keep(p, nil, -1)
		return
	}
	frames, err := parseTable(p)
	if err != nil {
		s.damaged(part, err)
		return
	}
	offset := s.win.offset
	s.win.skip(len(p))
	s.check(frames, offset)
	s.between = true
}

// check compares a seek table, and the summary before it, with what was found.
func (s *scanner) check(frames []place, offset int64) {
	m := &s.member
	if m.summary == nil && !m.lost {
		s.report(PartSummary, offset, 0, errNoSummary)
	}
	if !m.lost && len(frames) != len(m.frames) {
		s.report(PartTable, offset, 0, errMismatch)
		return
	}
	at := 0 // in m.frames
	for i, f := range frames {
		f.offset += m.start
		for at < len(m.frames) && m.frames[at].offset < f.offset {
			at++
		}
		if at == len(m.frames) || m.frames[at].offset > f.offset {
			continue // it was lost
		}
		have, n := m.frames[at], m.numbers[at]
		if n >= 0 && s.in.bad.has(n) {
			continue // it was said already
		}
		if sum := m.summary; sum != nil && i > 0 && i < len(frames)-1 {
			switch {
			case len(sum.chunks) != len(frames)-3:
				s.report(PartSummary, offset, 0, errCount)
				return
			case i == 1 && sum.header != have.crc:
				s.report(PartHeader, have.offset, 0, errChanged)
				continue
			case i > 1 && sum.chunks[i-2].CRC != have.crc:
				s.pending = append(s.pending, s.error(PartChunk, n, have.offset, 0, errChanged))
				continue
			}
		}
		if have.size != f.size || have.content != f.content || have.sum != f.sum {
			s.report(PartTable, offset, 0, errMismatch)
			return
		}
	}
}
