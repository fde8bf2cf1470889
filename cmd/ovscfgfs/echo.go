package main

import (
	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// echoName is the hidden command that the daemon starts for itself.
const echoName = "echo"

// echoCommand is the helper process that raises inotify events (fs/echo).
func echoCommand() *cli.Command {
	return &cli.Command{
		Name:            echoName,
		Hidden:          true,
		SkipFlagParsing: true,
		Action:          func(c *cli.Context) error { return echo.Help(c.Args().Slice()) },
	}
}

// echoCommand is how the daemon starts the helper; nil without events.
func (m *mountConfig) echoCommand() []string {
	if m.events == "off" {
		return nil
	}
	return []string{"/proc/self/exe", echoName}
}
