package har

import "encoding/json"

// A Log is what a HAR says besides its entries.
type Log struct {
	Version string // of the format
	Creator Agent
	Browser Agent
	Comment string
	Pages   []Page
}

// An Agent is a program that had to do with a HAR.
type Agent struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Comment string `json:"comment"`
}

// A Page is a page that was loaded. The entries of its resources have its ID as
// their pageref, which is in the metadata of their flows.
type Page struct {
	ID              string `json:"id"`
	Title           string `json:"title"`
	StartedDateTime string `json:"startedDateTime"`
	Comment         string `json:"comment"`
	// PageTimings has onContentLoad and onLoad, in milliseconds.
	PageTimings map[string]any `json:"pageTimings"`
}

// Log returns what was read so far besides entries. It is complete at the end of
// the input: in most files these members stand before the entries, in some
// behind. A member that is larger than 16 MiB, or of the wrong type, is left
// out.
func (d *Reader) Log() Log { return d.log }

// Head is Log for what stands before the first entry. It is known when that was
// read, and empty before.
func (d *Reader) Head() Log { return d.head }

// isKept tells whether Log has a member with the key.
func isKept(key string) bool { return new(Log).member(key) != nil }

func (l *Log) member(key string) any {
	switch key {
	case "version":
		return &l.Version
	case "creator":
		return &l.Creator
	case "browser":
		return &l.Browser
	case "comment":
		return &l.Comment
	case "pages":
		return &l.Pages
	}
	return nil
}

// set decodes a member of the log.
func (l *Log) set(key string, value []byte) {
	var read Log
	if json.Unmarshal(value, read.member(key)) != nil {
		return
	}
	switch key {
	case "version":
		l.Version = read.Version
	case "creator":
		l.Creator = read.Creator
	case "browser":
		l.Browser = read.Browser
	case "comment":
		l.Comment = read.Comment
	case "pages":
		l.Pages = read.Pages
	}
}
