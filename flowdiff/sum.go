package flowdiff

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/flowtool/flowtool/state"
)

// A sum is equal for equal values and, as far as sha256 goes, for no others. It
// begins with the kind and the length of the content, which follows if there is
// room for it; if not, most of its sha256 does. Sums depend on nothing but the
// values: their order decides between alignments that are equally good.
type sum [24]byte

// isHash stands in place of the length if a sum has a sha256.
const isHash = 1<<5 - 1

func sumOf(kind state.Kind, content []byte) sum {
	if len(content) < len(sum{}) {
		return newSum(kind, len(content), content)
	}
	h := sha256.Sum256(content)
	return newSum(kind, isHash, h[:])
}

func newSum(kind state.Kind, length int, content []byte) (s sum) {
	s[0] = byte(kind)<<5 | byte(length)
	copy(s[1:], content)
	return s
}

// A summer makes the sums of a tree from those of its leaves.
type summer struct {
	elems   []sum // of lists that are not complete yet
	entries []entrySum
	buf     []byte
}

// An entrySum is the sums of a key and of its value.
type entrySum struct{ key, value sum }

// scalar returns the sum of a scalar.
func (s *summer) scalar(v state.Value) (sum, error) {
	var content []byte
	var err error
	switch kind := v.Kind(); {
	case !v.InMemory():
		return streamSum(v)
	case kind == state.KindBytes:
		content, err = v.Bytes()
	case kind == state.KindText:
		content, err = v.TextBytes()
	default:
		s.buf, err = appendScalar(s.buf[:0], v)
		content = s.buf
	}
	return sumOf(v.Kind(), content), err
}

// streamSum is sumOf for bytes or text that is not brought into memory.
func streamSum(v state.Value) (sum, error) {
	if v.Len() < int64(len(sum{})) {
		var content bytes.Buffer
		err := writeScalar(&content, v)
		return sumOf(v.Kind(), content.Bytes()), err
	}
	h := sha256.New()
	err := writeScalar(h, v)
	return newSum(v.Kind(), isHash, h.Sum(nil)), err
}

// list returns the sum of a list: of the elements from first on, which it forgets.
func (s *summer) list(first int) sum {
	s.buf = s.buf[:0]
	for i := range s.elems[first:] {
		s.buf = append(s.buf, s.elems[first+i][:]...)
	}
	s.elems = s.elems[:first]
	return sumOf(state.KindList, s.buf)
}

// entry adds an entry of a map. id is that of its key.
func (s *summer) entry(id string, value sum) {
	s.buf = append(s.buf[:0], id...)
	s.entries = append(s.entries, entrySum{sumOf(state.KindText, s.buf), value})
}

// mapping returns the sum of a map: of the entries from first on, which it forgets.
// unique tells that no key was there twice.
func (s *summer) mapping(first int) (sum sum, unique bool) {
	entries := s.entries[first:]
	// The order of a map means nothing.
	slices.SortFunc(entries, func(a, b entrySum) int { return bytes.Compare(a.key[:], b.key[:]) })
	s.buf = s.buf[:0]
	unique = true
	for i := range entries {
		e := &entries[i]
		unique = unique && (i == 0 || e.key != entries[i-1].key)
		s.buf = append(append(s.buf, e.key[:]...), e.value[:]...)
	}
	s.entries = s.entries[:first]
	return sumOf(state.KindMap, s.buf), unique
}
