// Command ovscfgfs mounts an etcd prefix as a file system, in which the fields
// of JSON documents are files. docs/commands.md is its manual.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"
)

// version is set by the linker: make build takes it from git.
var version = "unknown"

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run is the program without the process: it prints a failure as one line and
// returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	app := newApp(stdout, stderr)
	err := app.Run(flagsFirst(app, args))
	if err == nil {
		return exitOK
	}
	code, text := verdict(err)
	if text != "" {
		fmt.Fprintln(stderr, "ovscfgfs: "+oneLine(text))
	}
	return code
}

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:                   "ovscfgfs",
		Usage:                  "an etcd prefix as a file system",
		Version:                version,
		HideVersion:            true,
		Writer:                 stdout,
		ErrWriter:              stderr,
		EnableBashCompletion:   true,
		UseShortOptionHandling: false,
		// run prints and exits, in one place.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
		Action:         unknownCommand,
		Commands: []*cli.Command{
			mountCommand(), umountCommand(), statusCommand(), echoCommand(),
			getCommand(), setCommand(), lsCommand(), editCommand(),
			importCommand(), exportCommand(), checkCommand(),
			logCommand(), watchCommand(), diffCommand(), restoreCommand(), txnCommand(), agentCommand(),
			versionCommand(), completionCommand(),
		},
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	help := "ovscfgfs help"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != "ovscfgfs" {
		help += " " + c.Command.Name
	}
	return failf(exitUsage, "%v (see %s)", err, help)
}

func unknownCommand(c *cli.Context) error {
	if c.NArg() == 0 {
		return cli.ShowAppHelp(c)
	}
	return failf(exitUsage, "there is no command %q (see ovscfgfs help)", c.Args().First())
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:         "version",
		Usage:        "print the version of this program",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0, ""); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.App.Writer, "ovscfgfs", version)
			return err
		},
	}
}

// arguments refuses a command line with fewer or more arguments than a command takes.
func arguments(c *cli.Context, least, most int, usage string) error {
	if n := c.NArg(); n < least || n > most {
		return failf(exitUsage, "usage: ovscfgfs %s [flags]%s (see ovscfgfs help %s)", c.Command.Name, usage, c.Command.Name)
	}
	return nil
}
