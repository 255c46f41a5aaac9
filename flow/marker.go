package flow

import (
	"strings"

	"github.com/yuin/goldmark-emoji/definition"
)

// DefaultMarker is the name of the mark that means nothing but "marked".
const DefaultMarker = ":default:"

// defaultGlyph is how DefaultMarker looks.
const defaultGlyph = "●"

// MarkerGlyph returns what to show for the name of a mark (see [Flow.Marked]):
// the emoji for a name such as ":grapes:", a letter or digit for itself, "" for
// "" and a filled circle for [DefaultMarker] and for every name that is not
// known. All names that mitmproxy knows are.
func MarkerGlyph(name string) string {
	if name == "" {
		return ""
	}
	if g, ok := glyph(name); ok {
		return g
	}
	return defaultGlyph
}

func glyph(name string) (string, bool) {
	if name == DefaultMarker {
		return defaultGlyph, true
	}
	if len(name) == 1 && ('0' <= name[0] && name[0] <= '9' || 'a' <= lower(name[0]) && lower(name[0]) <= 'z') {
		return name, true
	}
	if len(name) < 3 || name[0] != ':' || !strings.HasSuffix(name, ":") {
		return "", false
	}
	e, ok := definition.Github().Get(name[1 : len(name)-1])
	if !ok || !e.IsUnicode() {
		return "", false
	}
	return string(e.Unicode), true
}
