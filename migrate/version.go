package migrate

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A Version is the version of a flow format: a pair like 0.18, or an integer
// from 4 on. Versions can be compared with == and used as map keys. The zero
// Version is none.
type Version struct {
	pair         bool
	major, minor int
}

// Tuple returns a version of the time when versions were those of releases,
// such as Tuple(0, 18).
func Tuple(major, minor int) Version { return Version{true, major, minor} }

// Number returns an integer version.
func Number(n int) Version { return Version{major: n} }

// The ends of the range that this package reads.
var (
	Oldest = Tuple(0, 10)
	Newest = Number(21)
)

// ParseVersion returns the version that s spells, "0.18", "3.0" or "21". For one
// that this package does not read it also returns a [VersionError].
func ParseVersion(s string) (Version, error) {
	major, minor, pair := strings.Cut(s, ".")
	a, err := strconv.ParseUint(major, 10, 31)
	var b uint64
	if pair && err == nil {
		b, err = strconv.ParseUint(minor, 10, 31)
	}
	if err != nil {
		return Version{}, &VersionError{Text: strconv.Quote(s)}
	}
	v := Version{pair, int(a), int(b)}
	return v, v.check()
}

// String returns "0.18", "3.0" or "21".
func (v Version) String() string {
	if v.pair {
		return strconv.Itoa(v.major) + "." + strconv.Itoa(v.minor)
	}
	return strconv.Itoa(v.major)
}

// Pair returns the numbers of v: (0, 18) for 0.18 and (21, 0) for 21.
func (v Version) Pair() (major, minor int) { return v.major, v.minor }

// Compare returns -1 if v is older than w, 0 if they are equal and 1 if v is
// newer. Every pair is older than every integer.
func (v Version) Compare(w Version) int {
	if v.pair != w.pair {
		if v.pair {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor))
}

// check returns an error if v is not a version this package reads.
func (v Version) check() error {
	if !v.pair && v.major >= 4 && v.major <= Newest.major || v.pair && releaseOf(v).read != "" {
		return nil
	}
	return &VersionError{Have: v}
}

// versionKey is the key of the version in dumps that know no text; it takes
// precedence over the text key.
var versionKey = state.Bytes([]byte("version"))

// VersionOf returns the version of the state m. The error is a [VersionError] if
// the version is missing, malformed or not one that this package reads; in the
// last case the version is returned nevertheless.
//
// Nothing but the version is decoded.
func VersionOf(m *state.Map) (Version, error) {
	val, ok := m.GetKey(versionKey)
	if !ok {
		if val, ok = m.Get("version"); !ok {
			return Version{}, &VersionError{}
		}
	}
	var v Version
	switch val.Kind() {
	case state.KindInt, state.KindBool:
		n, err := versionNumber(val)
		if err != nil {
			return Version{}, err
		}
		v = Number(n)
	case state.KindList:
		// Releases wrote three elements; the first two tell the format.
		l, err := val.List()
		if err != nil {
			return Version{}, malformed(val, err)
		}
		if l.Len() < 2 {
			return Version{}, malformed(val, nil)
		}
		a, err := versionNumber(l.At(0))
		if err != nil {
			return Version{}, err
		}
		b, err := versionNumber(l.At(1))
		if err != nil {
			return Version{}, err
		}
		v = Tuple(a, b)
	default:
		return Version{}, malformed(val, nil)
	}
	return v, v.check()
}

// versionNumber returns an element of a version. As in Python, true is 1 and 4.0
// is 4.
func versionNumber(v state.Value) (int, error) {
	switch v.Kind() {
	case state.KindBool:
		b, err := v.Bool()
		if err != nil {
			return 0, malformed(v, err)
		}
		if b {
			return 1, nil
		}
		return 0, nil
	case state.KindInt:
		n, err := v.Int64()
		if err == nil && n == int64(int32(n)) {
			return int(n), nil
		}
		if big, err := v.BigInt(); err != nil || big.Sign() < 0 {
			return 0, malformed(v, err)
		}
		return 0, &VersionError{Have: Number(math.MaxInt32), Text: shortened(v.String())}
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
			return 0, malformed(v, err)
		}
		return int(f), nil
	}
	return 0, malformed(v, nil)
}

// shortened cuts a number that is too long to print.
func shortened(digits string) string {
	const most = 40
	if len(digits) > most {
		return digits[:most] + "…"
	}
	return digits
}

func malformed(v state.Value, err error) error {
	return &VersionError{Text: v.String(), Err: err}
}

// setVersion makes v the version of m.
func setVersion(m *state.Map, v Version) {
	if v.pair {
		m.Set("version", state.NewList(state.Int(int64(v.major)), state.Int(int64(v.minor))).Value())
		return
	}
	m.Set("version", state.Int(int64(v.major)))
}

// Stateless tells that records of version v may be migrated in any order and by
// several goroutines at once, whatever the target. Older ones need one Stream and
// file order.
func Stateless(v Version) bool { return v.Compare(Number(12)) >= 0 }
