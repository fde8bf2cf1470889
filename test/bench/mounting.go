package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// measureMounting times a mount of the whole tree, from the start of the
// process until the kernel serves it, beside one bare paged range of the same
// keys.
func measureMounting(ctx context.Context, l *lab) error {
	t := l.keyTree()
	if err := l.inEtcd(ctx, t); err != nil {
		return err
	}
	row := l.report.row("mount", fmt.Sprintf("mount %s keys", thousands(float64(t.leaves))), seconds,
		within(onRW, 1.3, onEtcd).and(0.3), within(onRO, 1.3, onEtcd).and(0.3))
	bare := func() (float64, error) { return l.bareRange(ctx, t) }
	fresh := func(readOnly bool) func() (float64, error) {
		return func() (took float64, err error) {
			err = l.mounted(ctx, t.prefix, readOnly, func(m *mount) error {
				took = m.took.Seconds()
				return statLeaf(filepath.Join(m.dir, t.path(t.leaves-1)), nil)
			})
			return took, err
		}
	}
	return l.interleave(ctx, row, l.runs, variant{onEtcd, bare}, variant{onRW, fresh(false)}, variant{onRO, fresh(true)})
}

// bareRange is how long a connected client takes to read a whole tree.
func (l *lab) bareRange(ctx context.Context, t tree) (float64, error) {
	client, err := dial(ctx, l.endpoint)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	return stopwatch(func() error {
		got, err := pagedRange(ctx, client, t.prefix, 0)
		if err == nil && got != t.leaves {
			err = fmt.Errorf("%d keys below %s, %d expected", got, t.prefix, t.leaves)
		}
		return err
	})
}
