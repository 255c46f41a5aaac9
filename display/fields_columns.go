package display

import (
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/flow"
)

// Columns renders chosen fields of flows: as a line with tabs between them, or
// as the row of a [Table]. Its methods may be called by several goroutines at
// once, for different flows.
type Columns struct{ fields []Field }

// An UnknownFieldError names a field that does not exist.
type UnknownFieldError struct{ Name string }

func (e *UnknownFieldError) Error() string {
	var names []string
	for _, f := range Fields() {
		names = append(names, f.Name)
	}
	return strconv.Quote(e.Name) + " is not a field; there are " + strings.Join(names, ", ")
}

// DefaultColumns are the columns of a table for which nobody chose any, as
// [ParseColumns] takes them.
const DefaultColumns = "index,time,type,method,url,status,content_type,size,duration,client,server_ip,error,comment"

// ParseColumns returns the columns for names, separated by commas. A dot may stand
// for an underscore. A name that is not known is an [UnknownFieldError].
func ParseColumns(names string) (*Columns, error) {
	var c Columns
	all := Fields()
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		f, ok := lookup(all, name)
		if !ok {
			return nil, &UnknownFieldError{name}
		}
		c.fields = append(c.fields, f)
	}
	return &c, nil
}

// lookup returns the field with a name.
func lookup(all []Field, name string) (Field, bool) {
	base, header, named := strings.Cut(name, ":")
	for _, f := range all {
		if f.named == nil {
			if f.Name == strings.ReplaceAll(name, ".", "_") {
				return f, true
			}
		} else if named && header != "" && f.Name == base+":NAME" {
			f.Name, f.append = name, f.named(header)
			return f, true
		}
	}
	return Field{}, false
}

// NeedsContent tells whether a column looks at the content of bodies. If none
// does, flows that were read without their large bodies are enough.
func (c *Columns) NeedsContent() bool {
	for _, f := range c.fields {
		if f.content {
			return true
		}
	}
	return false
}

// OfPosition returns the name of the first column that says where a flow was read from,
// not what is in it; "" if none does.
func (c *Columns) OfPosition() string {
	for _, f := range c.fields {
		if f.place {
			return f.Name
		}
	}
	return ""
}

// Append appends a line with the fields of f, with tabs between them. Tabs, line
// ends and control characters in values are escaped; nothing is cut.
func (c *Columns) Append(dst []byte, pos Position, f flow.Flow) []byte {
	cell := cell{pos, f}
	var tmp []byte
	for i := range c.fields {
		if i > 0 {
			dst = append(dst, '\t')
		}
		tmp = c.fields[i].append(tmp[:0], &cell)
		dst = contentview.AppendEscaped(dst, tmp, false)
	}
	return append(dst, '\n')
}
