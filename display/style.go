package display

import "strings"

// style is how a piece of text looks on a terminal: the parameters of an SGR
// sequence.
type style string

const (
	plain   style = ""
	bold    style = "1"
	dim     style = "2"
	red     style = "31"
	green   style = "32"
	yellow  style = "33"
	blue    style = "34"
	magenta style = "35"
	cyan    style = "36"
	redBold style = "31;1"
)

// reset is the sequence that ends a style.
const reset = "\x1b[0m"

// methodStyle colours methods as mitmproxy does.
func methodStyle(method string) style {
	switch strings.ToUpper(method) {
	case "GET":
		return green
	case "DELETE":
		return red
	}
	return magenta
}

func statusStyle(code int) style {
	switch {
	case code >= 200 && code < 300:
		return green
	case code >= 300 && code < 400:
		return magenta
	case code >= 400 && code < 600:
		return red
	}
	return plain
}

// begin and end put a style around what is appended between them.
func (p *Printer) begin(dst []byte, s style) []byte {
	if !p.opts.Color || s == plain {
		return dst
	}
	return append(append(append(dst, "\x1b["...), s...), 'm')
}

func (p *Printer) end(dst []byte, s style) []byte {
	if !p.opts.Color || s == plain {
		return dst
	}
	return append(dst, reset...)
}

func (p *Printer) styled(dst []byte, s style, text string) []byte {
	return p.end(append(p.begin(dst, s), text...), s)
}
