package display

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// cut cuts the line that begins at start to so many columns of a terminal, with
// an ellipsis in the last of them. Escape sequences take no column; a style that
// is on at the cut is ended.
func cut(dst []byte, start, columns int) []byte {
	if len(dst)-start <= columns {
		return dst // bytes are at least as many as columns
	}
	ellipsis := start // where the last column that may be filled begins
	on, styled := false, false
	col := 0
	for i := start; i < len(dst); {
		if n := escapeLen(dst[i:]); n > 0 {
			on = string(dst[i:i+n]) != reset
			i += n
			continue
		}
		r, n := utf8.DecodeRune(dst[i:])
		w := columnsOf(r)
		if col+w <= columns-1 {
			ellipsis, styled = i+n, on
		}
		if col += w; col > columns {
			dst = append(dst[:ellipsis], "…"...)
			if styled {
				dst = append(dst, reset...)
			}
			return dst
		}
		i += n
	}
	return dst
}

// columns returns how many columns of a terminal b takes.
func columns(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		if e := escapeLen(b[i:]); e > 0 {
			i += e
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		n += columnsOf(r)
		i += size
	}
	return n
}

// emojiStyle is the variation selector that makes an emoji of a symbol.
const emojiStyle = 0xfe0f

// columnsOf returns how many columns of a terminal r takes.
func columnsOf(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	if r == emojiStyle {
		return 1 // makes a character of one column one of two on many terminals
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// escapeLen returns the length of the SGR sequence that b begins with.
func escapeLen(b []byte) int {
	if len(b) < 2 || b[0] != '\x1b' || b[1] != '[' {
		return 0
	}
	for i, c := range b {
		if c == 'm' {
			return i + 1
		}
	}
	return 0
}

// Width returns how many columns s takes on a terminal.
func Width(s string) int { return columns([]byte(s)) }
