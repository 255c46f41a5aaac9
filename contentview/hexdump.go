package contentview

import "strings"

const (
	hexDigits  = "0123456789abcdef"
	hexPerLine = 16
	// hexWidth is the width of a full line's bytes: two digits each, a space between two bytes and
	// another one between groups of four.
	hexWidth = 2*hexPerLine + hexPerLine - 1 + hexPerLine/4 - 1
)

// hexDump lays out data in lines of 16 bytes: offset, hexadecimal, ASCII.
func hexDump(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	digits := 4
	for last := (len(data) - 1) / hexPerLine * hexPerLine; last>>(4*digits) > 0; {
		digits += 2
	}
	var sb strings.Builder
	lines := (len(data) + hexPerLine - 1) / hexPerLine
	sb.Grow(lines * (digits + 1 + 3 + hexWidth + 3 + hexPerLine + 1))
	for offset := 0; offset < len(data); offset += hexPerLine {
		if offset > 0 {
			sb.WriteByte('\n')
		}
		for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
			sb.WriteByte(hexDigits[offset>>shift&0xf])
		}
		sb.WriteString(":   ")
		line := data[offset:min(offset+hexPerLine, len(data))]
		for i := range hexPerLine {
			switch {
			case i == 0:
			case i%4 == 0:
				sb.WriteString("  ")
			default:
				sb.WriteByte(' ')
			}
			if i < len(line) {
				sb.WriteByte(hexDigits[line[i]>>4])
				sb.WriteByte(hexDigits[line[i]&0xf])
			} else {
				sb.WriteString("  ")
			}
		}
		sb.WriteString("   ")
		for _, b := range line {
			if b < ' ' || b > '~' {
				b = '.'
			}
			sb.WriteByte(b)
		}
	}
	return sb.String()
}
