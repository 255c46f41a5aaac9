package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

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
			header := doc.GenManHeader{Section: "1", Source: "flowtool " + version}
			if err := doc.GenManTree(cmd.Root(), &header, args[0]); err != nil {
				return err
			}
			for _, topic := range cmd.Root().Commands() {
				if topic.IsAdditionalHelpTopicCommand() {
					if err := manPage(topic, header, args[0]); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
}

// manPage writes the page of a topic, which GenManTree leaves out.
func manPage(topic *cobra.Command, header doc.GenManHeader, dir string) error {
	name := strings.ReplaceAll(topic.CommandPath(), " ", "-")
	header.Title = strings.ToUpper(name)
	var page bytes.Buffer
	// The text is laid out in columns, and is no Markdown.
	verbatim := *topic
	verbatim.Long = "```\n" + topic.Long + "\n```"
	if err := doc.GenMan(&verbatim, &header, &page); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".1"), page.Bytes(), 0o644)
}
