package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// storeFlags are those of commands that take a PATH and work on etcd itself.
func storeFlags(more ...cli.Flag) []cli.Flag {
	return append(append(etcdFlags(),
		&cli.StringSliceFlag{Name: "raw", Usage: "take the values of keys that match `PATTERN` as they are, JSON or not", EnvVars: env("raw")}), more...)
}

// pathHelp describes PATH in the help of the commands that take one.
const pathHelp = "PATH is a path on a mount of this machine (which then tells the etcd to use), an etcd key, or a key and a path in its document: 'KEY|a.b[0][\"c.d\"]', or 'KEY#/a/b' (RFC 6901)."

// store is what a command with a PATH works on: a copy of etcd, and the place that is meant.
type store struct {
	*cache.Cache
	// mountpoint is the mount that the PATH is on, if it is on one.
	mountpoint string
	path       string
}

// withStore reads what etcd has under the prefix, finds the PATH in it, and
// runs do. An empty argument is the whole prefix.
func withStore(c *cli.Context, argument string, do func(context.Context, *store) error) error {
	return withStorePublishing(c, argument, nil, do)
}

// withStorePublishing is withStore for those who are told what changes
// meanwhile (cache.Options.Publish).
func withStorePublishing(c *cli.Context, argument string, publish func(old, now *mapping.Tree, keys []string), do func(context.Context, *store) error) error {
	var mountpoint string
	address, prefix, err := addressed(c, argument, &mountpoint)
	if err != nil {
		return err
	}
	return withClient(c, func(client *clientv3.Client) error {
		ctx, cancel := context.WithTimeout(c.Context, loadTime)
		defer cancel()
		tree, err := cache.Open(ctx, cache.Options{
			Client:   client,
			Settings: mapping.Settings{Prefix: prefix, Raw: c.StringSlice("raw")},
			Timeout:  c.Duration("command-timeout"),
			Publish:  publish,
		})
		if err != nil {
			return err
		}
		defer func() { _ = tree.Close() }()
		s := &store{Cache: tree, mountpoint: mountpoint}
		if s.path, err = address.In(tree.Tree()); err != nil {
			return err
		}
		s.path = behindView(tree.Tree(), s.path)
		return do(ctx, s)
	})
}

// behindView is the directory of the tree that a path which is one of its views shows, else the path.
func behindView(tree *mapping.Tree, path string) string {
	dir, name := filepath.Split(path)
	if there(tree, path) {
		return path
	}
	if of, _, ok := mapping.ViewOf(name); ok {
		if n, ok := tree.Lookup(dir + of); ok && n.IsDir() {
			return dir + of
		}
	}
	return path
}

// address reads an argument that names an entry, without asking its mount for anything.
func address(argument, prefix string) (mapping.Address, error) {
	mountpoint, argument := onMount(argument)
	return mapping.ParseAddress(argument, prefix, mountpoint)
}

// onMount returns the mount of an ovscfgfs that an argument is a path on, and
// the argument as a path without symlinks. A path into the document stays behind it.
func onMount(argument string) (mountpoint, resolved string) {
	end := len(argument)
	for _, mark := range []string{"|", "#/"} {
		if i := strings.Index(argument[:end], mark); i >= 0 {
			end = i
		}
	}
	absolute, err := filepath.Abs(argument[:end])
	if argument == "" || err != nil {
		return "", argument
	}
	list, err := mounts()
	if err != nil {
		return "", argument
	}
	absolute = resolveExisting(absolute, list)
	if m, ok := mountOver(absolute, list); ok {
		return m, absolute + argument[end:]
	}
	return "", argument
}

// mountOver returns the innermost ovscfgfs whose mountpoint is path or above it.
func mountOver(path string, list []mounted) (mountpoint string, ok bool) {
	for _, m := range list {
		if m.fsType == fuseType && (path == m.path || strings.HasPrefix(path, m.path+"/")) && len(m.path) > len(mountpoint) {
			mountpoint, ok = m.path, true
		}
	}
	return mountpoint, ok
}

// resolveExisting follows symlinks as far as there is anything, but not on the mount itself: what
// is meant may be gone by now.
func resolveExisting(path string, list []mounted) string {
	rest := ""
	for at := path; at != "/"; at = filepath.Dir(at) {
		if _, ok := mountOver(at, list); ok {
			return at + rest
		}
		if resolved, err := filepath.EvalSymlinks(at); err == nil {
			return resolved + rest
		}
		rest = "/" + filepath.Base(at) + rest
	}
	return path
}

// applyMount takes over, from the configuration of a mount, which etcd it
// shows and how; flags that were given hold.
func applyMount(c *cli.Context, mountpoint string) error {
	data, err := os.ReadFile(filepath.Join(mountpoint, ".ovscfgfs", "config"))
	if errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ECONNABORTED) {
		return failf(exitMountpoint, "the daemon of %s is gone: ovscfgfs umount %s cleans it up", mountpoint, mountpoint)
	}
	if err != nil {
		return failf(exitMountpoint, "the configuration of the mount %s cannot be read: %w", mountpoint, err)
	}
	var config struct {
		Endpoints []string `json:"endpoints"`
		CACert    string   `json:"cacert"`
		Cert      string   `json:"cert"`
		Key       string   `json:"key"`
		User      string   `json:"user"`
		Password  string   `json:"password_file"`
		Insecure  bool     `json:"insecure_skip_tls_verify"`
		Validate  string   `json:"validate"`
		Exact     bool     `json:"exact"`
		Prefix    string   `json:"prefix"`
		Raw       []string `json:"raw"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return failf(exitFailure, "the configuration of the mount %s cannot be understood, is it of another version? %w", mountpoint, err)
	}
	for name, value := range map[string]string{
		"endpoints": strings.Join(config.Endpoints, ","), "cacert": config.CACert, "cert": config.Cert, "key": config.Key, "user": config.User, "prefix": config.Prefix,
		"password-file": config.Password, "insecure-skip-tls-verify": ifTrue(config.Insecure), "exact": ifTrue(config.Exact), "validate": config.Validate,
	} {
		if value == "" || given(c, name) || !has(c, name) {
			continue
		}
		if err := c.Set(name, value); err != nil {
			return failf(exitFailure, "--%s of the mount %s: %w", name, mountpoint, err)
		}
	}
	if !given(c, "raw") {
		for _, pattern := range config.Raw {
			if err := c.Set("raw", pattern); err != nil {
				return failf(exitFailure, "--raw of the mount %s: %w", mountpoint, err)
			}
		}
	}
	return nil
}

// given reports whether a flag was given on the command line. One from the environment,
// which says what is meant where nothing else does, yields to a mount that is named.
func given(c *cli.Context, name string) bool {
	value, ok := os.LookupEnv(env(name)[0])
	return c.IsSet(name) && (!ok || c.String(name) != value)
}

// has reports whether a command has a flag.
func has(c *cli.Context, name string) bool {
	return slices.ContainsFunc(c.Command.Flags, func(flag cli.Flag) bool { return slices.Contains(flag.Names(), name) })
}

func ifTrue(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// formatFlag is --format of the commands that print for people or for programs.
func formatFlag() cli.Flag {
	return &cli.StringFlag{Name: "format", Value: "text", Usage: "text, or json: one object a line"}
}

func asJSON(c *cli.Context) (bool, error) {
	switch format := c.String("format"); format {
	case "text", "json":
		return format == "json", nil
	default:
		return false, failf(exitUsage, "--format %q is neither text nor json", format)
	}
}

// parseRevision reads the number of a revision.
func parseRevision(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, failf(exitUsage, "%q is no revision of etcd: give a number such as 42 (ovscfgfs log PATH lists them)", text)
	}
	return n, nil
}

// revisionTimes is when a mount saw revisions, as far as it tells.
func revisionTimes(mountpoint string) map[int64]time.Time {
	times := map[int64]time.Time{}
	if mountpoint == "" {
		return times
	}
	file, err := os.Open(filepath.Join(mountpoint, ".ovscfgfs", "times"))
	if err != nil {
		return times
	}
	defer func() { _ = file.Close() }()
	for {
		var revision int64
		var text string
		if _, err := fmt.Fscanln(file, &revision, &text); err != nil {
			return times
		}
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			times[revision] = at
		}
	}
}
