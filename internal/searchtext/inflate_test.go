package searchtext

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestInflateOracle compares with zlib alone, which tells more than a body: whether the stream
// has ended.
func TestInflateOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(17, 18))
	var questions []question
	var bodies [][]byte
	for _, b := range compressedBodies(rnd) {
		if b.encoding != "deflate" {
			continue
		}
		for range max(20, 200-len(b.raw)/50) {
			raw := mutated(rnd, b.raw)
			bodies = append(bodies, raw)
			questions = append(questions, question{"inflate", -15, b64(raw)})
		}
		for i := range min(len(b.raw), 300) {
			bodies = append(bodies, b.raw[:i])
			questions = append(questions, question{"inflate", -15, b64(b.raw[:i])})
		}
	}
	for range 20000 { // soup, most of which is blocks with codes of their own
		raw := make([]byte, 1+rnd.IntN(40))
		for i := range raw {
			raw[i] = byte(rnd.Uint32() & rnd.Uint32())
		}
		raw[0] = raw[0]&^7 | 4
		bodies = append(bodies, raw)
		questions = append(questions, question{"inflate", -15, b64(raw)})
	}
	var d inflater
	counts := map[error]int{}
	for i, answer := range ask(t, python, questions) {
		out, _, err := d.inflate(nil, bodies[i], noLimit)
		counts[err]++
		got := "null"
		if err != errCorrupt {
			got = fmt.Sprintf("[%q, %v]", short(out), err == nil)
		}
		if got != string(answer) {
			t.Errorf("%.300q:\n%s, want %s", bodies[i], got, answer)
		}
	}
	t.Logf("%d streams: %v", len(bodies), counts)
}

// TestInflatePrefixes checks what is decoded of every prefix of a stream: as much as zlib decodes.
func TestInflatePrefixes(t *testing.T) {
	text := []byte("Blah blah blah blah blah! Blah blah? blah, abcdefghijklmnopqrstuvwxyz blah")
	for _, tt := range []struct {
		name string
		raw  string
		want string // lengths, by size of the prefix
	}{
		{"fixed", "" +
			"\x73\xca\x49\xcc\x50\x48\xc2\x24\x14\x15\x9c\x60\x4c\x7b\x30\xa9\xa3\x90\x98\x94\x9c\x92" +
			"\x9a\x96\x9e\x91\x99\x95\x9d\x93\x9b\x97\x5f\x50\x58\x54\x5c\x52\x5a\x56\x5e\x51\x59\x05" +
			"\x56\x00\x00",
			"[0 0 1 2 3 4 5 6 6 24 25 26 27 35 36 36 41 42 43 44 45 46 47 48 49 50 51 52 53 " +
				"54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 69 74 74]"},
		{"dynamic", "" +
			"\x05\xc1\xc7\x0d\x80\x40\x10\x03\xc0\x56\xcc\x9f\x1e\x90\xae\x13\x2f\xc9\x80\xc9\x99\xea" +
			"\x99\x49\xa6\x10\xa6\x10\xa6\x10\xa6\x10\xa6\x32\x24\x53\x08\x53\x05\xc2\x54\x0e\x46\x59" +
			"\xd5\x4d\xab\xae\x1f\x3c\x4e\xf3\xb2\x6e\xfb\x71\x5e\xf7\xf3\x7e\x08\x53\x3f",
			"[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 3 6 8 11 13 16 18 21 23 25 27 " +
				"30 32 35 36 39 41 43 45 46 48 49 51 52 53 55 57 58 59 61 62 63 65 66 67 69 71 74 " +
				"74]"},
	} {
		raw := []byte(tt.raw)
		var got []int
		for i := range len(raw) + 1 {
			out, rest, err := new(inflater).inflate(nil, raw[:i], noLimit)
			if i < len(raw) && err != errTruncated || i == len(raw) && (err != nil || len(rest) > 0) {
				t.Errorf("%s, %d bytes: %v, %d bytes left", tt.name, i, err, len(rest))
			}
			if !bytes.HasPrefix(text, out) {
				t.Errorf("%s, %d bytes: %q", tt.name, i, out)
			}
			got = append(got, len(out))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}
