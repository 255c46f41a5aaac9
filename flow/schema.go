package flow

import "github.com/flowtool/flowtool/state"

// commonSchema is the keys that all flows have, in logical order; those of the
// type follow. The ones without a part are read and written by methods.
var commonSchema = schema{
	{name: "version", rule: versionRule},
	{name: "type", rule: rule{want: "text", check: keep}}, // checked before
	{name: "id", rule: idRule},
	{name: "error", rule: falsyNull(mapOf(errorFields.schema()))},
	{name: "client_conn", rule: mapOf(clientFields.schema())},
	{name: "server_conn", rule: mapOf(serverFields.schema())},
	{name: "intercepted", rule: interceptedRule},
	{name: "is_replay", rule: isReplayRule},
	{name: "marked", rule: markedRule},
	{name: "metadata", rule: metadataRule},
	{name: "comment", rule: textRule.def(state.Text(""))},
	{name: "timestamp_created", rule: numberRule.defFunc(startTime)},
	{name: "backup", rule: backupRule, optional: true},
}

// Rules of the common keys.

func keep(_ *checker, _ string, v state.Value) (state.Value, bool) { return v, false }

var versionRule = rule{want: "21", check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	if i, err := v.Int64(); err != nil || i != Version {
		return c.fail(want, v)
	}
	return v, false
}}

var idRule = rule{want: "text", absent: newID, check: func(c *checker, want string, v state.Value) (state.Value, bool) {
	if c.repair && v.Kind() != state.KindText && v.Kind() != state.KindBytes {
		id := newID(c)
		return c.change(id, "%s replaced by %s", v, id)
	}
	return textRule.check(c, want, v)
}}

var interceptedRule = rule{
	want:   "bool",
	absent: func(*checker) state.Value { return state.Bool(false) },
	check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if c.repair && v.Kind() != state.KindBool {
			return c.change(state.Bool(v.Truthy()), "%s taken for a boolean", v)
		}
		return boolRule.check(c, want, v)
	},
}

var isReplayRule = func() rule {
	side := oneOf([]string{"request", "response"})
	check := side.check
	side.check = func(c *checker, want string, v state.Value) (state.Value, bool) {
		if c.repair {
			switch string(raw(&v)) {
			case "request", "response":
			default:
				return c.change(state.Null(), "%s set to null", v)
			}
		}
		return check(c, want, v)
	}
	return side.orNull()
}()

var markedRule = rule{
	want:   "text",
	absent: func(*checker) state.Value { return state.Text("") },
	check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if b, err := v.Bool(); c.repair && err == nil {
			mark := state.Text("")
			if b {
				mark = state.Text(DefaultMarker)
			}
			return c.change(mark, "%s written as %s", v, mark)
		}
		return textRule.check(c, want, v)
	},
}

var metadataRule = rule{
	want:   "map",
	absent: func(*checker) state.Value { return state.NewMap().Value() },
	check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if v.Kind() != state.KindMap {
			if c.repair && v.Kind() == state.KindList && v.Len() == 0 {
				return c.change(state.NewMap().Value(), "empty list taken for an empty map")
			}
			return c.fail(want, v)
		}
		if err := state.Validate(v); err != nil {
			return c.malformed(want, v, err)
		}
		return v, false
	},
}

// backupRule: what is in a backup is checked when a flow is reverted to it.
var backupRule = rule{
	want: "map or null",
	null: true,
	check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if v.Kind() != state.KindMap {
			return c.fail(want, v)
		}
		if !c.repair {
			return v, false
		}
		// One of an old version is for package migrate.
		b, err := v.Map()
		if err != nil || checkVersion(b) != nil {
			return v, false
		}
		if name, err := b.Text("type"); err == nil && name == c.typ.name {
			flow := c.flow
			c.flow = b
			c.fields(c.typ.keys, v)
			c.flow = flow
		}
		return v, false
	},
}

// startTime is what Repair sets for a missing timestamp_created: when the
// exchange began.
func startTime(c *checker) state.Value {
	return c.firstNumber([2]string{"request", "timestamp_start"}, [2]string{"client_conn", "timestamp_start"})
}

// createdTime is the same for the start of the client connection.
func createdTime(c *checker) state.Value {
	return c.firstNumber([2]string{"timestamp_created"}, [2]string{"request", "timestamp_start"})
}

// connTime is the same for the start of a request.
func connTime(c *checker) state.Value {
	return c.firstNumber([2]string{"client_conn", "timestamp_start"})
}

// firstNumber returns the first time that is there, 0.0 if there is none.
func (c *checker) firstNumber(paths ...[2]string) state.Value {
	for _, p := range paths {
		v, _ := c.flow.Get(p[0])
		if p[1] != "" {
			m, err := v.Map()
			if err != nil {
				continue
			}
			v, _ = m.Get(p[1])
		}
		if f, err := v.Number(); err == nil {
			return state.Float(f)
		}
	}
	return state.Float(0)
}

// defaultTransport is what Repair sets for a missing transport_protocol.
func defaultTransport(c *checker) state.Value {
	if c.typ.name == "udp" || c.typ.name == "dns" {
		return state.Text("udp")
	}
	return state.Text("tcp")
}
