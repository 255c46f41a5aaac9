package shell_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// parse returns the arguments that a shell makes of a command, and what the
// command reads from standard input; nil if nothing is piped in. It knows what
// this package writes, and no more.
func parse(t testing.TB, line string) (args []string, stdin []byte) {
	t.Helper()
	args, stdin, err := parseCommand(line)
	if err != nil {
		t.Fatalf("%v: %.2000s", err, line)
	}
	return args, stdin
}

func parseCommand(line string) (args []string, stdin []byte, err error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(line), "")
	if err != nil {
		return nil, nil, err
	}
	if len(file.Stmts) != 1 {
		return nil, nil, fmt.Errorf("%d statements", len(file.Stmts))
	}
	stmt := file.Stmts[0]
	if pipe, ok := stmt.Cmd.(*syntax.BinaryCmd); ok && pipe.Op == syntax.Pipe {
		if stdin, err = printed(pipe.X); err != nil {
			return nil, nil, err
		}
		stmt = pipe.Y
	}
	if len(stmt.Redirs) > 0 {
		return nil, nil, fmt.Errorf("a redirection")
	}
	args, err = words(stmt)
	return args, stdin, err
}

// words returns the words of a simple command.
func words(stmt *syntax.Stmt) ([]string, error) {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 || stmt.Background || stmt.Negated {
		return nil, fmt.Errorf("not a simple command: %T", stmt.Cmd)
	}
	var out []string
	for _, w := range call.Args {
		s, err := evaluate(w.Parts)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func evaluate(parts []syntax.WordPart) (string, error) {
	var b strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(p.Value, "\\~*?[]{}") {
				return "", fmt.Errorf("special characters outside of quotes: %s", p.Value)
			}
			b.WriteString(p.Value)
		case *syntax.SglQuoted:
			if p.Dollar {
				return "", fmt.Errorf("$'…' is not of POSIX")
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			s, err := evaluate(p.Parts)
			if err != nil {
				return "", err
			}
			b.WriteString(s)
		case *syntax.CmdSubst:
			if len(p.Stmts) != 1 {
				return "", fmt.Errorf("%d commands are substituted", len(p.Stmts))
			}
			out, err := printed(p.Stmts[0])
			if err != nil {
				return "", err
			}
			out = bytes.ReplaceAll(out, []byte{0}, nil)
			b.Write(bytes.TrimRight(out, "\n"))
		default:
			return "", fmt.Errorf("part of a word: %T", p)
		}
	}
	return b.String(), nil
}

// printed returns what a command prints that has to be printf with a format.
func printed(stmt *syntax.Stmt) ([]byte, error) {
	args, err := words(stmt)
	if err != nil {
		return nil, err
	}
	if len(args) != 2 || args[0] != "printf" || strings.HasPrefix(args[1], "-") {
		return nil, fmt.Errorf("not a printf: %.100q", args)
	}
	out := []byte{}
	for s := args[1]; s != ""; {
		switch s[0] {
		case '%':
			return nil, fmt.Errorf("a format: %.20q", s)
		case '\\':
			c, err := strconv.ParseUint(s[1:min(4, len(s))], 8, 8)
			if err != nil || len(s) < 4 {
				return nil, fmt.Errorf("escape %.20q", s)
			}
			out, s = append(out, byte(c)), s[4:]
		default:
			out, s = append(out, s[0]), s[1:]
		}
	}
	return out, nil
}
