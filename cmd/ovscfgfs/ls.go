package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func lsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ls",
		Usage:     "list the names at an address, directories with a slash",
		ArgsUsage: "[ADDRESS]",
		Description: addressHelp + "\n" +
			"Without it the whole prefix is meant. Fields come in their order, keys by name. Exits with 9 when there is nothing.",
		Flags: entryFlags(
			&cli.BoolFlag{Name: "R", Aliases: []string{"recursive"}, Usage: "list all that is below, with paths"},
			&cli.BoolFlag{Name: "l", Aliases: []string{"long"}, Usage: "list type, size, revision and name of each"}),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 1, " [ADDRESS]"); err != nil {
				return err
			}
			return withEntry(c, c.Args().First(), func(ctx context.Context, e *entry) error {
				n, err := e.listed(ctx, c.Bool("R"))
				if err != nil {
					return err
				}
				return list(c.App.Writer, n, c.Bool("R"), c.Bool("l"))
			})
		},
	}
}

// listed is the directory to list, or the leaf. Of what is in a directory of keys only as much was read as tells
// the names, unless all is wanted.
func (e *entry) listed(ctx context.Context, all bool) (mapping.Node, error) {
	n, path, tree, scope, err := e.read(ctx, all)
	if err != nil {
		return n, err
	}
	if !all && hasKeys(tree, n) && len(scope.Under) == 0 {
		scope.Present = slices.DeleteFunc(slices.Clone(scope.Present), func(key string) bool { return key == n.Key() })
		scope.Names = []string{n.Key()}
		if tree, err = e.Direct.Read(ctx, scope); err != nil {
			return n, err
		}
		n, _ = tree.Lookup(path)
	}
	if path == "" {
		return tree.Root(), nil // there, also when nothing is in it
	}
	if !n.Valid() {
		return n, e.absent()
	}
	return n, nil
}

func list(w io.Writer, n mapping.Node, recursive, long bool) error {
	buffered := bufio.NewWriter(w)
	out := io.Writer(buffered)
	var table *tabwriter.Writer
	if long {
		table = tabwriter.NewWriter(buffered, 0, 8, 2, ' ', 0)
		out = table
	}
	if n.IsDir() {
		listDir(out, "", n, recursive, long)
	} else {
		listOne(out, n.Name(), n, long)
	}
	if long {
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func listDir(w io.Writer, path string, dir mapping.Node, recursive, long bool) {
	children := slices.Collect(dir.Children())
	if dir.Type() == mapping.Array {
		slices.Reverse(children) // a listing for rm -r has the last first
	}
	for _, child := range children {
		at := path + child.Name()
		listOne(w, at, child, long)
		if recursive && child.IsDir() {
			listDir(w, at+"/", child, recursive, long)
		}
	}
}

// listOne prints an entry. What cannot be printed is escaped, so that each is one line.
func listOne(w io.Writer, path string, n mapping.Node, long bool) {
	if strings.IndexFunc(path, func(r rune) bool { return !strconv.IsPrint(r) && r != ' ' }) >= 0 {
		path = strings.Trim(strconv.Quote(path), `"`)
	}
	if n.IsDir() {
		path += "/"
	}
	if !long {
		_, _ = fmt.Fprintln(w, path) // Flush tells of errors
		return
	}
	size, revision := "-", "-"
	if !n.IsDir() {
		size = strconv.FormatInt(n.Size(), 10)
	} else if n.Type() != mapping.Directory {
		size = strconv.Itoa(n.Len())
	}
	if kv, ok := n.KV(); ok {
		revision = strconv.FormatInt(kv.ModRevision, 10)
	}
	_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.Type(), size, revision, path)
}
