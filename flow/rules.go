package flow

import (
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flowtool/flowtool/state"
)

// A rule says which values a field may have. Rules are shared by strict
// validation, which only applies the conversions that mitmproxy applies itself,
// and by [Repair], which has more of them.
type rule struct {
	want string // in words, for errors
	null bool   // null is allowed
	// check returns the value to have instead of v and whether it is another
	// one. Lists and maps are changed in place and are never another value.
	check func(c *checker, want string, v state.Value) (state.Value, bool)
	// absent makes the value that Repair sets when the key is missing, or null
	// where that is not allowed; nil if nothing can be set.
	absent func(c *checker) state.Value
}

// orNull returns r with null allowed and also set where the key is missing.
func (r rule) orNull() rule {
	r.want += " or null"
	r.null = true
	r.absent = func(*checker) state.Value { return state.Null() }
	return r
}

// def returns r with a value for where the key is missing.
func (r rule) def(v state.Value) rule {
	r.absent = func(*checker) state.Value { return state.Clone(v) }
	return r
}

// defFunc is def for values that are not always the same.
func (r rule) defFunc(f func(c *checker) state.Value) rule {
	r.absent = f
	return r
}

// A schema is the list of the keys of a map in logical order.
type schema []schemaField

type schemaField struct {
	name string
	rule rule
	// optional keys may be missing.
	optional bool
}

// The rules for single values, named after the classes of the format.

var textRule = rule{want: "text", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	if v.Kind() == state.KindText {
		if _, err := v.TextBytes(); err != nil && v.InMemory() {
			return c.malformed(want, v, err)
		}
		return v, false
	}
	if c.repair && v.Kind() == state.KindBytes {
		if b, err := v.Bytes(); err == nil && utf8.Valid(b) {
			return c.change(state.TextBytes(b), "bytes taken for text")
		}
	}
	return c.fail(want, v)
}}

var bytesRule = rule{want: "bytes", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	if v.Kind() == state.KindBytes {
		return v, false
	}
	if c.repair && v.Kind() == state.KindText {
		if b, err := v.TextBytes(); err == nil {
			return c.change(state.Bytes(b), "text taken for bytes")
		}
	}
	return c.fail(want, v)
}}

var boolRule = rule{want: "bool", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	if v.Kind() == state.KindBool {
		if _, err := v.Bool(); err != nil {
			return c.malformed(want, v, err)
		}
		return v, false
	}
	if c.repair && v.Kind() == state.KindInt {
		if i, err := v.Int64(); err == nil && (i == 0 || i == 1) {
			return c.change(state.Bool(i == 1), "%d taken for a boolean", i)
		}
	}
	return c.fail(want, v)
}}

// floatRule is the class F: integers and booleans become floats. Repair leaves
// that to FromState, which does the same as mitmproxy.
var floatRule = rule{want: "float", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	f, ok, err := toFloat(v)
	return c.converted(want, v, f, ok, err, !c.repair)
}}

// intRule is the class I: booleans become 0 and 1, floats lose their fraction.
var intRule = rule{want: "int", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	i, ok, err := toInt(v)
	return c.converted(want, v, i, ok, err, !c.repair)
}}

// plainIntRule is for integers that mitmproxy does not convert anything to.
var plainIntRule = rule{want: "int", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	i, ok, err := toInt(v)
	if v.Kind() != state.KindInt {
		ok = ok && c.repair
	}
	return c.converted(want, v, i, ok, err, c.repair)
}}

// numberRule is for times that are kept as they are.
var numberRule = rule{want: "float or int", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	f, ok, err := toFloat(v)
	switch v.Kind() {
	case state.KindInt:
		return c.converted(want, v, f, err == nil, err, false)
	case state.KindBool:
		ok = ok && c.repair
	}
	return c.converted(want, v, f, ok, err, c.repair)
}}

// converted is the outcome of converting v to another kind: n, unless that was
// not possible. With apply it is used, without v is fine as it is.
func (c *checker) converted(want string, v, n state.Value, ok bool, err error, apply bool) (state.Value, bool) {
	switch {
	case err != nil:
		return c.malformed(want, v, err)
	case !ok:
		return c.fail(want, v)
	case !apply || n.Kind() == v.Kind():
		return v, false
	}
	return c.change(n, "%s %s made %s", v.Kind(), v, n)
}

// toFloat converts v as Python's float does, without text. err says that v is
// malformed.
func toFloat(v state.Value) (f state.Value, ok bool, err error) {
	switch v.Kind() {
	case state.KindFloat:
		_, err = v.Float64()
		return v, true, err
	case state.KindInt:
		n, err := v.Number()
		return state.Float(n), !math.IsInf(n, 0), err
	case state.KindBool:
		b, err := v.Bool()
		return state.Float(float64(intOf(b))), true, err
	}
	return v, false, nil
}

// toInt converts v as Python's int does, without text.
func toInt(v state.Value) (i state.Value, ok bool, err error) {
	switch v.Kind() {
	case state.KindInt:
		if _, err = v.Int64(); err != nil {
			_, err = v.BigInt() // more than 64 bits are allowed
		}
		return v, true, err
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return v, false, err
		}
		n, _ := big.NewFloat(f).Int(nil)
		return state.BigInt(n), true, nil
	case state.KindBool:
		b, err := v.Bool()
		return state.Int(intOf(b)), true, err
	}
	return v, false, nil
}

func intOf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// oneOf allows texts of a closed set. renamed holds pairs of a name that Repair
// replaces and its replacement.
func oneOf(names []string, renamed ...string) rule {
	r := rule{want: "one of " + strings.Join(names, ", ")}
	r.check = func(c *checker, want string, v state.Value) (state.Value, bool) {
		if v.Kind() != state.KindText {
			if !c.repair {
				return c.fail(want, v)
			}
			return textRule.check(c, want, v)
		}
		b, err := v.TextBytes()
		if err != nil {
			return c.malformed(want, v, err)
		}
		for _, n := range names {
			if string(b) == n {
				return v, false
			}
		}
		for i := 0; c.repair && i < len(renamed); i += 2 {
			if string(b) == renamed[i] {
				return c.change(state.Text(renamed[i+1]), "%s is written as %s now", renamed[i], renamed[i+1])
			}
		}
		return c.fail(want, v)
	}
	return r
}

// mapOf is for maps with the given keys.
func mapOf(t schema) rule {
	return rule{want: "map", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if v.Kind() != state.KindMap {
			return c.fail(want, v)
		}
		c.fields(t, v)
		return v, false
	}}
}

// falsyNull lets Repair read every empty value as null, as mitmproxy does.
func falsyNull(r rule) rule {
	check := r.check
	r.check = func(c *checker, want string, v state.Value) (state.Value, bool) {
		if c.repair {
			mark := c.mark()
			elems, err := c.push(&v)
			empty := err == nil && len(elems) == 0
			c.release(mark)
			if v.Kind() < state.KindList {
				empty = !v.Truthy()
			}
			if empty {
				return c.change(state.Null(), "empty, set to null")
			}
		}
		return check(c, want, v)
	}
	return r.orNull()
}

// listOf is for lists of any length; Repair sets an empty one where it is missing.
func listOf(r rule) rule {
	return rule{
		want: "list",
		check: func(c *checker, want string, v state.Value) (state.Value, bool) {
			if v.Kind() != state.KindList {
				return c.fail(want, v)
			}
			c.list(&r, v)
			return v, false
		},
		absent: func(*checker) state.Value { return state.NewList().Value() },
	}
}

// tupleOf is for lists of a fixed length.
func tupleOf(want string, tolerated int, rules ...rule) rule {
	return rule{want: want, check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if v.Kind() != state.KindList {
			return c.fail(want, v)
		}
		return c.tuple(want, len(rules), tolerated, rules, v)
	}}
}

// truncated lets Repair cut a list that is too long.
func truncated(r rule, most int) rule {
	check := r.check
	r.check = func(c *checker, want string, v state.Value) (state.Value, bool) {
		if c.repair && v.Kind() == state.KindList {
			mark := c.mark()
			elems, err := c.push(&v)
			n := len(elems)
			c.release(mark)
			if err == nil && n > most {
				c.note("%d elements, cut to %d", n, most)
				if l, err := v.List(); c.apply && err == nil {
					l.Truncate(most)
				} else {
					return v, false // the rest is checked when it is cut
				}
			}
		}
		return check(c, want, v)
	}
	return r
}

// newID is what Repair sets for a missing id.
func newID(*checker) state.Value { return state.Text(uuid.NewString()) }
