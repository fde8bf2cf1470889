package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measureMemory says what a leaf costs the daemon when a client has listed and
// read the whole tree: its resident memory once that has settled, less that of
// a daemon on an empty prefix, less the values' own bytes. The pages of the
// program file are not counted: they are the same for any tree.
func measureMemory(ctx context.Context, l *lab) error {
	keys, documents := l.keyTree(), l.documentTree()
	if err := errors.Join(l.inEtcd(ctx, keys), l.inEtcd(ctx, documents)); err != nil {
		return err
	}
	rows := l.memoryRows("memory", "read", "a key each")
	for _, readOnly := range []bool{false, true} {
		m, err := l.shared(ctx, readOnly)
		if err != nil {
			return err
		}
		if err := l.measureMemoryOf(ctx, rows, m.mount, keys, readOnly, l.readAll); err != nil {
			return err
		}
		m.warm = true
	}
	rows.log(l)
	rows = l.memoryRows("memory", "read", fmt.Sprintf("documents of %d fields", leavesPerDirectory))
	for _, readOnly := range []bool{false, true} {
		err := l.mounted(ctx, documents.prefix, readOnly, func(m *mount) error {
			return l.measureMemoryOf(ctx, rows, m, documents, readOnly, l.readAll)
		})
		if err != nil {
			return err
		}
	}
	rows.log(l)
	return nil
}

// memoryRows are the rows of one tree.
type memoryRows struct{ mounted, used, settled, each *row }

// memoryRows adds them; used says what was done with all leaves.
func (l *lab) memoryRows(group, used, stored string) *memoryRows {
	return &memoryRows{
		mounted: l.report.row(group, "once mounted, "+stored, bytes),
		used:    l.report.row(group, "all leaves "+used+", "+stored, bytes),
		settled: l.report.row(group, "a moment later, "+stored, bytes),
		each:    l.report.row(group, "a leaf beyond its value, "+stored, perLeaf, below(onRW, 400), below(onRO, 400)),
	}
}

func (m *memoryRows) log(l *lab) {
	for _, r := range []*row{m.mounted, m.used, m.settled, m.each} {
		l.logf("%s", r.line())
	}
}

// measureMemoryOf looks at the daemon of a fresh mount before and after use.
func (l *lab) measureMemoryOf(ctx context.Context, rows *memoryRows, m *mount, t tree, readOnly bool, use func(context.Context, string) error) error {
	target := onRW
	if readOnly {
		target = onRO
	}
	base, err := l.emptyMemory(ctx, readOnly)
	if err != nil {
		return err
	}
	mounted, err := m.resident()
	if err != nil {
		return err
	}
	if err := use(ctx, m.dir); err != nil {
		return err
	}
	used, err := m.resident()
	if err != nil {
		return err
	}
	settled, err := l.settled(ctx, m)
	if err != nil {
		return err
	}
	rows.mounted.add(target, float64(mounted))
	rows.used.add(target, float64(used))
	rows.settled.add(target, float64(settled))
	rows.each.add(target, float64(settled-base-t.valueBytes())/float64(t.leaves))
	return nil
}

// emptyMemory is the settled memory of a daemon with nothing to show, measured
// once.
func (l *lab) emptyMemory(ctx context.Context, readOnly bool) (base int64, err error) {
	if base, ok := l.empty[readOnly]; ok {
		return base, nil
	}
	err = l.mounted(ctx, "/bench/empty", readOnly, func(m *mount) error {
		if err := l.readAll(ctx, m.dir); err != nil {
			return err
		}
		base, err = l.settled(ctx, m)
		return err
	})
	l.empty[readOnly] = base
	return base, err
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
