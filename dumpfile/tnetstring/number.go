package tnetstring

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// integer decodes the text of an integer.
func (c Codec) integer(text []byte) (state.Value, error) {
	if i, ok := smallInt(text); ok {
		return state.Int(i), nil
	}
	neg, digits, ok := pyInt(text)
	switch {
	case !ok:
		return state.Value{}, syntax(0, ErrInt)
	case len(digits) > MaxDigits:
		return state.Value{}, syntax(0, fmt.Errorf("%w: the limit is %d digits", ErrInt, MaxDigits))
	case c.Strict && !canonicalInt(text):
		return state.Value{}, syntax(0, ErrInt)
	}
	n, _ := new(big.Int).SetString(string(digits), 10)
	if neg {
		n.Neg(n)
	}
	return state.BigInt(n), nil
}

// Int implements [state.NumberCodec].
func (c Codec) Int(payload []byte) (int64, bool) { return smallInt(payload) }

// Float implements [state.NumberCodec].
func (c Codec) Float(payload []byte) (float64, bool) {
	if c.Strict || !plainFloat(payload) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(payload), 64)
	return f, err == nil
}

// smallInt decodes an integer in its usual form, up to 18 digits.
func smallInt(text []byte) (int64, bool) {
	if !canonicalInt(text) || len(text) > 18 {
		return 0, false
	}
	digits, neg := text, false
	if text[0] == '-' {
		digits, neg = text[1:], true
	}
	var n int64
	for _, d := range digits {
		n = n*10 + int64(d-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// canonicalInt tells whether text is 0|-?[1-9][0-9]*.
func canonicalInt(text []byte) bool {
	if string(text) == "0" {
		return true
	}
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	if len(text) == 0 || text[0] == '0' {
		return false
	}
	for _, b := range text {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

const pySpace = "\t\n\v\f\r "

// pyInt splits what Python's int() accepts in base 10 into sign and digits:
// white space around it, a sign, leading zeros and single underscores between
// digits.
func pyInt(text []byte) (neg bool, digits []byte, ok bool) {
	text = bytes.Trim(text, pySpace)
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		neg = text[0] == '-'
		text = text[1:]
	}
	digits, rest := pyDigits(text)
	return neg, digits, len(digits) > 0 && len(rest) == 0
}

// pyDigits reads digits with single underscores between them off the front of
// text and returns them without the underscores.
func pyDigits(text []byte) (digits, rest []byte) {
	i, under := 0, false
	for ; i < len(text); i++ {
		b := text[i]
		if b == '_' && i > 0 && text[i-1] != '_' && i+1 < len(text) && isDigit(text[i+1]) {
			under = true
			continue
		}
		if !isDigit(b) {
			break
		}
	}
	digits, rest = text[:i], text[i:]
	if under {
		digits = bytes.ReplaceAll(digits, []byte("_"), nil)
	}
	return digits, rest
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// float decodes the text of a float: what Python's float() accepts, or what
// its repr() writes in the strict profile.
func (c Codec) float(text []byte) (state.Value, error) {
	if !plainFloat(text) {
		s, ok := pyFloat(text)
		if !ok || c.Strict && !strictFloat(string(text)) {
			return state.Value{}, syntax(0, ErrFloat)
		}
		text = []byte(s)
	} else if c.Strict && !strictFloat(string(text)) {
		return state.Value{}, syntax(0, ErrFloat)
	}
	// A range error comes with the infinity that Python returns as well.
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && err.(*strconv.NumError).Err == strconv.ErrSyntax {
		return state.Value{}, syntax(0, ErrFloat)
	}
	return state.Float(f), nil
}

// plainFloat tells whether text consists of digits, dots, exponents and signs
// alone, which Go and Python read alike.
func plainFloat(text []byte) bool {
	for _, b := range text {
		if !isDigit(b) && b != '.' && b != '-' && b != '+' && b != 'e' && b != 'E' {
			return false
		}
	}
	return true
}

// pyFloat turns a spelling that only Python knows into Go's.
func pyFloat(text []byte) (string, bool) {
	text = bytes.Trim(text, pySpace)
	s := strings.ToLower(string(text))
	switch strings.TrimLeft(s, "+-") {
	case "nan", "inf", "infinity":
		if len(s)-len(strings.TrimLeft(s, "+-")) > 1 {
			return "", false
		}
		if strings.HasSuffix(s, "nan") {
			return "nan", true
		}
		return s, true
	}
	rest := text
	var out []byte
	if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
		out, rest = append(out, rest[0]), rest[1:]
	}
	whole, rest := pyDigits(rest)
	out = append(out, whole...)
	var frac []byte
	if len(rest) > 0 && rest[0] == '.' {
		frac, rest = pyDigits(rest[1:])
		out = append(append(out, '.'), frac...)
	}
	if len(whole)+len(frac) == 0 {
		return "", false
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		out, rest = append(out, 'e'), rest[1:]
		if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
			out, rest = append(out, rest[0]), rest[1:]
		}
		var exp []byte
		if exp, rest = pyDigits(rest); len(exp) == 0 {
			return "", false
		}
		out = append(out, exp...)
	}
	return string(out), len(rest) == 0
}

// strictFloat tells whether s is -?digits[.digits][(e|E)[+-]digits], inf, -inf
// or nan.
func strictFloat(s string) bool {
	switch s {
	case "inf", "-inf", "nan":
		return true
	}
	digits := func() bool {
		n := 0
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		s = s[n:]
		return n > 0
	}
	s = strings.TrimPrefix(s, "-")
	if !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}
