package display

import (
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	const (
		red = "\x1b[31m"
		off = "\x1b[0m"
	)
	for _, tt := range []struct {
		name, in string
		columns  int
		want     string
	}{
		{"fits", "hello", 5, "hello"},
		{"one too long", "hello!", 5, "hell…"},
		{"empty", "", 5, ""},
		{"one column", "hello", 1, "…"},
		{"wide fits", "日本", 4, "日本"},
		{"wide cut", "日本語", 5, "日本…"},
		{"wide cut leaves a column", "日本語", 4, "日…"},
		{"wide in two columns", "日本", 2, "…"},
		{"wide in one column", "日本", 1, "…"},
		{"emoji", "🍇🍇🍇", 5, "🍇🍇…"},
		{"combining marks take no column", "e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"combining marks stay with their letter", "e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301…"},
		{"joiners take no column", "a\u200db", 2, "a\u200db"},
		{"a symbol made an emoji may take two", "⚠\ufe0f⚠\ufe0f", 4, "⚠\ufe0f⚠\ufe0f"},
		{"a symbol made an emoji is cut", "⚠\ufe0f⚠\ufe0f", 3, "⚠\ufe0f…"},
		{"more bytes than columns", "äöüß", 4, "äöüß"},
		{"colours take no column", red + "hello" + off, 5, red + "hello" + off},
		{"a cut style ends", red + "hello!" + off, 5, red + "hell…" + off},
		{"styles behind the cut", "hello " + red + "world" + off, 5, "hell…"},
		{"a style before everything", red + "日本" + off, 1, "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const before = "what was there before\n"
			got := string(cut([]byte(before+tt.in), len(before), tt.columns))
			if rest, ok := strings.CutPrefix(got, before); !ok || rest != tt.want {
				t.Errorf("got %q, want %q", rest, tt.want)
			}
		})
	}
}
