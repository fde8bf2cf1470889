package main

import (
	"context"
	"fmt"
)

// measureMemory says what a leaf costs the daemon when a client has listed and
// read the whole tree: its resident memory, less that of a daemon on an empty
// prefix, less the values' own bytes.
func measureMemory(ctx context.Context, l *lab) error {
	for _, t := range []tree{l.keyTree(), l.documentTree()} {
		stored := "a key each"
		if t.shape == documents {
			stored = fmt.Sprintf("documents of %d fields", leavesPerDirectory)
		}
		if err := l.inEtcd(ctx, t); err != nil {
			return err
		}
		if err := l.measureMemoryOf(ctx, "memory", stored, t, min(l.runs, 3)); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) measureMemoryOf(ctx context.Context, group, stored string, t tree, runs int) error {
	mounted := l.report.row(group, "once mounted, "+stored, bytes)
	read := l.report.row(group, "all leaves read, "+stored, bytes)
	peak := l.report.row(group, "most it ever was, "+stored, bytes)
	each := l.report.row(group, "a leaf beyond its value, "+stored, perLeaf, below(onRW, 400), below(onRO, 400))
	for range runs {
		for _, target := range []string{onRW, onRO} {
			base, err := l.footprint(ctx, "/bench/empty", target == onRO)
			if err != nil {
				return err
			}
			full, err := l.footprint(ctx, t.prefix, target == onRO)
			if err != nil {
				return err
			}
			mounted.add(target, float64(full.mounted))
			read.add(target, float64(full.read))
			peak.add(target, float64(full.peak))
			each.add(target, float64(full.read-base.read-t.valueBytes())/float64(t.leaves))
		}
	}
	for _, r := range []*row{mounted, read, peak, each} {
		l.logf("%s", r.line())
	}
	return nil
}

// A footprint is a daemon's resident memory in bytes.
type footprint struct {
	mounted, read, peak int64
}

// footprint mounts prefix, has everything listed and read, and looks.
func (l *lab) footprint(ctx context.Context, prefix string, readOnly bool) (f footprint, err error) {
	err = l.mounted(ctx, prefix, readOnly, func(m *mount) error {
		if f.mounted, err = m.status("VmRSS"); err != nil {
			return err
		}
		for _, tool := range tools("") {
			if tool.name != "ls -lR" && tool.name != "grep -r" {
				continue
			}
			if _, err := walk(ctx, tool, m.dir); err != nil {
				return err
			}
		}
		if f.read, err = m.status("VmRSS"); err != nil {
			return err
		}
		f.peak, err = m.status("VmHWM")
		return err
	})
	return f, err
}
