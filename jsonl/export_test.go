package jsonl

import "flag"

// updateFields is the flag -update, which the tests outside this package define.
func updateFields() *bool {
	set := false
	if f := flag.Lookup("update"); f != nil {
		set = f.Value.String() == "true"
	}
	return &set
}
