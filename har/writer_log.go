package har

import (
	"encoding/json"
	"maps"
	"strconv"
)

// logMembers returns those members of the log that are known and were not written,
// keys and values in turn. HAR demands the pages, so they are among them at the end.
func (w *Writer) logMembers(atEnd bool) (members []string) {
	var log Log
	if w.opts.Log != nil {
		log = w.opts.Log(atEnd)
	}
	if w.said == nil {
		w.said = make(map[string]bool)
	}
	add := func(key string, value any) {
		if w.said[key] {
			return
		}
		if text, err := json.Marshal(value); err == nil { // or else it is nothing to be missed
			members = append(members, strconv.Quote(key), string(text))
			w.said[key] = true
		}
	}
	if log.Browser.Name != "" {
		add("browser", log.Browser)
	}
	if (log.Pages != nil || atEnd) && !w.said["pages"] {
		pages := []Page{} // and not null
		for _, p := range log.Pages {
			if !p.complete() {
				continue // no reader would take it
			}
			if p.PageTimings == nil {
				p.PageTimings = map[string]any{}
			}
			pages = append(pages, p)
		}
		add("pages", pages)
		w.pages = log.PageIDs()
		maps.DeleteFunc(w.unknown, func(page string, _ int64) bool { return w.pages[page] })
	}
	if log.Comment != "" {
		add("comment", log.Comment)
	}
	return members
}

// complete tells whether a page has what HAR 1.2 demands, apart from what can be
// added.
func (p *Page) complete() bool { return p.ID != "" && isDate(p.StartedDateTime) }

// PageIDs returns the IDs of those pages that a [Writer] writes: HAR demands an ID
// and a date.
func (l *Log) PageIDs() map[string]bool {
	ids := make(map[string]bool, len(l.Pages))
	for i := range l.Pages {
		if p := &l.Pages[i]; p.complete() {
			ids[p.ID] = true
		}
	}
	return ids
}

// MissingPages returns how many of the entries that were copied name a page that
// was not written. It is known after [Writer.Close]. Of more than 65536 names, not all
// are counted.
func (w *Writer) MissingPages() (entries int64) {
	for _, n := range w.unknown {
		entries += n
	}
	return entries
}

// maxPageNames limits how many names of pages are remembered.
const maxPageNames = 1 << 16

// name notes that an entry names a page, "" for none.
func (w *Writer) name(page string) {
	if page == "" || w.pages[page] {
		return
	}
	if _, ok := w.unknown[page]; !ok && len(w.unknown) == maxPageNames {
		return
	}
	if w.unknown == nil {
		w.unknown = make(map[string]int64)
	}
	w.unknown[page]++
}
