package coding

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// lookupLegacy returns the charset for a label of the WHATWG Encoding Standard, or nil.
func lookupLegacy(label string) *charset {
	enc, err := htmlindex.Get(label)
	if err != nil {
		return nil
	}
	name, err := htmlindex.Name(enc)
	switch {
	case err != nil, name == "replacement", name == "x-user-defined":
		return nil
	case name == "gbk": // a subset
		return lookupLegacy("gb18030")
	}
	return &charset{name, func(data []byte) (string, bool) {
		text, err := enc.NewDecoder().Bytes(data)
		return string(text), err == nil && !strings.ContainsRune(string(text), utf8.RuneError)
	}}
}
