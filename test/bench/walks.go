package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// A tool is a program that walks the tree, as an admin would type it.
type tool struct {
	name string
	args func(dir string) []string
	exit int // the status of a run that found what it should
	bars []bar
	cold bool     // measured with the kernel's caches dropped, too
	ctl  []string // what etcdctl calls the nearest thing it has; nil without
}

// tools are what walks are measured with; reference is another copy of the
// tree for diff. The pattern of grep is nowhere, so that everything is read.
func tools(reference string) []tool {
	return []tool{
		{name: "find", args: func(d string) []string { return []string{"find", d} },
			bars: []bar{within(onRW, 1.5, onTmpfs), within(onRO, 1.5, onTmpfs)}, cold: true, ctl: []string{"get", "--prefix", "--keys-only"}},
		{name: "ls -lR", args: func(d string) []string { return []string{"ls", "-lR", d} },
			bars: []bar{within(onRW, 1.5, onTmpfs), within(onRO, 1.5, onTmpfs)}, cold: true},
		{name: "grep -r", args: func(d string) []string { return []string{"grep", "-r", "nowhere", d} }, exit: 1,
			bars: []bar{within(onRW, 8, onTmpfs), within(onRO, 2, onTmpfs)}, cold: true, ctl: []string{"get", "--prefix"}},
		{name: "tar c", args: func(d string) []string { return []string{"tar", "-C", d, "-cf", "-", "."} }},
		{name: "diff -r", args: func(d string) []string { return []string{"diff", "-r", d, reference} }},
	}
}

// walk runs a tool over dir and returns its seconds. Its output goes through a
// pipe: several tools skip their work when it is /dev/null.
func walk(ctx context.Context, t tool, dir string) (float64, error) {
	args := t.args(dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout = struct{ io.Writer }{io.Discard}
	return stopwatch(func() error {
		err := cmd.Run()
		var status *exec.ExitError
		if errors.As(err, &status) && status.ExitCode() == t.exit && t.exit != 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		return nil
	})
}

// measureWalks times the tools over the tree, warm and cold. diff also proves
// that every target shows the same tree.
func measureWalks(ctx context.Context, l *lab) error {
	t := l.keyTree()
	plain, reference := filepath.Join(l.memory, "keys"), filepath.Join(l.memory, "reference")
	if err := errors.Join(l.inEtcd(ctx, t), l.asFiles(t, plain), l.asFiles(t, reference)); err != nil {
		return err
	}
	rw, ro, err := l.both(ctx)
	if err != nil {
		return err
	}
	if err := l.readAll(ctx, plain); err != nil {
		return err
	}
	for _, dir := range []string{plain, rw.dir, ro.dir} {
		if err := listAll(ctx, dir); err != nil { // the times of reading are known then, too
			return err
		}
	}
	if err := l.warmWalks(ctx, t.prefix, plain, reference, rw.dir, ro.dir); err != nil {
		return err
	}
	return l.coldWalks(ctx, t, rw.dir, ro.dir)
}

// etcdctl runs etcd's own command and returns its seconds.
func (l *lab) etcdctl(ctx context.Context, args ...string) (float64, error) {
	cmd := exec.CommandContext(ctx, l.ctl, append([]string{"--endpoints", l.endpoint}, args...)...)
	cmd.Stdout = struct{ io.Writer }{io.Discard}
	return stopwatch(cmd.Run)
}

func (l *lab) warmWalks(ctx context.Context, prefix, plain, reference, rw, ro string) error {
	for _, tool := range tools(reference) {
		row := l.report.row("warm", tool.name, seconds, tool.bars...)
		over := func(dir string) func() (float64, error) {
			return func() (float64, error) { return walk(ctx, tool, dir) }
		}
		variants := []variant{{onTmpfs, over(plain)}, {onRW, over(rw)}, {onRO, over(ro)}}
		if tool.ctl != nil {
			variants = append(variants, variant{onCtl, func() (float64, error) { return l.etcdctl(ctx, append(tool.ctl, prefix+"/")...) }})
		}
		if err := l.interleave(ctx, row, l.runs, variants...); err != nil {
			return err
		}
	}
	return nil
}

// coldWalks drops the kernel's caches before each run. A tmpfs has no such
// state; the disk stands beside the mounts instead.
func (l *lab) coldWalks(ctx context.Context, t tree, rw, ro string) error {
	if err := dropCaches(); err != nil {
		l.report.note("cold walks were left out: %v (they need root)", err)
		return nil
	}
	onDiskDir := filepath.Join(l.dir, "keys")
	if l.diskName() == "" {
		l.report.note("no cold disk to compare with: -work is in memory")
	} else if err := l.asFiles(t, onDiskDir); err != nil {
		return err
	}
	for _, tool := range tools("") {
		if !tool.cold {
			continue
		}
		over := func(dir string) func() (float64, error) {
			return func() (float64, error) {
				if err := dropCaches(); err != nil {
					return 0, err
				}
				return walk(ctx, tool, dir)
			}
		}
		row := l.report.row("cold", tool.name, seconds)
		variants := []variant{{onRW, over(rw)}, {onRO, over(ro)}}
		if l.diskName() != "" {
			variants = append(variants, variant{onDisk, over(onDiskDir)})
			if tool.name == "grep -r" {
				row.bars = []bar{within(onRW, 1, onDisk), within(onRO, 1, onDisk)}
			}
		}
		if err := l.interleave(ctx, row, min(l.runs, 2), variants...); err != nil {
			return err
		}
	}
	return nil
}

// measureWide times a listing of one directory of 10,000 entries, first with
// nothing known to the kernel and then warm.
func measureWide(ctx context.Context, l *lab) error {
	t := l.wideTree()
	plain := filepath.Join(l.memory, "wide")
	if err := errors.Join(l.inEtcd(ctx, t), l.asFiles(t, plain)); err != nil {
		return err
	}
	list := tool{name: "ls -l", args: func(d string) []string { return []string{"ls", "-l", filepath.Join(d, "all")} }}
	over := func(dir string) func() (float64, error) {
		return func() (float64, error) { return walk(ctx, list, dir) }
	}
	return l.mounted(ctx, t.prefix, false, func(rw *mount) error {
		return l.mounted(ctx, t.prefix, true, func(ro *mount) error {
			variants := []variant{{onTmpfs, over(plain)}, {onRW, over(rw.dir)}, {onRO, over(ro.dir)}}
			first := l.report.row("wide", "ls -l of 10,000, first", seconds)
			if err := l.interleave(ctx, first, 1, variants...); err != nil {
				return err
			}
			return l.interleave(ctx, l.report.row("wide", "ls -l of 10,000, warm", seconds), l.runs, variants...)
		})
	})
}
