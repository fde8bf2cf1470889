package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/renameio/v2"
	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache/transfer"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "put the keys of a JSON file into etcd",
		ArgsUsage: "FILE",
		Description: "FILE is one JSON object, full key -> stored value as text; {\"base64\": \"...\"} holds bytes that are not text.\n" +
			"\"-\" reads standard input. Keys that are there already are overwritten, others stay.",
		Flags: append(etcdFlags(),
			boolFlag("if-empty", "do nothing when the prefix holds a key already")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1, " FILE"); err != nil {
				return err
			}
			prefix, err := prefixFlag(c)
			if err != nil {
				return err
			}
			pairs, err := readPairs(c.Args().First(), prefix)
			if err != nil {
				return err
			}
			return withClient(c, func(client *clientv3.Client) error {
				written, err := putPairs(c.Context, client, prefix, pairs, c.Bool("if-empty"))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.App.Writer, "%d keys written\n", written)
				return err
			})
		},
	}
}

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:        "export",
		Usage:       "write all keys of the prefix as one JSON object",
		ArgsUsage:   " ",
		Description: "The format is that of import; all keys are read at one revision.",
		Flags: append(etcdFlags(),
			stringFlag("output", "", "write to `FILE`, which is replaced only by a whole export, instead of standard output")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0, ""); err != nil {
				return err
			}
			prefix, err := prefixFlag(c)
			if err != nil {
				return err
			}
			return withClient(c, func(client *clientv3.Client) error {
				if c.String("output") == "" {
					_, err := transfer.Export(c.Context, client, prefix, c.App.Writer)
					return err
				}
				return exportFile(c.Context, client, prefix, c.String("output"))
			})
		},
	}
}

func exportFile(ctx context.Context, client *clientv3.Client, prefix, name string) error {
	// Values may be secrets: the file is its owner's until that one says otherwise.
	file, err := renameio.NewPendingFile(name, renameio.WithPermissions(0o600), renameio.WithExistingPermissions())
	if err != nil {
		return failf(exitInput, "--output cannot be written: %w", err)
	}
	defer func() { _ = file.Cleanup() }()
	if _, err := transfer.Export(ctx, client, prefix, file); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return failf(exitInput, "--output cannot be written: %w", err)
	}
	return nil
}

// withClient runs do with a client that the flags describe.
func withClient(c *cli.Context, do func(*clientv3.Client) error) error {
	options, err := connectOptions(c)
	if err != nil {
		return err
	}
	client, err := dial(c.Context, options)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	return do(client)
}

// readPairs reads a file of the import format; "-" is standard input.
func readPairs(name, prefix string) ([]transfer.Pair, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, failf(exitInput, "the file to import cannot be read: %w", err)
	}
	pairs, err := transfer.Parse(data, prefix)
	if err != nil {
		return nil, failf(exitInput, "%s, %w", name, err)
	}
	return pairs, nil
}

func putPairs(ctx context.Context, client *clientv3.Client, prefix string, pairs []transfer.Pair, onlyIfEmpty bool) (int, error) {
	written, err := transfer.Import(ctx, client, prefix, pairs, onlyIfEmpty)
	var refused *mapping.Error
	if errors.As(err, &refused) && refused.Kind == mapping.TooLarge {
		return written, failf(exitInput, "import: %w", err)
	}
	return written, err
}
