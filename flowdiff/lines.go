package flowdiff

import "strings"

const (
	// maxLines limits the lines of a text that is compared by line.
	maxLines = 1 << 18
	// context is how many lines around a difference a hunk has.
	context = 3
)

// splitLines returns the lines of s with their line feeds; ok is false if there
// are too many.
func splitLines(s string) (lines []string, ok bool) {
	if strings.Count(s, "\n") >= maxLines {
		return nil, false
	}
	for line := range strings.Lines(s) {
		lines = append(lines, line)
	}
	return lines, true
}

// hunks returns where two texts differ, as in a unified diff.
func hunks(a, b []string) []Hunk {
	gaps := gapsBetween(align(a, b), len(a), len(b))
	var out []Hunk
	for start := 0; start < len(gaps); {
		end := start + 1
		for end < len(gaps) && gaps[end].i-gaps[end-1].i2 <= 2*context {
			end++
		}
		out = append(out, newHunk(a, b, gaps[start:end]))
		start = end
	}
	return out
}

// newHunk returns the hunk of some gaps, with context around them.
func newHunk(a, b []string, gaps []gap) Hunk {
	first, last := gaps[0], gaps[len(gaps)-1]
	before := min(context, first.i, first.j)
	h := Hunk{OldStart: first.i - before + 1, NewStart: first.j - before + 1}
	add := func(op byte, lines []string) {
		for _, text := range lines {
			h.Lines = append(h.Lines, Line{op, text})
		}
	}
	i := first.i - before
	for _, g := range gaps {
		add(' ', a[i:g.i])
		add('-', a[g.i:g.i2])
		add('+', b[g.j:g.j2])
		i = g.i2
	}
	add(' ', a[i:min(i+context, i+len(b)-last.j2)])
	h.count()
	return h
}

// count sets the numbers of lines, and the starts of empty sides.
func (h *Hunk) count() {
	for _, l := range h.Lines {
		if l.Op != '+' {
			h.OldLines++
		}
		if l.Op != '-' {
			h.NewLines++
		}
	}
	if h.OldLines == 0 {
		h.OldStart--
	}
	if h.NewLines == 0 {
		h.NewStart--
	}
}
