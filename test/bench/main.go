// Command bench measures ovscfgfs beside what it could be: a tmpfs with the
// same tree, the machine's disk, and a bare etcd client, all in one run.
//
//	go run ./test/bench                 # everything; rewrites docs/performance.md and its picture
//	go run ./test/bench -only walk      # one experiment, printed only
//	go run ./test/bench -leaves 10000 -million=false -runs 3
//
// It builds the daemon and the real etcd server from this module, runs both as
// processes of their own with their default settings (etcd's fsync on), and
// needs root for mounts and for dropping the kernel's caches; what it cannot do
// without is left out and said so. An interrupt or a failure ends the run early;
// what was measured until then is still written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command's flags.
type options struct {
	only    string
	runs    int
	leaves  int
	million bool
	out     string
	work    string
	pprof   string
	daemon  string
}

// An experiment measures one aspect and adds its rows to the lab's report.
type experiment struct {
	name   string
	run    func(context.Context, *lab) error
	shares bool // takes a turn on the shared mounts, which end before one that does not
}

func experiments() []experiment {
	return []experiment{
		{name: "mount", run: measureMounting},
		{name: "memory", run: measureMemory, shares: true},
		{name: "walk", run: measureWalks, shares: true},
		{name: "rates", run: measureRates, shares: true},
		{name: "wide", run: measureWide},
		{name: "echo", run: measureEcho},
		{name: "document", run: measureDocument},
		{name: "rename", run: measureRename},
		{name: "history", run: measureHistory},
		{name: "remote", run: measureRemote},
		{name: "events", run: measureEvents},
		{name: "million", run: measureMillion},
	}
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "run only this experiment (several with commas): "+strings.Join(names(), " "))
	flag.IntVar(&o.runs, "runs", 3, "runs of each measurement; the median counts")
	flag.IntVar(&o.leaves, "leaves", 100_000, "leaves of the tree, ten to a directory")
	flag.BoolVar(&o.million, "million", true, "measure a tree of 1,000,000 leaves as well")
	flag.StringVar(&o.out, "out", "", "directory for performance.md and its picture (default docs, and nothing with -only)")
	flag.StringVar(&o.work, "work", os.TempDir(), "directory for etcd's data and the cold tree; on a real disk")
	flag.StringVar(&o.pprof, "pprof", "", "pass --pprof ADDR to the daemons")
	flag.StringVar(&o.daemon, "daemon", "", "measure this ovscfgfs binary instead of building one")
	flag.Parse()
	if flag.NArg() > 0 || o.runs < 1 || o.leaves < 1000 {
		fmt.Fprintln(os.Stderr, "bench: takes flags only, at least one run and at least 1000 leaves")
		os.Exit(2)
	}
	if o.out == "" && o.only == "" {
		o.out = "docs"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for _, e := range experiments() {
		all = append(all, e.name)
	}
	return all
}

// selected are the experiments that o asks for, in their order.
func selected(o options) ([]experiment, error) {
	var wanted []string
	if o.only != "" {
		wanted = strings.Split(o.only, ",")
		for _, w := range wanted {
			if !slices.Contains(names(), w) {
				return nil, fmt.Errorf("no experiment %q; there are %s", w, strings.Join(names(), " "))
			}
		}
	}
	var chosen []experiment
	for _, e := range experiments() {
		if wanted != nil && !slices.Contains(wanted, e.name) {
			continue
		}
		if e.name == "million" && !o.million {
			continue
		}
		chosen = append(chosen, e)
	}
	return chosen, nil
}

func run(ctx context.Context, o options) (err error) {
	chosen, err := selected(o)
	if err != nil {
		return err
	}
	l, err := openLab(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for _, e := range chosen {
		l.logf("== %s", e.name)
		began := time.Now()
		err := l.perform(ctx, e)
		l.logf("== %s took %v", e.name, time.Since(began).Round(100*time.Millisecond))
		if ctx.Err() != nil {
			l.report.note("the run was interrupted during %s", e.name)
			break
		}
		if err != nil {
			l.report.note("the run ended early: %s failed", e.name)
			return errors.Join(fmt.Errorf("%s: %w", e.name, err), l.publish())
		}
	}
	return l.publish()
}

// perform runs one experiment.
func (l *lab) perform(ctx context.Context, e experiment) error {
	if !e.shares {
		if err := l.unshare(); err != nil {
			return err
		}
	}
	return e.run(ctx, l)
}

// publish prints what was measured, and writes the page and its picture.
func (l *lab) publish() error {
	fmt.Println()
	if err := l.report.print(os.Stdout); err != nil {
		return err
	}
	if l.out == "" {
		return nil
	}
	if err := drawPicture(&l.report, filepath.Join(l.out, pictureName)); err != nil {
		return err
	}
	return writePage(&l.report, l.machine(), l.options, filepath.Join(l.out, "performance.md"))
}
