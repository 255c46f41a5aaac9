package jsonl

import "strings"

// The tags: keys of objects that stand for something that JSON has no word for.
const (
	tagBase64 = "$base64" // bytes
	tagBytes  = "$bytes"  // bytes that are UTF-8, where a string is text
	tagText   = "$text"   // text, where a string is bytes
	tagInt    = "$int"    // an integer
	tagFloat  = "$float"  // a float
	tagMap    = "$map"    // a map with other keys than text
	tagKeys   = "$keys"   // a member that says that keys and strings are bytes
	tagRaw    = "$raw"    // a member that has the record of a flow
)

var tags = []string{tagBase64, tagBytes, tagText, tagInt, tagFloat, tagMap, tagKeys, tagRaw}

// isTag tells whether a key means something: whether it begins with one dollar
// sign and not with two.
func isTag(key []byte) bool {
	return len(key) > 0 && key[0] == '$' && (len(key) == 1 || key[1] != '$')
}

func isKnownTag(key []byte) bool {
	for _, t := range tags {
		if string(key) == t {
			return true
		}
	}
	return false
}

func tagList() string { return strings.Join(tags, ", ") }
