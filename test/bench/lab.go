package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A lab is one run's surroundings: the programs under test, a running etcd, a
// client of it, a tmpfs, and the report. Experiments run one after another; a
// lab is not safe for concurrent use.
type lab struct {
	options
	report report
	dir    string // on disk: etcd's data, state directories, mountpoints, the cold tree
	memory string // on tmpfs
	ctl    string // the etcdctl binary
	client *clientv3.Client

	endpoint string
	loaded   map[string]tree  // what is in etcd already, by prefix
	onDisk   map[string]bool  // directories that hold a tree already
	empty    map[bool]int64   // memory of a daemon on an empty prefix, by read-only
	common   map[bool]*shared // by read-only
	cleanups []func() error
	mounts   int
}

func openLab(ctx context.Context, o options) (_ *lab, err error) {
	l := &lab{options: o, loaded: map[string]tree{}, onDisk: map[string]bool{}, empty: map[bool]int64{}, common: map[bool]*shared{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.dir, err = os.MkdirTemp(o.work, "ovscfgfs-bench-"); err != nil {
		return nil, err
	}
	l.onClose(func() error { return os.RemoveAll(l.dir) })
	if l.memory, err = l.openMemory(); err != nil {
		return nil, err
	}
	server := filepath.Join(l.dir, "etcd")
	l.logf("building what is not built")
	if l.daemon == "" {
		l.daemon = filepath.Join(l.dir, "ovscfgfs")
		if err := build(ctx, l.daemon, "./cmd/ovscfgfs"); err != nil {
			return nil, err
		}
	}
	if err := build(ctx, server, "go.etcd.io/etcd/server/v3"); err != nil {
		return nil, err
	}
	l.ctl = filepath.Join(l.dir, "etcdctl")
	if err := build(ctx, l.ctl, "go.etcd.io/etcd/etcdctl/v3"); err != nil {
		return nil, err
	}
	if l.endpoint, err = l.startEtcd(ctx, server); err != nil {
		return nil, err
	}
	if l.client, err = dial(ctx, l.endpoint); err != nil {
		return nil, err
	}
	l.onClose(l.client.Close)
	l.onClose(l.unshare)
	return l, nil
}

// onClose has f called by close, the latest first.
func (l *lab) onClose(f func() error) { l.cleanups = append(l.cleanups, f) }

func (l *lab) close() error {
	var errs []error
	for _, f := range slices.Backward(l.cleanups) {
		errs = append(errs, f())
	}
	l.cleanups = nil
	return errors.Join(errs...)
}

// logf tells the person who waits; it goes to standard error.
func (l *lab) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// build compiles a package of this module, as it would be shipped.
func build(ctx context.Context, output, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", output, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// A variant is one way of doing what a row measures: the target's name and one
// run, which returns the figure.
type variant struct {
	target string
	once   func() (float64, error)
}

// interleave runs all variants in turn, so that what else the machine does
// falls on each of them, and adds their figures to row.
func (l *lab) interleave(ctx context.Context, row *row, runs int, variants ...variant) error {
	for range runs {
		for _, v := range variants {
			if err := ctx.Err(); err != nil {
				return err
			}
			figure, err := v.once()
			if err != nil {
				return fmt.Errorf("%s on %s: %w", row.name, v.target, err)
			}
			row.add(v.target, figure)
		}
	}
	l.logf("%s", row.line())
	return nil
}

// stopwatch returns f's duration in seconds.
func stopwatch(f func() error) (float64, error) {
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}
