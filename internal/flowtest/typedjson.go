// Package flowtest holds what tests of several packages need: vectors in typed
// JSON, access to testdata, golden files and the mitmproxy oracle. Only tests
// import it.
package flowtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// ParseValue decodes a value in the typed JSON of the vectors, which
// testdata/README.md describes. Maps keep the order of the vector. A
// placeholder {"u":n} becomes the text "placeholder:n".
func ParseValue(data []byte) (state.Value, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return state.Value{}, fmt.Errorf("no value")
	}
	switch data[0] {
	case 'n':
		return state.Null(), nil
	case 't', 'f':
		return state.Bool(data[0] == 't'), nil
	case '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return state.Value{}, err
		}
		return state.Text(s), nil
	case '[':
		elems, err := parseList(data)
		return state.NewList(elems...).Value(), err
	}
	var obj map[string]json.RawMessage
	if err := json.Unmarshal(data, &obj); err != nil || len(obj) != 1 {
		return state.Value{}, fmt.Errorf("not typed JSON: %.60s", data)
	}
	for tag, raw := range obj {
		if tag == "d" {
			var pairs [][]json.RawMessage
			if err := json.Unmarshal(raw, &pairs); err != nil {
				return state.Value{}, err
			}
			m := state.NewMap()
			for _, p := range pairs {
				k, err := ParseValue(p[0])
				if err != nil {
					return state.Value{}, err
				}
				v, err := ParseValue(p[1])
				if err != nil {
					return state.Value{}, err
				}
				// NaN keys are all different, so SetKey adds them all.
				m.SetKey(k, v)
			}
			return m.Value(), nil
		}
		if tag == "u" {
			return state.Text("placeholder:" + string(raw)), nil
		}
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return state.Value{}, err
		}
		switch tag {
		case "i":
			n, ok := new(big.Int).SetString(s, 10)
			if !ok {
				return state.Value{}, fmt.Errorf("not an integer: %q", s)
			}
			return state.BigInt(n), nil
		case "f":
			f, err := strconv.ParseFloat(s, 64)
			return state.Float(f), err
		case "b":
			b, err := base64.StdEncoding.DecodeString(s)
			return state.Bytes(b), err
		}
	}
	return state.Value{}, fmt.Errorf("not typed JSON: %.60s", data)
}

func parseList(data []byte) ([]state.Value, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(data, &raws); err != nil {
		return nil, err
	}
	elems := make([]state.Value, len(raws))
	for i, raw := range raws {
		var err error
		if elems[i], err = ParseValue(raw); err != nil {
			return nil, err
		}
	}
	return elems, nil
}

// Dump returns v as indented text that go-cmp can show differences of. With
// sortKeys the entries of maps are sorted, for comparing maps as unordered.
func Dump(v state.Value, sortKeys bool) string {
	var b strings.Builder
	dump(&b, v, sortKeys, "")
	return b.String()
}

func dump(b *strings.Builder, v state.Value, sortKeys bool, indent string) {
	switch v.Kind() {
	case state.KindMap:
		m, err := v.Map()
		if err != nil {
			fmt.Fprintf(b, "malformed map: %v", err)
			return
		}
		b.WriteString("{\n")
		var lines []string
		for k, e := range m.All() {
			var line strings.Builder
			dump(&line, k, sortKeys, indent+"  ")
			line.WriteString(": ")
			dump(&line, e, sortKeys, indent+"  ")
			lines = append(lines, line.String())
		}
		if sortKeys {
			slices.Sort(lines)
		}
		for _, l := range lines {
			b.WriteString(indent + "  " + l + "\n")
		}
		b.WriteString(indent + "}")
	case state.KindList:
		l, err := v.List()
		if err != nil {
			fmt.Fprintf(b, "malformed list: %v", err)
			return
		}
		b.WriteString("[\n")
		for _, e := range l.All() {
			b.WriteString(indent + "  ")
			dump(b, e, sortKeys, indent+"  ")
			b.WriteString("\n")
		}
		b.WriteString(indent + "]")
	case state.KindBytes:
		data, err := v.Bytes()
		fmt.Fprintf(b, "b%q", data)
		if err != nil {
			fmt.Fprintf(b, " (%v)", err)
		}
	case state.KindText:
		s, err := v.Text()
		fmt.Fprintf(b, "%q", s)
		if err != nil {
			fmt.Fprintf(b, " (%v)", err)
		}
	default:
		fmt.Fprintf(b, "%s", v)
	}
}
