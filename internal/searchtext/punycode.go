package searchtext

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// The parameters of Punycode (RFC 3492, 5).
const (
	punyBase        = 36
	punyTMin        = 1
	punyTMax        = 26
	punySkew        = 38
	punyDamp        = 700
	punyInitialBias = 72
)

// punyThreshold returns the threshold of the digit at position k, counted from 1.
func punyThreshold(k, bias int) int {
	return min(max(punyBase*k-bias, punyTMin), punyTMax)
}

// punyAdapt returns the bias after a delta; length is that of the text with the new code point.
func punyAdapt(delta, length int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / length
	k := 0
	for delta > (punyBase-punyTMin)*punyTMax/2 {
		delta /= punyBase - punyTMin
		k += punyBase
	}
	return k + (punyBase-punyTMin+1)*delta/(delta+punySkew)
}

// decodePunycode decodes ASCII. It keeps the case of what is not encoded.
func decodePunycode(b []byte) (text []rune, ok bool) {
	if i := bytes.LastIndexByte(b, '-'); i >= 0 {
		for _, c := range b[:i] {
			text = append(text, rune(c))
		}
		b = b[i+1:]
	}
	const maxDelta = utf8.MaxRune * (maxACELabel + 1) // beyond it there are no code points
	n, i, bias := utf8.RuneSelf, 0, punyInitialBias
	for first := true; len(b) > 0; first = false {
		delta, weight := int64(0), int64(1)
		for k := 1; ; k++ {
			if len(b) == 0 {
				return nil, false
			}
			digit, ok := punyDigit(b[0])
			if !ok {
				return nil, false
			}
			b = b[1:]
			if delta += int64(digit) * weight; delta > maxDelta {
				return nil, false
			}
			t := punyThreshold(k, bias)
			if digit < t {
				break
			}
			weight *= int64(punyBase - t)
		}
		length := len(text) + 1
		at := int64(i) + delta
		if at/int64(length) > int64(utf8.MaxRune-n) {
			return nil, false
		}
		n += int(at / int64(length))
		i = int(at % int64(length))
		text = slices.Insert(text, i, rune(n))
		i++
		bias = punyAdapt(int(delta), length, first)
	}
	return text, true
}

func punyDigit(c byte) (int, bool) {
	switch {
	case 'a' <= c && c <= 'z':
		return int(c - 'a'), true
	case 'A' <= c && c <= 'Z':
		return int(c - 'A'), true
	case '0' <= c && c <= '9':
		return int(c-'0') + 26, true
	}
	return 0, false
}

// appendPunycode appends text, at most maxLabel code points of it, encoded.
func appendPunycode(dst []byte, text []rune) []byte {
	basic := 0
	for _, r := range text {
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
			basic++
		}
	}
	if basic > 0 {
		dst = append(dst, '-')
	}
	n, delta, bias := rune(utf8.RuneSelf), int64(0), punyInitialBias
	for done := basic; done < len(text); n++ {
		next := rune(utf8.MaxRune)
		for _, r := range text {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int64(next-n) * int64(done+1)
		n = next
		for _, r := range text {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := 1; ; k++ {
				t := int64(punyThreshold(k, bias))
				if q < t {
					break
				}
				dst = append(dst, punyDigits[t+(q-t)%(punyBase-t)])
				q = (q - t) / (punyBase - t)
			}
			dst = append(dst, punyDigits[q])
			bias = punyAdapt(int(delta), done+1, done == basic)
			delta = 0
			done++
		}
		delta++
	}
	return dst
}

const punyDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
