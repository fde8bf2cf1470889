package main

import (
	"context"
	"errors"
	"path/filepath"
)

// measureMillion repeats mounting, memory and stat with ten times the leaves.
func measureMillion(ctx context.Context, l *lab) error {
	t := l.millionTree()
	plain := filepath.Join(l.memory, "million")
	if err := errors.Join(l.inEtcd(ctx, t), l.asFiles(t, plain)); err != nil {
		return err
	}
	row := l.report.row("million", "mount 1,000,000 keys", seconds,
		within(onRW, 1.3, onEtcd).and(0.3), within(onRO, 1.3, onEtcd).and(0.3))
	if err := l.measureMount(ctx, row, t, min(l.runs, 3)); err != nil {
		return err
	}
	if err := l.measureMemoryOf(ctx, "million", "a key each", t, 1); err != nil {
		return err
	}
	return l.mounted(ctx, t.prefix, false, func(rw *mount) error {
		return l.mounted(ctx, t.prefix, true, func(ro *mount) error {
			dirs := map[string]string{onTmpfs: plain, onRW: rw.dir, onRO: ro.dir}
			for _, threads := range []int{1, 4} {
				looking := l.report.row("million", "stat, "+inThreads(threads), perSecond)
				if err := l.measureRate(ctx, looking, t, dirs, threads, min(l.runs, 3), statLeaf); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
