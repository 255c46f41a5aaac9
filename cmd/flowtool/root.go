package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// version is set by release builds with -ldflags "-X main.version=…".
var version = "devel"

// run runs the command line args and returns the exit status.
func run(ctx context.Context, a *app, args []string) int {
	cmd := newRootCmd(a)
	cmd.SetArgs(args)
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.errOut)
	ran, err := cmd.ExecuteContextC(ctx)
	if err != nil {
		a.report(ran, err)
		if _, ok := err.(*usageError); ok || isCobraUsage(err) {
			fmt.Fprintf(a.errOut, "usage: %s (more with --help)\n", useLine(ran))
		}
	}
	return a.status
}

// useLine says how a command is called.
func useLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return "flowtool COMMAND [flags] [FILE...]"
	}
	return cmd.UseLine()
}

// isCobraUsage tells whether an error comes from cobra's own parsing of the
// command line. Those errors have no type.
func isCobraUsage(err error) bool {
	return strings.HasPrefix(err.Error(), "unknown command")
}

func newRootCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flowtool",
		Short: "Look into mitmproxy's flow dumps",
		Long: `flowtool reads the files that "mitmdump -w" writes, of every mitmproxy
release, plain or compressed, without starting a proxy.`,
		Example: `  flowtool read capture.mitm              # one line per flow
  flowtool read -d 3 --index 7 capture.mitm
  flowtool info *.mitm
  mitmdump -q -w /dev/stdout | flowtool read`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("%q is not a flowtool command%s", args[0], suggest(cmd, args[0]))
			}
			return cmd.Help()
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetHelpTemplate(helpTemplate)
	cmd.SetUsageTemplate(usageTemplate)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	cmd.SetHelpCommand(newHelpCmd())
	cmd.AddCommand(
		newReadCmd(a),
		newFilterCmd(a),
		newConvertCmd(a),
		newMigrateCmd(a),
		newDiffCmd(a),
		newRevertCmd(a),
		newInfoCmd(a),
		newManCmd(),
		newTopic("exit-status", "What the exit status means", exitStatusHelp),
		newTopic("fields", "What read --fields can show", fieldsHelp()),
		newTopic("filters", "The language of filters", filtersHelp()),
		newTopic("formats", "What can be read", formatsHelp()),
	)
	cmd.InitDefaultCompletionCmd()
	for _, c := range cmd.Commands() {
		if c.Name() == "completion" {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return usagef("there is no completion for %q, but for bash, zsh, fish and powershell", args[0])
				}
				return cmd.Help()
			}
		}
	}
	return cmd
}

// The order of help: what a command does, examples, flags.
const (
	helpTemplate = `{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasAvailableSubCommands}}{{.UsageString}}{{end}}`

	usageTemplate = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}Usage:
  {{if .HasParent}}{{.UseLine}}{{else}}flowtool COMMAND [flags] [FILE...]{{end}}
{{- if .HasAvailableSubCommands}}

Commands:
{{- range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasHelpSubCommands}}

Topics:
{{- range .Commands}}{{if .IsAdditionalHelpTopicCommand}}
  flowtool help {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if not .HasParent}}

"flowtool help COMMAND" tells more about a command.{{end}}
`
)

// flagError words an error of parsing flags.
func flagError(err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		name := "--" + e.GetFlag().Name
		if errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange) {
			return usagef("%s takes a number, not %q", name, e.GetValue())
		}
		return usagef("%s: %v", name, e.Unwrap())
	}
	return usagef("%v", err)
}

// newHelpCmd replaces cobra's command, which takes anything for a topic.
func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Tell more about a command or a topic",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				return usagef("there is no help on %q%s", rest[0], suggest(cmd.Root(), rest[0]))
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) == 0 {
				for _, c := range cmd.Root().Commands() {
					if !c.Hidden {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// suggest names the command that was probably meant.
func suggest(cmd *cobra.Command, name string) string {
	if s := cmd.SuggestionsFor(name); len(s) > 0 {
		return fmt.Sprintf("; did you mean %q?", s[0])
	}
	return `; "flowtool help" lists them`
}

// newTopic returns a page of help that is not a command.
func newTopic(name, short, text string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Long: text}
}
