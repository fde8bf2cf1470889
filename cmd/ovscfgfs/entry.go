package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// addressHelp describes ADDRESS in the help of the commands that take one.
const addressHelp = "ADDRESS is a path on a mount of this machine (which then tells the etcd to use), an etcd key, or a key and a path in its document: 'KEY|a.b[0][\"c.d\"]', or 'KEY#/a/b' (RFC 6901)."

// entryFlags are those of commands with an ADDRESS.
func entryFlags(more ...cli.Flag) []cli.Flag {
	return storeFlags(append([]cli.Flag{boolFlag("exact", "values without the newline that is added to them otherwise, as on a mount that was started so")}, more...)...)
}

// entry is what a command with an ADDRESS works on: etcd, of which it reads no more than it has to.
type entry struct {
	*cache.Direct
	address    mapping.Address
	keys       []string // that decide what the address names
	names      string   // see mapping.Address.Keys
	mountpoint string
	rules      rules
}

// withEntry finds out which etcd and which place in it an argument means, and
// runs do. No argument is the whole prefix, an empty one a mistake.
func withEntry(c *cli.Context, argument string, do func(context.Context, *entry) error) error {
	e := &entry{}
	address, prefix, err := addressed(c, argument, &e.mountpoint)
	if err != nil {
		return err
	}
	e.address = address
	e.keys, e.names = address.Keys(prefix)
	known, err := catalogue.Load()
	if err != nil {
		return err
	}
	if e.rules, err = newRules(c, known); err != nil {
		return err
	}
	return withClient(c, func(client *clientv3.Client) error {
		if e.Direct, err = direct(c, client, prefix, known); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context, loadTime)
		defer cancel()
		return notThere(do(ctx, e))
	})
}

// direct reads and changes parts of the prefix as the flags say.
func direct(c *cli.Context, client *clientv3.Client, prefix string, known *catalogue.Catalogue) (*cache.Direct, error) {
	return cache.NewDirect(cache.Options{
		Client:   client,
		Settings: mapping.Settings{Prefix: prefix, Raw: c.StringSlice("raw"), Exact: c.Bool("exact"), TypeOf: known.TypeOf},
		Timeout:  c.Duration("command-timeout"),
	})
}

// addressed reads an argument that names a place. A path on a mount brings what the mount is of along.
func addressed(c *cli.Context, argument string, mount *string) (mapping.Address, string, error) {
	if argument == "" && slices.Contains(c.Args().Slice(), "") {
		return mapping.Address{}, "", failf(exitUsage, "the address is empty: is a variable of the shell not set? %s is everything", c.String("prefix"))
	}
	mountpoint, argument := onMount(argument)
	*mount = mountpoint
	if mountpoint != "" {
		if inside := strings.TrimPrefix(strings.TrimPrefix(argument, mountpoint), "/"); inside == ".ovscfgfs" || strings.HasPrefix(inside, ".ovscfgfs/") {
			return mapping.Address{}, "", failf(exitUsage, "%s: is made by the mount and not in etcd; read it there", argument)
		}
		if err := applyMount(c, mountpoint); err != nil {
			return mapping.Address{}, "", err
		}
	}
	prefix, err := prefixFlag(c)
	if err != nil {
		return mapping.Address{}, "", err
	}
	if argument == "" {
		argument = prefix
	}
	address, err := mapping.ParseAddress(argument, prefix, mountpoint)
	if err != nil {
		return address, "", failf(exitUsage, "%w", err)
	}
	return address, prefix, nil
}

// notThere gives an absent entry, and a value that was refused, the codes of these commands.
func notThere(err error) error {
	var coded *failure
	if err == nil || errors.As(err, &coded) {
		return err
	}
	switch mapping.KindOf(err) {
	case mapping.NotFound:
		return failf(exitAbsent, "%w", err)
	case mapping.Invalid, mapping.NotPermitted, mapping.Exists, mapping.IsDirectory, mapping.NotDirectory, mapping.NameTooLong, mapping.TooLarge:
		return failf(exitRefused, "%w", err)
	}
	return err
}

// scope is what has to be read to change a leaf or a document.
func (e *entry) scope() cache.Scope {
	scope := cache.Scope{Keys: e.keys, Present: e.keys}
	if e.names != "" {
		scope.Under = []string{e.names}
	}
	return scope
}

// errAbsent is the error of an address that names nothing.
func (e *entry) absent() error {
	return mapping.Errorf(mapping.NotFound, e.address.String(), "there is nothing there")
}

// read returns what the address names, its path, and the tree and scope that hold it whole: a
// directory of keys with all of them, if whole is set.
func (e *entry) read(ctx context.Context, whole bool) (n mapping.Node, path string, tree *mapping.Tree, scope cache.Scope, err error) {
	scope = e.scope()
	for {
		if tree, err = e.Direct.Read(ctx, scope); err != nil {
			return n, "", nil, scope, err
		}
		if path, err = e.address.In(tree); err != nil {
			return n, "", nil, scope, err
		}
		n, _ = tree.Lookup(path)
		if !whole || !hasKeys(tree, n) || len(scope.Under) > 0 && strings.HasPrefix(n.Key()+"/", scope.Under[0]+"/") {
			return n, path, tree, scope, nil
		}
		scope.Under = []string{n.Key()}
	}
}

// hasKeys reports whether a node is a directory with keys in it.
func hasKeys(tree *mapping.Tree, n mapping.Node) bool {
	if !n.Valid() || !n.IsDir() || n.Pointer() != "" {
		return false
	}
	for range tree.Under(n.Key()) {
		return true
	}
	return false
}

// commit makes an edit that the rules allow. A mount that the address is on shows it when this returns.
func (e *entry) commit(ctx context.Context, scope cache.Scope, warnings io.Writer, edit mapping.Edit) (revision int64, err error) {
	var worse []catalogue.Problem
	edit, scope = newVolumeRules(e.rules.catalogue).around(edit, scope, e.keys)
	if revision, err = e.Direct.Commit(ctx, scope, e.rules.over(edit, &worse)); err != nil {
		return revision, err
	}
	warn(warnings, worse)
	if e.mountpoint != "" && revision > 0 {
		_, _ = os.ReadFile(filepath.Join(e.mountpoint, ".ovscfgfs", "barrier"))
	}
	return revision, nil
}

// warn tells of rules that a change breaks.
func warn(w io.Writer, worse []catalogue.Problem) {
	for _, p := range worse[:min(len(worse), maxWarnings)] {
		_, _ = fmt.Fprintf(w, "ovscfgfs: warning: %s\n", oneLine(p.String()))
	}
	if more := len(worse) - maxWarnings; more > 0 {
		_, _ = fmt.Fprintf(w, "ovscfgfs: warning: ... and %d more\n", more)
	}
}
