package pyregexp

import (
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxFrames bounds the memory of one match: about 100 MB.
	maxFrames = 4 << 20
	// keepFrames is the number of frames whose memory is kept for the next match.
	keepFrames = 1 << 14
	// stepsPerLook is the number of steps after which the matcher looks at the clock.
	stepsPerLook = 1 << 14
)

// A frame says what to do when the matcher has to go back.
type frame struct {
	kind frameKind
	n    int32 // an instruction, slot or loop
	a, b int
}

type frameKind uint8

const (
	frameChoice frameKind = iota // go on at n, place a
	frameGreedy                  // go on behind n, at a and then every place before it down to b
	frameLazy                    // consume one more character at a, of b at most, and go on behind n
	frameBody                    // begin another round of the loop at n, at place a
	frameSlot                    // set slot n to a
	frameLoop                    // set the state of loop n to a, b
)

// A loopState is where a loop is.
type loopState struct {
	count int // rounds begun, less one
	last  int // where the last round began that did not have to be, or -1
}

// A machine runs a program on a text.
type machine struct {
	*program
	s       []byte
	stack   []frame
	slots   []int
	marks   []mark
	loops   []loopState
	credit  int // steps until the next look at the clock
	started time.Time
	timeout time.Duration
}

// A mark is the state at the begin of an atomic group or look-around.
type mark struct {
	height int // of the stack
	pos    int
}

var machines = sync.Pool{New: func() any { return new(machine) }}

// match reports whether p matches anywhere in s, at from or behind. The error is errTime or
// errMemory.
func (p *program) match(s []byte, from int, timeout time.Duration) (bool, error) {
	m := machines.Get().(*machine)
	m.program, m.s, m.timeout = p, s, timeout
	m.credit, m.started = stepsPerLook, time.Time{}
	m.slots = resize(m.slots, p.slots)
	m.marks = resize(m.marks, p.marks)
	m.loops = resize(m.loops, p.loops)
	ok, err := m.search(from)
	if cap(m.stack) > keepFrames {
		m.stack = nil
	}
	m.program, m.s = nil, nil
	machines.Put(m)
	return ok, err
}

// resize returns a slice of n elements, s if it is long enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// search tries one place after the other.
func (m *machine) search(from int) (bool, error) {
	for i := from; ; {
		if m.first != nil {
			for i < len(m.s) && !m.first[m.s[i]] {
				i++
			}
			if i == len(m.s) {
				return false, nil
			}
		}
		if i > 0 && m.program.begin {
			return false, nil
		}
		if m.kind == Bytes || i == 0 || i == len(m.s) || utf8.RuneStart(m.s[i]) || !m.inside(i) {
			if ok, err := m.run(i); ok || err != nil {
				return ok, err
			}
		}
		if i == len(m.s) {
			return false, nil
		}
		i++
	}
}

// inside reports whether place i is in the middle of a character.
func (m *machine) inside(i int) bool {
	for back := 1; back < utf8.UTFMax && back <= i; back++ {
		if utf8.RuneStart(m.s[i-back]) {
			_, size := utf8.DecodeRune(m.s[i-back:])
			return size > back
		}
	}
	return false
}

// charAt returns the character at a place before the end, and the place behind it.
func (k Kind) charAt(s []byte, i int) (rune, int) {
	if c := s[i]; c < utf8.RuneSelf || k == Bytes {
		return rune(c), i + 1
	}
	r, size := utf8.DecodeRune(s[i:])
	if r == utf8.RuneError && size == 1 {
		r = escapeBase + rune(s[i])
	}
	return r, i + size
}

// charBefore returns the character before a place that is not the begin, and the place before it.
func (k Kind) charBefore(s []byte, i int) (rune, int) {
	if c := s[i-1]; c < utf8.RuneSelf || k == Bytes {
		return rune(c), i - 1
	}
	r, size := utf8.DecodeLastRune(s[:i])
	if r == utf8.RuneError && size == 1 {
		r = escapeBase + rune(s[i-1])
	}
	return r, i - size
}

// tick counts a step, and looks at the clock now and then.
func (m *machine) tick() error {
	if m.credit--; m.credit > 0 {
		return nil
	}
	m.credit = stepsPerLook
	now := time.Now()
	if m.started.IsZero() {
		m.started = now
	}
	if now.Sub(m.started) >= m.timeout {
		return errTime
	}
	return nil
}

// pass accounts for n bytes that were compared in one step.
func (m *machine) pass(n int) { m.credit -= n / 8 }

// push appends a frame.
func (m *machine) push(kind frameKind, n int32, a, b int) {
	m.stack = append(m.stack, frame{kind, n, a, b})
}

// run reports whether the program matches at one place.
func (m *machine) run(pos int) (bool, error) {
	m.stack = m.stack[:0]
	for i := range m.slots {
		m.slots[i] = -1
	}
	pc := 0
	for {
		if err := m.tick(); err != nil {
			return false, err
		}
		if len(m.stack) > maxFrames {
			return false, errMemory
		}
		in := &m.code[pc]
		ok := true
		pc++
		switch in.op {
		case opcMatch:
			return true, nil
		case opcChar, opcSet:
			if ok = pos < len(m.s); ok {
				r, next := m.kind.charAt(m.s, pos)
				ok = in.op == opcChar && r == in.r || in.op == opcSet && in.set.has(r)
				pos = next
			}
		case opcAnchor:
			ok = m.kind.holds(in.anchor, m.s, pos)
		case opcJump:
			pc = int(in.to)
		case opcSplit:
			m.push(frameChoice, in.to, pos, 0)
		case opcGreedy:
			pos, ok = m.greedy(in, pc, pos)
		case opcLazy:
			pos, ok = m.lazy(in, pc, pos)
		case opcSave:
			m.push(frameSlot, in.n, m.slots[in.n], 0)
			m.slots[in.n] = pos
		case opcBackref:
			pos, ok = m.backref(in, pos)
		case opcCond:
			if begin, end := m.slots[in.n], m.slots[in.n+1]; begin < 0 || end < begin {
				pc = int(in.to)
			}
		case opcBegin:
			m.marks[in.n] = mark{len(m.stack), pos}
		case opcCommit:
			m.commit(m.marks[in.n].height)
		case opcReturn:
			m.commit(m.marks[in.n].height)
			pos = m.marks[in.n].pos
		case opcBeginNot:
			m.marks[in.n] = mark{len(m.stack), pos}
			m.push(frameChoice, in.to, pos, 0)
		case opcFailNot:
			m.undo(m.marks[in.n].height)
			ok = false
		case opcBack:
			pos, ok = m.back(in.min, pos)
		case opcEnter:
			l := &m.loops[in.n]
			m.push(frameLoop, in.n, l.count, l.last)
			*l = loopState{-1, -1}
		case opcLoop:
			pc = m.loop(in, pc, pos)
		case opcFail:
			ok = false
		}
		if !ok {
			if pc, pos = m.retreat(); pc < 0 {
				return false, nil
			}
		}
	}
}

// retreat goes back to the last choice and returns where to go on, or -1 if none is left.
func (m *machine) retreat() (pc, pos int) {
	for len(m.stack) > 0 {
		top := len(m.stack) - 1
		f := &m.stack[top]
		switch f.kind {
		case frameChoice:
			pc, pos = int(f.n), f.a
			m.stack = m.stack[:top]
			return pc, pos
		case frameGreedy:
			_, pos = m.kind.charBefore(m.s, f.a)
			pc = int(f.n)
			if f.a = pos; pos <= f.b {
				m.stack = m.stack[:top]
			}
			return pc, pos
		case frameLazy:
			in := &m.code[f.n-1]
			if f.a < len(m.s) {
				if r, next := m.kind.charAt(m.s, f.a); in.set.has(r) {
					pc = int(f.n)
					f.a = next
					if f.b--; f.b == 0 {
						m.stack = m.stack[:top]
					}
					return pc, next
				}
			}
			m.stack = m.stack[:top]
		case frameBody:
			pc, pos = int(f.n), f.a
			loop := m.code[pc-1].n
			l := &m.loops[loop]
			*f = frame{frameLoop, loop, l.count, l.last}
			l.last = pos
			return pc, pos
		case frameSlot:
			m.slots[f.n] = f.a
			m.stack = m.stack[:top]
		case frameLoop:
			m.loops[f.n] = loopState{f.a, f.b}
			m.stack = m.stack[:top]
		}
	}
	return -1, 0
}

// greedy consumes the characters of a run, and leaves a frame to give them back.
func (m *machine) greedy(in *inst, pc, pos int) (int, bool) {
	least, n := m.consume(in.set, pos, in.min)
	if n < in.min {
		m.pass(least - pos)
		return pos, false
	}
	end := least
	if in.max == unlimited && in.set.until != noByte {
		end = in.set.index(m.s, least)
	} else {
		end, _ = m.consume(in.set, least, in.max-in.min)
	}
	m.pass(end - pos)
	if end > least {
		m.push(frameGreedy, int32(pc), end, least)
	}
	return end, true
}

// consume consumes characters of a set, most of them at most, and returns the place behind them
// and their number.
func (m *machine) consume(set *fastSet, pos int, most int64) (int, int64) {
	for n := int64(0); ; n++ {
		if n == most || pos == len(m.s) {
			return pos, n
		}
		r, next := m.kind.charAt(m.s, pos)
		if !set.has(r) {
			return pos, n
		}
		pos = next
	}
}

// lazy consumes the least characters of a run, and leaves a frame to take more.
func (m *machine) lazy(in *inst, pc, pos int) (int, bool) {
	end, n := m.consume(in.set, pos, in.min)
	m.pass(end - pos)
	if n < in.min {
		return pos, false
	}
	if more := min(in.max-n, int64(len(m.s)-end)); more > 0 {
		m.push(frameLazy, int32(pc), end, int(more))
	}
	return end, true
}

// loop decides, before the first round of a loop and after each, whether there is another. A round
// that does not have to be is not begun where the one before it began: it would be empty as well,
// and so on forever.
func (m *machine) loop(in *inst, pc, pos int) int {
	l := &m.loops[in.n]
	m.push(frameLoop, in.n, l.count, l.last)
	l.count++
	if int64(l.count) < in.min {
		return pc
	}
	more := int64(l.count) < in.max && pos != l.last
	switch {
	case !more:
		return int(in.to)
	case in.lazy:
		m.push(frameBody, int32(pc), pos, 0)
		return int(in.to)
	}
	m.push(frameChoice, in.to, pos, 0)
	l.last = pos
	return pc
}

// backref consumes the text of a group again.
func (m *machine) backref(in *inst, pos int) (int, bool) {
	begin, end := m.slots[in.n], m.slots[in.n+1]
	if begin < 0 || end < begin {
		return pos, false
	}
	m.pass(end - begin)
	for i := begin; i < end; {
		if pos == len(m.s) {
			return pos, false
		}
		var want, got rune
		want, i = m.kind.charAt(m.s, i)
		got, pos = m.kind.charAt(m.s, pos)
		if in.fold != foldNone {
			want, got = lower(want, in.fold == foldASCII), lower(got, in.fold == foldASCII)
		}
		if want != got {
			return pos, false
		}
	}
	return pos, true
}

// back goes back by n characters.
func (m *machine) back(n int64, pos int) (int, bool) {
	if n > int64(pos) {
		return pos, false
	}
	m.pass(int(n))
	for ; n > 0 && pos > 0; n-- {
		_, pos = m.kind.charBefore(m.s, pos)
	}
	return pos, n == 0
}

// commit drops the choices above a height of the stack, but not what restores slots. The loops
// above it are over, and their state does not matter any more.
func (m *machine) commit(height int) {
	kept := m.stack[:height]
	for _, f := range m.stack[height:] {
		if f.kind == frameSlot {
			kept = append(kept, f)
		}
	}
	m.stack = kept
}

// undo drops all that is above a height of the stack, and restores the slots.
func (m *machine) undo(height int) {
	for i := len(m.stack) - 1; i >= height; i-- {
		if f := m.stack[i]; f.kind == frameSlot {
			m.slots[f.n] = f.a
		}
	}
	m.stack = m.stack[:height]
}

// holds reports whether an anchor holds at a place.
func (k Kind) holds(a anchor, s []byte, i int) bool {
	switch a {
	case textBegin:
		return i == 0
	case lineBegin:
		return i == 0 || s[i-1] == '\n'
	case textEnd:
		return i == len(s)
	case textEndOrLF:
		return i == len(s) || i == len(s)-1 && s[i] == '\n'
	case lineEnd:
		return i == len(s) || s[i] == '\n'
	}
	if len(s) == 0 {
		return emptyInside && (a == asciiInside || a == textInside)
	}
	ascii := a == asciiBoundary || a == asciiInside
	before, after := false, false
	if i > 0 {
		r, _ := k.charBefore(s, i)
		before = isWord(r, ascii)
	}
	if i < len(s) {
		r, _ := k.charAt(s, i)
		after = isWord(r, ascii)
	}
	return (before != after) == (a == asciiBoundary || a == textBoundary)
}
