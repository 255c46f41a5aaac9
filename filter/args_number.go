package filter

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Numbers is a list of integers: statuses, bytes, ports, or numbers of flows.
type Numbers struct{ list[int64] }

// ParseNumbers parses a list of numbers of flows as the argument of "~index" is:
// 0,4-9,20-. An error is always a [*SyntaxError] with s as its text.
func ParseNumbers(s string) (*Numbers, error) {
	arg, err := parseArg(IndexArg, s, nil)
	if err != nil {
		return nil, &SyntaxError{
			Text: s, Offset: err.offset, Len: err.n, Msg: err.msg, Want: err.want, Suggest: showable(err.suggest),
		}
	}
	return arg.(*Numbers), nil
}

// Contains tells whether n is in the list.
func (a *Numbers) Contains(n int64) bool {
	return a.contains(func(v int64) int { return cmp.Compare(n, v) })
}

// Meets tells whether a number from lo to hi, both inclusive, is in the list.
func (a *Numbers) Meets(lo, hi int64) bool {
	return a.answers(func(v int64) int { return cmp.Compare(lo, v) }, func(v int64) int { return cmp.Compare(hi, v) })&yes != 0
}

// Max returns the largest number in the list, or math.MaxInt64 if there is no
// largest one.
func (a *Numbers) Max() int64 {
	most := int64(math.MinInt64)
	for _, item := range a.items {
		switch item.hi.kind {
		case unbounded:
			return math.MaxInt64
		case exclusive:
			most = max(most, item.hi.value-1)
		default:
			most = max(most, item.hi.value)
		}
	}
	return most
}

func parseNumbers(s string, style listStyle[int64]) (Arg, *argError) {
	style.compare = cmp.Compare[int64]
	l, err := parseList(s, style)
	if err != nil {
		return nil, err
	}
	return &Numbers{l}, nil
}

// integer reads a number up to limit.
func integer(s string, limit int64, tooLarge string) (interval[int64], int, string, *argError) {
	n := digits(s)
	if n == 0 {
		return interval[int64]{}, 0, "", nil
	}
	v, err := strconv.ParseInt(s[:n], 10, 64)
	if err != nil || v > limit {
		return interval[int64]{}, 0, "", &argError{0, n, quote(s[:n]) + " is too large", tooLarge, ""}
	}
	return one(v), n, strconv.FormatInt(v, 10), nil
}

const maxInt = math.MaxInt64 - 1 // leaves room for one more

// statusValue reads a status such as 404, or a class of them such as 4xx or 40x.
func statusValue(s string) (interval[int64], int, string, *argError) {
	n := digits(s)
	end := n
	for end < len(s) && (s[end] == 'x' || s[end] == 'X') {
		end++
	}
	if n == 0 || end == n {
		return integer(s, maxInt, "")
	}
	if end != 3 || s[0] == '0' {
		return interval[int64]{}, 0, "", &argError{0, end, quote(s[:end]) + " is no class of statuses", "1xx to 9xx", ""}
	}
	v, _ := strconv.ParseInt(s[:n], 10, 64)
	size := int64(1)
	for range end - n {
		size *= 10
	}
	return between(v*size, v*size+size-1), end, strings.ToLower(s[:end]), nil
}

// indexValue reads the number of a flow.
func indexValue(s string) (interval[int64], int, string, *argError) { return integer(s, maxInt, "") }

// portValue reads the number of a port.
func portValue(s string) (interval[int64], int, string, *argError) {
	return integer(s, 65535, "ports up to 65535")
}

// maxNumber is how long a number with a fraction may be written.
const maxNumber = 40

// tooLong returns an error if the number s is too long to be looked at.
func tooLong(s string) *argError {
	if len(s) <= maxNumber {
		return nil
	}
	return &argError{0, len(s), "the number is too long", "at most 40 digits", ""}
}

// sizeValue reads a number of bytes such as 0, 10k, 1.5M, 2GiB or 4kB. As in the
// sizes of command line flags, a k is always 1024 bytes, and case does not
// matter. Fractions of a byte are rounded.
func sizeValue(s string) (interval[int64], int, string, *argError) {
	none := interval[int64]{}
	n := decimal(s)
	if n == 0 {
		return none, 0, "", nil
	}
	if err := tooLong(s[:n]); err != nil {
		return none, 0, "", err
	}
	end := n + wordLen(s[n:])
	unit := strings.TrimSuffix(lower(s[n:end]), "b")
	if len(unit) == 2 {
		unit = strings.TrimSuffix(unit, "i")
	}
	power := strings.Index(" kmgt", unit)
	if unit == "" {
		power = 0
	}
	if power < 0 || len(unit) > 1 {
		return none, 0, "", &argError{n, end - n, quote(s[n:end]) + " is no unit of bytes", "k, M, G or T", ""}
	}
	v, _ := new(big.Rat).SetString(s[:n])
	v.Mul(v, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 10*uint(power))))
	v.Add(v, big.NewRat(1, 2))
	bytes := new(big.Int).Quo(v.Num(), v.Denom())
	if bytes.BitLen() > 62 {
		return none, 0, "", &argError{0, end, quote(s[:end]) + " is too large", "", ""}
	}
	return one(bytes.Int64()), end, s[:end], nil
}
