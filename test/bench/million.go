package main

import (
	"context"
	"errors"
	"path/filepath"
)

// measureMillion repeats mounting, memory and stat with ten times the leaves,
// each mount and the range beside them once.
func measureMillion(ctx context.Context, l *lab) error {
	t := l.millionTree()
	plain := filepath.Join(l.memory, "million")
	if err := errors.Join(l.inEtcd(ctx, t), l.asEmptyFiles(t, plain)); err != nil {
		return err
	}
	row := l.report.row("million", "mount 1,000,000 keys", seconds,
		within(onRW, 1.3, onEtcd).and(0.3), within(onRO, 1.3, onEtcd).and(0.3))
	took, err := l.bareRange(ctx, t)
	if err != nil {
		return err
	}
	row.add(onEtcd, took)
	rows := l.memoryRows("million", "listed", "a key each")
	look := func(readOnly bool, then func(*mount) error) error {
		return l.mounted(ctx, t.prefix, readOnly, func(m *mount) error {
			target := onRW
			if readOnly {
				target = onRO
			}
			row.add(target, m.took.Seconds())
			if err := l.measureMemoryOf(ctx, rows, m, t, readOnly, listAll); err != nil {
				return err
			}
			return then(m)
		})
	}
	return look(false, func(rw *mount) error {
		return look(true, func(ro *mount) error {
			l.logf("%s", row.line())
			rows.log(l)
			dirs := map[string]string{onTmpfs: plain, onRW: rw.dir, onRO: ro.dir}
			for _, threads := range []int{1, 4} {
				looking := l.report.row("million", "stat, "+inThreads(threads), perSecond)
				if err := l.measureRate(ctx, looking, t, dirs, threads, l.runs, statLeaf); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// listAll is ls -lR: the kernel then knows every file, and the daemon what it
// needs to know of each.
func listAll(ctx context.Context, dir string) error {
	for _, t := range tools("") {
		if t.name == "ls -lR" {
			_, err := walk(ctx, t, dir)
			return err
		}
	}
	return nil
}
