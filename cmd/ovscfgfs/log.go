package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/urfave/cli/v2"
)

// openLog opens --log-file, nil without one.
func openLog(c *cli.Context) (*os.File, error) {
	name := c.String("log-file")
	if name == "" {
		return nil, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, failf(exitInput, "--log-file cannot be written: %w", err)
	}
	return file, nil
}

// newLogger makes the logger that the flags ask for.
func newLogger(c *cli.Context, w io.Writer) (*slog.Logger, error) {
	var options slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, failf(exitUsage, "--log-level %q is none of debug, info, warn, error", c.String("log-level"))
	}
	options.Level = level
	switch c.String("log-format") {
	case "text":
		return slog.New(slog.NewTextHandler(w, &options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, &options)), nil
	}
	return nil, failf(exitUsage, "--log-format %q is none of text, json", c.String("log-format"))
}
