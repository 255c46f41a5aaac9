//go:build unix

package main

import (
	"os"
	"syscall"
)

// keepOwner gives f the owner and the group that info tells. Only the superuser
// can give files away; others own what they replace, or it is theirs afterwards.
func keepOwner(f *os.File, info os.FileInfo) error {
	was, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if os.Geteuid() != 0 {
		_ = f.Chown(-1, int(was.Gid)) // possible if the user is in the group
		return nil
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}
