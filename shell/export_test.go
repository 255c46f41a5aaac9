package shell

// AppendCommand renders a command of args that reads stdin.
func AppendCommand(dst []byte, args []string, stdin []byte) ([]byte, error) {
	c := command{stdin: stdin}
	c.add(args...)
	return c.append(dst)
}
