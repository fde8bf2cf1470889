package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/clusterlock"
	"github.com/openvstorage/ovscfgfs/cache/drafts"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/fs"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// loadTime bounds the reading of the whole prefix, which takes seconds for a
// million keys and longer on a bad line.
const loadTime = 10 * time.Minute

func mountCommand() *cli.Command {
	return &cli.Command{
		Name:         "mount",
		Usage:        "mount an etcd prefix, in the foreground",
		ArgsUsage:    "[MOUNTPOINT]",
		Description:  "SIGTERM and SIGINT unmount. A mount that is in use stays, and the log says who uses it; a second signal detaches it all the same.",
		Flags:        mountFlags(),
		OnUsageError: usageError,
		Action:       mountAction,
	}
}

func mountAction(c *cli.Context) error {
	ready := newReadiness()
	err := mountOnce(c, ready)
	if err != nil && ready.failed(err) {
		// The command that waits prints it.
		code, _ := verdict(err)
		return &failure{code: code, err: err}
	}
	return err
}

func mountOnce(c *cli.Context, ready readiness) error {
	if err := arguments(c, 0, 1, " [MOUNTPOINT]"); err != nil {
		return err
	}
	config, err := newMountConfig(c)
	if err != nil {
		return err
	}
	log, err := openLog(c)
	if err != nil {
		return err
	}
	out := c.App.ErrWriter
	if log != nil {
		defer func() { _ = log.Close() }()
		out = log
	}
	logger, err := newLogger(c, out)
	if err != nil {
		return err
	}
	// Both kinds of signal end the start; from then on serve takes them.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	if c.Bool("daemon") && !ready.waitedFor() {
		ctx, stop := signal.NotifyContext(c.Context, syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		return background(ctx, os.Args, log)
	}
	d := &daemon{config: config, logger: logger, ready: ready, signals: signals, answer: c.Duration("command-timeout")}
	if address := c.String("pprof"); address != "" {
		stop, err := serveProfiles(address, logger)
		if err != nil {
			return err
		}
		defer stop()
	}
	return d.run(c.Context)
}

// start brings up, in this order, what a mount needs, and registers how to end
// each part; stop ends them in the opposite order.
func (d *daemon) start(ctx context.Context) error {
	config := &d.config
	known, err := catalogue.Load()
	if err != nil {
		return failf(exitFailure, "%w", err)
	}
	config.settings.TypeOf = known.TypeOf
	var first *importing
	if config.importFile != "" {
		if first, err = newImport(config.importFile, "", config.settings.Prefix, rules{known, config.validate}); err != nil {
			return err
		}
	}
	if config.mountpoint, err = prepareMountpoint(config.mountpoint, config.options.nonempty, d.logger); err != nil {
		return err
	}
	if err := checkFUSE("/dev/fuse", config.options.allowOther); err != nil {
		return err
	}
	if err := d.claimState(); err != nil {
		return err
	}
	if config.embedded != "" {
		if err := d.startEmbedded(); err != nil {
			return err
		}
	}
	client, err := dial(ctx, config.connect)
	if err != nil {
		return err
	}
	d.onStop(func() { _ = client.Close() })
	if first != nil {
		if err := d.importFirst(ctx, client, first); err != nil {
			return err
		}
	}
	return d.mount(ctx, client, known)
}

// importFirst imports into a prefix that is empty, and does nothing if it is not.
func (d *daemon) importFirst(ctx context.Context, client *clientv3.Client, first *importing) error {
	direct, err := cache.NewDirect(cache.Options{Client: client, Settings: d.config.settings, Timeout: d.answer})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	first.options.IfEmpty = true
	result, err := first.run(ctx, direct)
	for _, line := range first.told {
		d.logger.Warn("import", "file", first.name, "words", line)
	}
	if err != nil {
		return err
	}
	d.logger.Info("imported", "file", first.name, "keys", result.Written, "transactions", result.Transactions)
	return nil
}

func (d *daemon) startEmbedded() error {
	if err := os.MkdirAll(d.config.embedded, 0o700); err != nil {
		return failf(exitEmbedded, "--embedded %s cannot be made: %w", d.config.embedded, err)
	}
	server, err := embedded.Start(d.config.embedded, "http://"+d.config.listen, d.logger)
	if err != nil {
		return failf(exitEmbedded, "%w", err)
	}
	d.onStop(func() { _ = server.Close() })
	d.config.connect.Endpoints = server.Endpoints()
	return nil
}

// mount loads the tree and shows it.
func (d *daemon) mount(ctx context.Context, client *clientv3.Client, known *catalogue.Catalogue) error {
	relay := new(relay)
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	tree, err := cache.Open(ctx, cache.Options{
		Client:    client,
		Settings:  d.config.settings,
		Logger:    d.logger,
		Timeout:   d.answer,
		LostAfter: d.config.offlineAfter,
		Publish:   relay.publish,
	})
	if err != nil {
		return failf(exitEtcd, "%w", err)
	}
	d.onStop(func() { _ = tree.Close() })
	checked := &validated{Cache: tree, catalogue: known, mode: d.config.validate, logger: d.logger}
	options := d.fsOptions(tree)
	options.Store = checked
	var kept *drafts.Store
	if !d.config.readOnly {
		rules := newVolumeRules(known)
		if kept, err = d.openDrafts(checked, rules); err != nil {
			return err
		}
		options.Store, options.Units = kept, rules
	}
	if options.References, err = references(known, d.config.settings, d.config.references, urlHost(d.config.connect.Endpoints)); err != nil {
		return err
	}
	options.Class = func(path string) string { return string(known.Class(path)) }
	if !d.config.localLocks && !d.config.readOnly {
		locker := clusterlock.New(clusterlock.Options{Client: client, TTL: d.config.lockTTL, Logger: d.logger})
		d.onStop(locker.Close)
		options.Locks = locker
	}
	mounted, err := fs.Mount(options)
	if err != nil {
		return mountFailure(err)
	}
	checked.warnings.Store(mounted)
	d.mounted = mounted
	d.served.Store(mounted)
	if kept == nil {
		relay.to(mounted.Published)
	} else {
		kept.Shown(mounted.Shown)
		relay.to(func(old, now *mapping.Tree, keys []string) {
			kept.Published(old, now, keys)
			mounted.Stored(old, now, keys)
		})
	}
	d.onStop(economize())
	return nil
}

func (d *daemon) fsOptions(tree *cache.Cache) fs.Options {
	config := d.config
	return fs.Options{
		Store:        tree,
		Logger:       d.logger,
		ReadOnly:     config.readOnly,
		UID:          config.uid,
		GID:          config.gid,
		FileMode:     config.fileMode,
		DirMode:      config.dirMode,
		AllowOther:   config.options.allowOther,
		Scratch:      config.scratch,
		StateDir:     config.stateDir,
		ScratchLimit: config.scratchLimit,
		ListViews:    config.listViews,
		Status:       func() any { return d.status(tree) },
		Mountpoint:   config.mountpoint,
		FSName:       config.options.fsName,
		MountOptions: config.options.kernel,
		Config:       config.shown(),
		EchoCommand:  config.echoCommand(),
	}
}

// mountFailure tells a mountpoint that somebody took meanwhile from a machine
// that cannot mount.
func mountFailure(err error) error {
	if mapping.KindOf(err) == mapping.Busy {
		return failf(exitMountpoint, "%w", err)
	}
	if strings.Contains(err.Error(), "fusermount exited") {
		return failf(exitFuse, "fusermount3 does not mount for this user, its own line says why; mount as root, or in a directory of this user: %w", err)
	}
	return failf(exitFuse, "%w", err)
}
