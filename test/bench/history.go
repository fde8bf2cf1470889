package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// measureHistory times the first ls in a revision of the past that nobody has
// looked at, beside reading the keys of that revision from etcd, in pages and
// at once.
func measureHistory(ctx context.Context, l *lab) error {
	t := l.keyTree()
	if err := l.inEtcd(ctx, t); err != nil {
		return err
	}
	name := "first ls of a revision of " + thousands(float64(t.leaves)) + " keys, beside "
	paged := l.report.row("history", name+"a range in pages", seconds, within(onRW, 1.2, onEtcd))
	once := l.report.row("history", name+"one range", seconds, within(onRW, 1.2, onEtcd))
	err := l.mounted(ctx, t.prefix, false, func(m *mount) error {
		for i := range 2 * l.runs {
			revision, err := l.age(ctx, t, i)
			if err != nil {
				return err
			}
			dir := filepath.Join(m.dir, ".ovscfgfs/history", fmt.Sprint(revision))
			pages, err := stopwatch(func() error { _, err := pagedRange(ctx, l.client, t.prefix, revision); return err })
			if err != nil {
				return err
			}
			whole, err := stopwatch(func() error {
				_, err := l.client.Get(ctx, t.prefix+"/", clientv3.WithPrefix(), clientv3.WithRev(revision))
				return err
			})
			if err != nil {
				return err
			}
			listed, err := stopwatch(func() error { _, err := os.ReadDir(dir); return err })
			if err != nil {
				return err
			}
			for row, bare := range map[*row]float64{paged: pages, once: whole} {
				row.add(onEtcd, bare)
				row.add(onRW, listed)
			}
		}
		return nil
	})
	l.logf("%s", paged.line())
	l.logf("%s", once.line())
	return err
}

// age changes leaves all over the tree, a hundred revisions, and returns the
// one before them.
func (l *lab) age(ctx context.Context, t tree, round int) (int64, error) {
	const revisions = 100
	now, err := l.client.Get(ctx, t.prefix, clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	for i := range revisions {
		leaf := (i*t.leaves/revisions + round) % t.leaves
		if _, err := l.client.Put(ctx, t.prefix+"/"+t.path(leaf), t.value(leaf)); err != nil {
			return 0, err
		}
	}
	return now.Header.Revision, nil
}
