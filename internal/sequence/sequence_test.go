package sequence_test

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/internal/sequence"
)

func TestOf(t *testing.T) {
	bad, last := errors.New("bad"), errors.New("last")
	for _, tt := range []struct {
		name  string
		reads []error
		stop  int // break after that many
		want  []error
	}{
		{"end", []error{nil, nil, io.EOF}, 9, []error{nil, nil}},
		{"nothing", []error{io.EOF}, 9, nil},
		{"goes on", []error{nil, bad, nil, bad, io.EOF}, 9, []error{nil, bad, nil, bad}},
		{"final", []error{bad, last}, 9, []error{bad, last}},
		{"break", []error{nil, nil, nil}, 2, []error{nil, nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			read := func() (int, error) {
				n++
				return n, tt.reads[n-1]
			}
			var got []error
			for v, err := range sequence.Of(read, func(err error) bool { return err == last }) {
				if got = append(got, err); v != len(got) {
					t.Errorf("value %d at place %d", v, len(got))
				}
				if v == tt.stop {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
