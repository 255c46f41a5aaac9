package searchtext

import (
	"errors"
	"strconv"
	"sync"

	"github.com/flowtool/flowtool/state"
)

// AppendMetadata appends the metadata of a flow as operator ~meta searches it: a line for each
// entry, without an end after the last, with key and value as Python shows them (f"{key}: {value}"
// in mitmproxy). Text is shown as it is, line breaks included, and everything else, including text
// inside lists and maps, as repr does.
//
// The order of the lines, and of the entries of all maps, is that of the file, in which mitmproxy
// has them after reading it. It is the reverse of that of v, because writing reverses maps, and
// codecs undo that. (Reading a WebSocket flow of a format before 13 adds an entry, which mitmproxy
// has last and which is first here.)
//
// The error is that of an accessor of v, *[state.TypeError] if v is no map; dst is then returned as
// it was. mitmproxy cannot show integers of more than 4300 digits; here they are like others.
func AppendMetadata(dst []byte, v *state.Value) ([]byte, error) {
	if v.Kind() != state.KindMap {
		return dst, &state.TypeError{Want: state.KindMap.String(), Got: v.Kind().String()}
	}
	d := displays.Get().(*display)
	d.dst = dst
	err := d.metadata(v)
	text := d.dst
	clear(d.elems[:cap(d.elems)]) // the pool must not keep records alive
	d.dst, d.elems = nil, d.elems[:0]
	displays.Put(d)
	if err != nil {
		return dst, err
	}
	return text, nil
}

var displays = sync.Pool{New: func() any { return new(display) }}

// display appends values as Python shows them.
type display struct {
	dst   []byte
	elems []state.Value // a stack: those of the containers that are being shown
}

func (d *display) metadata(v *state.Value) error {
	var err error
	if d.elems, err = v.Elements(d.elems); err != nil {
		return err
	}
	for i := len(d.elems) - 2; i >= 0; i -= 2 {
		if err := d.str(i); err != nil {
			return err
		}
		d.dst = append(d.dst, ": "...)
		if err := d.str(i + 1); err != nil {
			return err
		}
		if i > 0 {
			d.dst = append(d.dst, '\n')
		}
	}
	return nil
}

// str appends str() of element i.
func (d *display) str(i int) error {
	if d.elems[i].Kind() != state.KindText {
		return d.repr(i)
	}
	text, err := d.elems[i].TextBytes()
	d.dst = append(d.dst, text...)
	return err
}

// repr appends repr() of element i.
func (d *display) repr(i int) error {
	v := &d.elems[i]
	switch v.Kind() {
	case state.KindNull:
		d.dst = append(d.dst, "None"...)
	case state.KindBool:
		b, err := v.Bool()
		if err != nil {
			return err
		}
		if b {
			d.dst = append(d.dst, "True"...)
		} else {
			d.dst = append(d.dst, "False"...)
		}
	case state.KindInt:
		n, err := v.Int64()
		if big, ok := errors.AsType[*state.RangeError](err); ok {
			d.dst = big.Int.Append(d.dst, 10)
			return nil
		}
		if err != nil {
			return err
		}
		d.dst = strconv.AppendInt(d.dst, n, 10)
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil {
			return err
		}
		d.dst = state.AppendFloat(d.dst, f)
	case state.KindBytes:
		b, err := v.Bytes()
		if err != nil {
			return err
		}
		d.dst = appendBytesRepr(d.dst, b)
	case state.KindText:
		b, err := v.TextBytes()
		if err != nil {
			return err
		}
		d.dst = appendTextRepr(d.dst, b)
	case state.KindList:
		return d.list(v)
	case state.KindMap:
		return d.dict(v)
	}
	return nil
}

func (d *display) list(v *state.Value) error {
	first := len(d.elems)
	var err error
	if d.elems, err = v.Elements(d.elems); err != nil {
		return err
	}
	d.dst = append(d.dst, '[')
	for i := first; i < len(d.elems); i++ {
		if i > first {
			d.dst = append(d.dst, ", "...)
		}
		if err := d.repr(i); err != nil {
			return err
		}
	}
	d.dst = append(d.dst, ']')
	d.elems = d.elems[:first]
	return nil
}

func (d *display) dict(v *state.Value) error {
	first := len(d.elems)
	var err error
	if d.elems, err = v.Elements(d.elems); err != nil {
		return err
	}
	d.dst = append(d.dst, '{')
	for i := len(d.elems) - 2; i >= first; i -= 2 {
		if err := d.repr(i); err != nil {
			return err
		}
		d.dst = append(d.dst, ": "...)
		if err := d.repr(i + 1); err != nil {
			return err
		}
		if i > first {
			d.dst = append(d.dst, ", "...)
		}
	}
	d.dst = append(d.dst, '}')
	d.elems = d.elems[:first]
	return nil
}
