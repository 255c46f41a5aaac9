package shell

// A command is a program with its arguments, and what it reads from standard
// input.
type command struct {
	args  []string
	parts []string // what of the flow each argument is, for errors
	stdin []byte   // nil if it reads nothing
}

// add adds an argument that needs no check.
func (c *command) add(args ...string) {
	for _, arg := range args {
		c.addPart("command", arg)
	}
}

// addPart adds an argument that holds a part of the flow.
func (c *command) addPart(part, arg string) {
	c.args = append(c.args, arg)
	c.parts = append(c.parts, part)
}

// append appends the command as a line of a shell.
func (c *command) append(dst []byte) ([]byte, error) {
	size := 0
	for i, arg := range c.args {
		if err := checkWord(arg); err != nil {
			return dst, &Error{Part: c.parts[i], Err: err}
		}
		if size += len(arg) + 1; size > maxWords {
			return dst, fail("flow", "makes a command that is longer than systems allow")
		}
	}
	if c.stdin != nil {
		dst = append(dst, "printf '"...)
		dst = appendOctal(dst, c.stdin)
		dst = append(dst, "' | "...)
	}
	for i, arg := range c.args {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendWord(dst, arg)
	}
	return dst, nil
}

// inline tells whether a body can be a word that a reader understands.
func inline(body []byte) bool { return len(body) <= 64<<10 && isPrintable(body) }
