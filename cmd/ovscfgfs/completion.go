package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// bashCompletion asks the program itself for commands and flags, and leaves
// the rest to file names.
const bashCompletion = `# bash completion for ovscfgfs: source <(ovscfgfs completion)
_ovscfgfs() {
	local current=${COMP_WORDS[COMP_CWORD]} words
	if [[ $current == -* ]]; then
		words=$("${COMP_WORDS[@]:0:COMP_CWORD}" "$current" --generate-bash-completion 2>/dev/null)
	elif ((COMP_CWORD == 1)); then
		words=$("${COMP_WORDS[0]}" --generate-bash-completion 2>/dev/null)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -o bashdefault -F _ovscfgfs ovscfgfs
`

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:         "completion",
		Usage:        "print the completion script of bash",
		ArgsUsage:    "[bash]",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 1, " [bash]"); err != nil {
				return err
			}
			if shell := c.Args().First(); shell != "" && shell != "bash" {
				return failf(exitUsage, "there is completion for bash only, not for %s", shell)
			}
			_, err := fmt.Fprint(c.App.Writer, bashCompletion)
			return err
		},
	}
}
