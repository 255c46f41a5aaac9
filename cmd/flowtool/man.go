package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the man pages into a folder",
		Example: `  flowtool man ~/.local/share/man/man1
  man flowtool-read`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("man takes the folder to write to")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			cmd.Root().DisableAutoGenTag = true
			// The date is the current one, or SOURCE_DATE_EPOCH if that is set.
			return doc.GenManTree(cmd.Root(), &doc.GenManHeader{Section: "1", Source: "flowtool " + version}, args[0])
		},
	}
}
