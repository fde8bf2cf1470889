package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "name every value that breaks a rule of the catalogue",
		ArgsUsage: "[PATH]",
		Description: "PATH, of a mount or a key, limits what is named, not what it is compared with. The rules are listed in docs/catalogue.md.\n" +
			"Exits with 1 if there is any problem.",
		Flags: append(etcdFlags(),
			stringFlag("format", "text", "text, or json: one object a line"),
			stringFlag("file", "", "check a `FILE` of the import format instead of etcd")),
		OnUsageError: usageError,
		Action:       checkAction,
	}
}

func checkAction(c *cli.Context) error {
	if err := arguments(c, 0, 1, " [PATH]"); err != nil {
		return err
	}
	format := c.String("format")
	if format != "text" && format != "json" {
		return failf(exitUsage, "--format %q is none of text and json", format)
	}
	prefix, err := prefixFlag(c)
	if err != nil {
		return err
	}
	known, err := catalogue.Load()
	if err != nil {
		return err
	}
	tree, err := checkedTree(c, mapping.Settings{Prefix: prefix})
	if err != nil {
		return err
	}
	under, err := checkedPath(tree, c.Args().First())
	if err != nil {
		return err
	}
	problems := known.Check(tree, under)
	if err := printProblems(c.App.Writer, problems, format); err != nil {
		return err
	}
	if len(problems) == 0 {
		return nil
	}
	words := counted(len(problems), "problem") + " in " + counted(tree.Keys(), "key")
	if c.String("file") == "" {
		words += fmt.Sprintf(" at revision %d", tree.Revision())
	}
	return failf(exitFailure, "%s", words)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func printProblems(w io.Writer, problems []catalogue.Problem, format string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, p := range problems {
		var err error
		if format == "json" {
			err = encoder.Encode(p)
		} else {
			_, err = fmt.Fprintln(w, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkedTree is the tree of --file, or that of etcd at its newest revision.
func checkedTree(c *cli.Context, settings mapping.Settings) (*mapping.Tree, error) {
	if file := c.String("file"); file != "" {
		pairs, err := readPairs(file, settings.Prefix)
		if err != nil {
			return nil, err
		}
		tree, err := mapping.NewTree(settings)
		if err != nil {
			return nil, err
		}
		changes := make([]mapping.Change, len(pairs))
		for i, p := range pairs {
			changes[i].KV = mapping.KV{Key: p.Key, Value: p.Value, CreateRevision: 1, ModRevision: 1, Version: 1}
		}
		tree, _ = tree.Apply(1, time.Time{}, changes)
		return tree, nil
	}
	var tree *mapping.Tree
	err := withClient(c, func(client *clientv3.Client) error {
		ctx, cancel := context.WithTimeout(c.Context, loadTime)
		defer cancel()
		copied, err := cache.Open(ctx, cache.Options{Client: client, Settings: settings, Logger: slog.New(slog.DiscardHandler), Timeout: c.Duration("command-timeout")})
		if err != nil {
			return failf(exitEtcd, "%w", err)
		}
		tree = copied.Tree()
		return copied.Close()
	})
	return tree, err
}

// checkedPath is the shown path that an argument names, which must exist.
func checkedPath(tree *mapping.Tree, argument string) (string, error) {
	if argument == "" {
		return "", nil
	}
	a, err := address(argument, tree.Settings().Prefix)
	if err != nil {
		return "", failf(exitUsage, "%w", err)
	}
	path, err := a.In(tree)
	if err != nil {
		return "", failf(exitUsage, "%w", err)
	}
	if _, ok := tree.Lookup(path); !ok {
		return "", failf(exitFailure, "%s: there is no such file, directory or key", argument)
	}
	return path, nil
}
