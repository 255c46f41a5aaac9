package flowpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// damaged goes on behind something that cannot be read, with the next frame
// that is undamaged.
func (s *scanner) damaged(part Part, cause error) *Chunk {
	if s.between {
		s.begin()
	}
	if part == PartChunk {
		switch {
		case s.member.summary != nil:
			part = PartTable
		case !s.member.header:
			part = PartHeader
		}
	}
	offset := s.win.offset
	if rest := s.win.peek(len(marker)); len(rest) < 4 && cause != errMarker || bytes.HasPrefix(marker, rest) {
		cause = errCutOff
	}
	if err := s.win.err; errors.Is(cause, io.ErrUnexpectedEOF) && err != nil && err != io.EOF {
		s.final = err // which is why
		return nil
	}
	found := s.search()
	switch {
	case found == 0 && offset == 0 && cause == errMarker:
		s.member.ended = true
		cause = ErrFormat
	case found == 0:
		s.member.ended = errors.Is(cause, io.ErrUnexpectedEOF)
	case found == tableMagic && part == PartChunk && s.summaryAt(offset):
		part = PartSummary
		fallthrough
	case errors.Is(cause, io.ErrUnexpectedEOF):
		cause = errFrame // there is more
	}
	s.report(part, offset, s.win.offset-offset, cause)
	switch part {
	case PartTable:
		s.member.ended = true
	case PartChunk:
		s.number++
	case PartHeader:
		s.member.header = true
	}
	return nil
}

// summaryAt tells whether the seek table at the front of the window lists a
// summary at an offset.
func (s *scanner) summaryAt(offset int64) bool {
	p := s.win.peek(skipHead)
	frames, err := parseTable(s.win.peek(0)[:skipHead+int(binary.LittleEndian.Uint32(p[4:]))])
	if err != nil {
		return false
	}
	last := frames[len(frames)-1]
	return last.content == 0 && s.win.offset-last.size <= offset
}

// search moves to the next frame that is undamaged, and returns its magic
// number; 0 at the end of the input.
func (s *scanner) search() uint32 {
	s.win.skip(min(1, len(s.win.peek(1))))
	for {
		p := s.win.peek(readSize)
		if len(p) < 4 {
			s.win.skip(len(p))
			return 0
		}
		i := candidate(p)
		s.win.skip(i)
		if i > len(p)-4 {
			continue
		}
		if s.genuine() {
			return magic(s.win.peek(4))
		}
		s.win.skip(1)
	}
}

// candidate returns the position of a magic number in p, or one behind which it
// may be cut off.
func candidate(p []byte) int {
	for i := 0; i+4 <= len(p); i++ {
		// The third byte is enough to pass over nearly everything.
		if b := p[i+2]; b != zstdMagic>>16&0xff && b != ownMagic>>16&0xff {
			continue
		}
		switch magic(p[i:]) {
		case zstdMagic, ownMagic, tableMagic:
			return i
		}
	}
	return len(p) - 3
}

// What searches may look at, in relation to the size of the input, so that many
// frames that are none cannot take forever.
const (
	freeEffort  = 1 << 30
	effortRatio = 8
)

// genuine tells whether the frame at the front of the window is undamaged.
func (s *scanner) genuine() bool {
	p := s.win.peek(skipHead + len(marker))
	m := magic(p)
	if m == zstdMagic {
		if s.effort > freeEffort+effortRatio*s.win.offset {
			return false
		}
		frame, w, err := s.walk()
		s.effort += int64(len(s.win.peek(0)))
		if err != nil {
			return false
		}
		s.effort += int64(w.head.FrameContentSize)
		content, err := s.in.content(frame, nil)
		return err == nil && len(content) > 0 && isMap(content[0])
	}
	if bytes.HasPrefix(p, marker) {
		return true
	}
	if len(p) < skipHead {
		return false
	}
	size := skipHead + int64(binary.LittleEndian.Uint32(p[4:]))
	if size > s.in.opts.MaxChunk {
		return false
	}
	if p = s.win.peek(int(size)); int64(len(p)) < size {
		return false
	}
	if m == tableMagic {
		_, err := parseTable(p[:size])
		return err == nil
	}
	_, err := s.in.summary(p[:size])
	return err == nil
}
