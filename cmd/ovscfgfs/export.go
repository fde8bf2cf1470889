package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/transfer"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:        "export",
		Usage:       "write all keys of the prefix to a file or directory",
		ArgsUsage:   " ",
		Description: "The formats are " + formatHelp + "\nAll keys are read at one revision.",
		Flags: storeFlags(transferFormat(),
			stringFlag("output", "", "write to `FILE`, which is replaced only by a whole export, instead of standard output; with tree the directory, which must not be there, or be empty")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0, ""); err != nil {
				return err
			}
			prefix, err := prefixFlag(c)
			if err != nil {
				return err
			}
			name := c.String("output")
			if name == "-" {
				name = "" // standard output, as of import it is standard input
			}
			format, err := formatOf(name, c.String("format"))
			switch {
			case err != nil:
				return err
			case format == formatTree && name == "":
				return failf(exitUsage, "--format tree needs a directory: give --output DIR")
			}
			return withClient(c, func(client *clientv3.Client) error {
				ctx, cancel := context.WithTimeout(c.Context, loadTime)
				defer cancel()
				switch {
				case format == formatTree:
					return exportTree(ctx, c, client, prefix, name)
				case name == "":
					return export(ctx, c, client, prefix, format, c.App.Writer)
				}
				return exportFile(name, func(w io.Writer) error { return export(ctx, c, client, prefix, format, w) })
			})
		},
	}
}

func export(ctx context.Context, c *cli.Context, client *clientv3.Client, prefix, format string, w io.Writer) error {
	if format == formatJSON {
		_, err := transfer.Export(ctx, client, prefix, w)
		return err
	}
	tree, err := wholeTree(ctx, c, client, prefix)
	if err != nil {
		return err
	}
	return transfer.ExportYAML(w, tree)
}

func wholeTree(ctx context.Context, c *cli.Context, client *clientv3.Client, prefix string) (*mapping.Tree, error) {
	d, err := cache.NewDirect(cache.Options{Client: client, Settings: mapping.Settings{Prefix: prefix, Raw: c.StringSlice("raw")}, Timeout: c.Duration("command-timeout")})
	if err != nil {
		return nil, err
	}
	return d.Read(ctx, cache.Scope{Keys: []string{prefix}, Under: []string{prefix}})
}

func exportTree(ctx context.Context, c *cli.Context, client *clientv3.Client, prefix, name string) error {
	tree, err := wholeTree(ctx, c, client, prefix)
	if err != nil {
		return err
	}
	files, notes, err := transfer.ExportDirectory(name, tree)
	if err != nil {
		return failf(exitInput, "--output cannot be written: %w", err)
	}
	for _, note := range notes {
		_, _ = fmt.Fprintln(c.App.ErrWriter, "ovscfgfs: note: "+oneLine(note))
	}
	_, err = fmt.Fprintf(c.App.Writer, "%d files written\n", files)
	return err
}
