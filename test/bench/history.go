package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// settling is what the programs get for what they do after many changes.
const settling = 500 * time.Millisecond

// measureHistory times the first ls in a revision of the past that nobody has
// looked at, beside reading the keys of that revision from etcd, in pages and
// at once. How much has changed since decides what there is to do.
func measureHistory(ctx context.Context, l *lab) error {
	t := l.keyTree()
	if err := l.inEtcd(ctx, t); err != nil {
		return err
	}
	few, many := 100, t.leaves/10
	return l.mounted(ctx, t.prefix, false, func(m *mount) error {
		for _, since := range []struct {
			words   string
			runs    int
			leaves  int
			removed bool
		}{
			{"100 written since", 2 * l.runs, few, false},
			{"100 removed since", l.runs, few, true},
			{thousands(float64(many)) + " written since", l.runs, many, false},
			{"all written since", l.runs, t.leaves, false},
		} {
			name := fmt.Sprintf("first ls, %s, beside ", since.words)
			paged := l.report.row("history", name+"pages", seconds, within(onRW, 1.2, onEtcd))
			once := l.report.row("history", name+"one range", seconds, within(onRW, 1.2, onEtcd))
			for round := range since.runs {
				revision, err := l.age(ctx, t, since.leaves, round, since.removed)
				if err == nil {
					err = l.look(ctx, t, m, revision, paged, once)
				}
				if err == nil && since.removed {
					_, err = l.age(ctx, t, since.leaves, round, false)
				}
				if err != nil {
					return err
				}
			}
			l.logf("%s", paged.line())
			l.logf("%s", once.line())
		}
		return nil
	})
}

// look times one first look at a revision, and the ranges.
func (l *lab) look(ctx context.Context, t tree, m *mount, revision int64, paged, once *row) error {
	// The mount has taken in what has happened since, and told the kernel.
	if _, err := os.ReadFile(filepath.Join(m.dir, ".ovscfgfs/barrier")); err != nil {
		return err
	}
	time.Sleep(settling)
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
	listed, err := stopwatch(func() error {
		_, err := os.ReadDir(filepath.Join(m.dir, ".ovscfgfs/history", fmt.Sprint(revision)))
		return err
	})
	if err != nil {
		return err
	}
	paged.add(onEtcd, pages)
	paged.add(onRW, listed)
	once.add(onEtcd, whole)
	once.add(onRW, listed)
	return nil
}

// age writes, or removes, n leaves all over the tree, and returns the revision
// before that. Few are a revision each.
func (l *lab) age(ctx context.Context, t tree, n, round int, remove bool) (int64, error) {
	now, err := l.client.Get(ctx, t.prefix, clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	perTxn := 1
	if n > 1000 {
		perTxn = groupOps * 100
	}
	ops := make([]clientv3.Op, 0, perTxn)
	for i := range n {
		leaf := (i*t.leaves/n + round) % t.leaves
		key := t.prefix + "/" + t.path(leaf)
		if remove {
			ops = append(ops, clientv3.OpDelete(key))
		} else {
			ops = append(ops, clientv3.OpPut(key, t.value(leaf)))
		}
		if len(ops) == perTxn || i == n-1 {
			if _, err := l.client.Txn(ctx).Then(nested(ops)...).Commit(); err != nil {
				return 0, err
			}
			ops = ops[:0]
		}
	}
	return now.Header.Revision, nil
}
