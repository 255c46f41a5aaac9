package main

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a flag value for a number of bytes: 4096, 64k, 16M, 2GiB.
type size int64

func (s *size) Type() string { return "size" }

func (s *size) String() string {
	n := int64(*s)
	for _, u := range []struct {
		name  string
		shift uint
	}{{"G", 30}, {"M", 20}, {"k", 10}} {
		if n >= 1<<u.shift && n&(1<<u.shift-1) == 0 {
			return strconv.FormatInt(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func (s *size) Set(text string) error {
	t := strings.ToLower(strings.TrimSpace(text))
	t = strings.TrimSuffix(strings.TrimSuffix(t, "b"), "i")
	shift := 0
	if t != "" {
		if i := strings.IndexByte("kmgt", t[len(t)-1]); i >= 0 {
			shift, t = 10*(i+1), t[:len(t)-1]
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
	if err != nil || n <= 0 || n > 1<<62>>shift {
		return fmt.Errorf("%q is not a size such as 4096, 64k, 16M or 2G", text)
	}
	*s = size(n << shift)
	return nil
}
