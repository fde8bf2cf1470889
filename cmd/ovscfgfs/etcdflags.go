package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache/connect"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// env names the environment variable of a flag.
func env(flag string) []string {
	return []string{"OVSCFGFS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

func stringFlag(name, value, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Value: value, Usage: usage, EnvVars: env(name)}
}

func boolFlag(name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

func durationFlag(name string, value time.Duration, usage string) cli.Flag {
	return &cli.DurationFlag{Name: name, Value: value, Usage: usage, EnvVars: env(name)}
}

// etcdFlags are named as etcdctl names them, with its defaults.
func etcdFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("endpoints", "127.0.0.1:2379", "etcd's addresses, comma-separated"),
		stringFlag("cacert", "", "verify the servers' certificates with this CA bundle (`FILE`)"),
		stringFlag("cert", "", "identify with this TLS certificate (`FILE`)"),
		stringFlag("key", "", "the key of --cert (`FILE`)"),
		boolFlag("insecure-skip-tls-verify", "accept any server certificate, for tests only"),
		stringFlag("user", "", "etcd user `NAME`; the password comes from --password-file or OVSCFGFS_PASSWORD"),
		stringFlag("password-file", "", "read etcd's password from `FILE`"),
		&cli.StringFlag{Name: "password", Hidden: true},
		durationFlag("dial-timeout", 2*time.Second, "wait this long for the first answer"),
		durationFlag("command-timeout", 5*time.Second, "wait this long for an answer later on"),
		durationFlag("keepalive-time", 2*time.Second, "ping an idle connection this often"),
		durationFlag("keepalive-timeout", 6*time.Second, "give a connection up after this long without an answer to a ping"),
		stringFlag("prefix", "/ovs", "the etcd prefix that is shown"),
	}
}

// connectOptions reads the connection flags. A password on the command line is
// refused: every user of the machine sees it in ps.
func connectOptions(c *cli.Context) (connect.Options, error) {
	o := connect.Options{
		Endpoints:        splitList(c.String("endpoints")),
		CACert:           c.String("cacert"),
		Cert:             c.String("cert"),
		Key:              c.String("key"),
		SkipVerify:       c.Bool("insecure-skip-tls-verify"),
		User:             c.String("user"),
		Password:         os.Getenv("OVSCFGFS_PASSWORD"),
		DialTimeout:      c.Duration("dial-timeout"),
		KeepAliveTime:    c.Duration("keepalive-time"),
		KeepAliveTimeout: c.Duration("keepalive-timeout"),
	}
	for _, name := range []string{"dial-timeout", "command-timeout", "keepalive-time", "keepalive-timeout"} {
		if c.Duration(name) <= 0 {
			return o, failf(exitUsage, "--%s %v must be more than nothing, such as 5s", name, c.Duration(name))
		}
	}
	const instead = "ps shows it to everyone: put it into a file for --password-file, or into OVSCFGFS_PASSWORD"
	if c.IsSet("password") {
		return o, failf(exitUsage, "no password on the command line, %s", instead)
	}
	if name, password, found := strings.Cut(o.User, ":"); found {
		if os.Getenv("OVSCFGFS_USER") != o.User {
			return o, failf(exitUsage, "--user takes a name without a password, %s", instead)
		}
		o.User, o.Password = name, password
	}
	if file := c.String("password-file"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return o, failf(exitInput, "--password-file cannot be read: %w", err)
		}
		o.Password = strings.TrimRight(string(data), "\r\n")
	}
	if err := o.Check(); err != nil {
		return o, optionFailure(err)
	}
	return o, nil
}

// optionFailure tells a file that cannot be read from an option that cannot be right.
func optionFailure(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return failf(exitInput, "%w", err)
	}
	return failf(exitUsage, "%w", err)
}

// dial connects as the flags say. An option that cannot be right is the
// caller's mistake, anything else etcd's.
func dial(ctx context.Context, o connect.Options) (*clientv3.Client, error) {
	client, err := connect.Client(ctx, o)
	if err == nil {
		return client, nil
	}
	if mapping.KindOf(err) == mapping.Invalid {
		return nil, optionFailure(err)
	}
	return nil, failf(exitEtcd, "%w", err)
}

// prefixFlag returns --prefix in the form that all layers expect.
func prefixFlag(c *cli.Context) (string, error) {
	prefix := c.String("prefix")
	switch {
	case !strings.HasPrefix(prefix, "/"):
		return "", failf(exitUsage, "--prefix %q must start with a slash, such as /ovs", prefix)
	case strings.Trim(prefix, "/") == "":
		return "", failf(exitUsage, "--prefix %q names no prefix: give one such as /ovs", prefix)
	case strings.HasSuffix(prefix, "/"):
		return "", failf(exitUsage, "--prefix %q must not end with a slash", prefix)
	case strings.Contains(prefix, "//"):
		return "", failf(exitUsage, "--prefix %q must not hold two slashes in a row", prefix)
	}
	return prefix, nil
}

func splitList(text string) []string {
	var list []string
	for _, item := range strings.Split(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
