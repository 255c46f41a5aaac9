package state

import "fmt"

// Kind tells what a [Value] is. The set is closed.
type Kind uint8

// The kinds of values. List and map are last, so k >= KindList means "has
// elements".
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindBytes
	KindText
	KindList
	KindMap
)

var kindNames = [...]string{"null", "bool", "int", "float", "bytes", "text", "list", "map"}

// String returns the name of k in lower case, as used in error messages.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}
