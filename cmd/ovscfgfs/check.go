package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "name every value that breaks a rule of the catalogue",
		ArgsUsage: "[PATH]",
		Description: pathHelp + "\nIt limits what is named, not what that is compared with. The rules are listed in docs/catalogue.md.\n" +
			"Exits with 1 if there is any problem.",
		Flags: storeFlags(
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
	known, err := catalogue.Load()
	if err != nil {
		return err
	}
	argument := c.Args().First()
	if c.String("file") == "" {
		return withStore(c, argument, func(_ context.Context, s *store) error {
			tree := s.Tree()
			return checkTree(c.App.Writer, format, known, tree, s.path, fmt.Sprintf(" at revision %d", tree.Revision()))
		})
	}
	tree, under, err := checkedFile(c, argument)
	if err != nil {
		return err
	}
	return checkTree(c.App.Writer, format, known, tree, under, "")
}

// checkTree prints the problems at and below a path, and is a failure if there are any.
func checkTree(w io.Writer, format string, known *catalogue.Catalogue, tree *mapping.Tree, under, when string) error {
	if _, ok := tree.Lookup(under); !ok {
		return failf(exitFailure, "%s: there is no such file, directory or key", under)
	}
	problems := known.Check(tree, under)
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
	if len(problems) == 0 {
		return nil
	}
	return failf(exitFailure, "%s in %s%s", counted(len(problems), "problem"), counted(tree.Keys(), "key"), when)
}

// checkedFile is the tree of --file, and the path that is meant in it.
func checkedFile(c *cli.Context, argument string) (tree *mapping.Tree, under string, err error) {
	prefix, err := prefixFlag(c)
	if err != nil {
		return nil, "", err
	}
	format, err := formatOf(c.String("file"), "")
	if err != nil {
		return nil, "", err
	}
	if format == formatTree {
		return nil, "", failf(exitUsage, "--file %s is a directory: give a file of the import format", c.String("file"))
	}
	pairs, err := readPairs(c.String("file"), format, prefix)
	if err != nil {
		return nil, "", err
	}
	if tree, err = mapping.NewTree(mapping.Settings{Prefix: prefix, Raw: c.StringSlice("raw")}); err != nil {
		return nil, "", err
	}
	changes := make([]mapping.Change, len(pairs))
	for i, p := range pairs {
		changes[i].KV = mapping.KV{Key: p.Key, Value: p.Value, CreateRevision: 1, ModRevision: 1, Version: 1}
	}
	tree, _ = tree.Apply(1, time.Time{}, changes)
	if argument == "" {
		return tree, "", nil
	}
	a, err := address(argument, prefix)
	if err == nil {
		under, err = a.In(tree)
	}
	if err != nil {
		return nil, "", failf(exitUsage, "%w", err)
	}
	return tree, under, nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
