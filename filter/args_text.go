package filter

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

// Versions is a list of versions, which are pairs of numbers: 0.13 is after
// 0.2.
type Versions struct{ list[version] }

// Contains tells whether a version is in the list. A version without a minor
// number is one with the minor number 0.
func (a *Versions) Contains(major, minor int) bool {
	return a.contains(func(v version) int {
		return version{int64(major), int64(minor)}.compare(v)
	})
}

type version struct{ major, minor int64 }

func (v version) compare(w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor))
}

func parseVersions(s string) (Arg, *argError) {
	l, err := parseList(s, listStyle[version]{
		what:    nouns[VersionArg],
		dash:    true,
		value:   versionValue,
		compare: version.compare,
	})
	if err != nil {
		return nil, err
	}
	return &Versions{l}, nil
}

// versionValue reads a version. One without a minor number stands for all
// versions that begin with it.
func versionValue(s string) (interval[version], int, string, *argError) {
	none := interval[version]{}
	n := decimal(s)
	if n == 0 {
		if bare := strings.TrimLeft(s, "HTPLSvhtpls/"); digits(bare) > 0 && len(bare) < len(s) {
			n := decimal(bare)
			return none, 0, "", &argError{0, len(s) - len(bare) + n, "a version is a number", "", bare[:n]}
		}
		return none, 0, "", nil
	}
	major, minor, pair := strings.Cut(s[:n], ".")
	v, err := version{}, error(nil)
	if v.major, err = strconv.ParseInt(major, 10, 32); err == nil && pair {
		v.minor, err = strconv.ParseInt(minor, 10, 32)
	}
	if err != nil {
		return none, 0, "", &argError{0, n, quote(s[:n]) + " is no version", "", ""}
	}
	if !pair {
		return between(v, version{v.major, math.MaxInt64}), n, s[:n], nil
	}
	return one(v), n, s[:n], nil
}

// Prefixes is a list of beginnings of ids.
type Prefixes struct{ prefixes []string }

// Match tells whether id begins with one of the prefixes, in whatever case.
func (a *Prefixes) Match(id string) bool {
	for _, p := range a.prefixes {
		if len(id) >= len(p) && lower(id[:len(p)]) == p {
			return true
		}
	}
	return false
}

// String returns the prefixes in lower case.
func (a *Prefixes) String() string { return strings.Join(a.prefixes, ",") }

func (*Prefixes) arg() {}

func parsePrefixes(s string) (Arg, *argError) {
	a := &Prefixes{}
	pos := 0
	for part := range strings.SplitSeq(s, ",") {
		p := lower(strings.Trim(part, " \t\r\n"))
		if p == "" {
			return nil, &argError{pos, 0, "there is no id", nouns[IDArg], ""}
		}
		a.prefixes = append(a.prefixes, p)
		pos += len(part) + 1
	}
	return a, nil
}

// A Header is the name of a header, perhaps with a regular expression for its
// value.
type Header struct {
	Name     string // in lower case
	HasRegex bool
	Regex    string
	Regexp   *pyregexp.Regexp // nil unless HasRegex
}

// String returns "name" or "name=regex".
func (a *Header) String() string {
	if a.HasRegex {
		return a.Name + "=" + a.Regex
	}
	return a.Name
}

func (*Header) arg() {}

func parseHeader(s string) (Arg, *argError) {
	name, regex, has := strings.Cut(s, "=")
	if name == "" {
		return nil, &argError{0, 0, "there is no name of a header", nouns[HeaderArg], ""}
	}
	if i := strings.IndexAny(name, " \t\r\n:"); i >= 0 {
		e := &argError{i, 1, quote(name[i:i+1]) + " cannot be in the name of a header", "", ""}
		if name[i] == ':' && i > 0 {
			e.suggest = name[:i] + "=" + cmp.Or(strings.TrimSpace(s[i+1:]), "REGEX")
		}
		return nil, e
	}
	return &Header{Name: lower(name), HasRegex: has, Regex: regex}, nil
}

// lower returns s with the letters of ASCII in lower case.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for i, c := range b {
				if c >= 'A' && c <= 'Z' {
					b[i] = c | 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
