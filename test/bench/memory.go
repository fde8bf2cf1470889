package main

import (
	"context"
	"fmt"
	"time"
)

// measureMemory says what a leaf costs the daemon when a client has listed and
// read the whole tree: its resident memory once that has settled, less that of
// a daemon on an empty prefix, less the values' own bytes. The pages of the
// program file are not counted: they are the same for any tree.
func measureMemory(ctx context.Context, l *lab) error {
	for _, t := range []tree{l.keyTree(), l.documentTree()} {
		stored := "a key each"
		if t.shape == documents {
			stored = fmt.Sprintf("documents of %d fields", leavesPerDirectory)
		}
		if err := l.inEtcd(ctx, t); err != nil {
			return err
		}
		if err := l.measureMemoryOf(ctx, "memory", stored, t, min(l.runs, 2)); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) measureMemoryOf(ctx context.Context, group, stored string, t tree, runs int) error {
	mounted := l.report.row(group, "once mounted, "+stored, bytes)
	read := l.report.row(group, "all leaves read, "+stored, bytes)
	settled := l.report.row(group, "a moment later, "+stored, bytes)
	each := l.report.row(group, "a leaf beyond its value, "+stored, perLeaf, below(onRW, 400), below(onRO, 400))
	for range runs {
		for _, target := range []string{onRW, onRO} {
			base, err := l.emptyFootprint(ctx, target == onRO)
			if err != nil {
				return err
			}
			full, err := l.footprint(ctx, t.prefix, target == onRO)
			if err != nil {
				return err
			}
			mounted.add(target, float64(full.mounted))
			read.add(target, float64(full.read))
			settled.add(target, float64(full.settled))
			each.add(target, float64(full.settled-base-t.valueBytes())/float64(t.leaves))
		}
	}
	for _, r := range []*row{mounted, read, settled, each} {
		l.logf("%s", r.line())
	}
	return nil
}

// emptyFootprint is the settled memory of a daemon with nothing to show,
// measured once.
func (l *lab) emptyFootprint(ctx context.Context, readOnly bool) (int64, error) {
	if base, ok := l.empty[readOnly]; ok {
		return base, nil
	}
	f, err := l.footprint(ctx, "/bench/empty", readOnly)
	l.empty[readOnly] = f.settled
	return f.settled, err
}

// A footprint is a daemon's resident memory in bytes.
type footprint struct {
	mounted, read, settled int64
}

// footprint mounts prefix, has everything listed and read, and looks.
func (l *lab) footprint(ctx context.Context, prefix string, readOnly bool) (f footprint, err error) {
	err = l.mounted(ctx, prefix, readOnly, func(m *mount) error {
		if f.mounted, err = m.resident(); err != nil {
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
		if f.read, err = m.resident(); err != nil {
			return err
		}
		f.settled, err = l.settled(ctx, m)
		return err
	})
	return f, err
}

// settled waits until the daemon's memory has not changed by one part in a
// hundred for five seconds, half a minute at most, and returns it.
func (l *lab) settled(ctx context.Context, m *mount) (int64, error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	last, err := m.resident()
	for still, ticks := 0, 0; err == nil && still < 5 && ticks < 30; ticks++ {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-ticker.C:
		}
		var now int64
		now, err = m.resident()
		if still++; now < last-last/100 || now > last+last/100 {
			still = 0
		}
		last = now
	}
	return last, err
}
