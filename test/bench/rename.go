package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// measureRename times mv of a directory of keys beside the transaction that it
// is, made by a bare client; and beside one that compares less.
func measureRename(ctx context.Context, l *lab) error {
	const prefix, sent, ranged = "/bench/rename", "/sent/rename", "/bare/rename"
	sizes := []int{10, 100, 1000, 4000}
	for _, n := range sizes {
		for _, below := range []string{prefix, sent, ranged} {
			if err := l.storeDirectory(ctx, fmt.Sprintf("%s/of%d/a", below, n), n); err != nil {
				return err
			}
			// A directory that a move leaves empty would be kept, which is another matter.
			if _, err := l.client.Put(ctx, fmt.Sprintf("%s/of%d/stays", below, n), `"here"`); err != nil {
				return err
			}
		}
	}
	s, err := l.openSender(ctx, sent)
	if err != nil {
		return err
	}
	defer s.close()
	return l.mounted(ctx, prefix, false, func(m *mount) error {
		for _, n := range sizes {
			name := fmt.Sprintf("%s keys, beside ", thousands(float64(n)))
			same := l.report.row("rename", name+"the same transaction", seconds, within(onRW, 1.2, onEtcd))
			less := l.report.row("rename", name+"two range compares", seconds, within(onRW, 1.2, onEtcd))
			here := filepath.Join(m.dir, fmt.Sprintf("of%d", n))
			from, to := "a", "b"
			bare := fmt.Sprintf("%s/of%d/", ranged, n)
			some := func() (float64, error) { return l.moveKeys(ctx, bare+from+"/", bare+to+"/") }
			all := func() (float64, error) {
				return s.move(ctx, fmt.Sprintf("of%d/%s", n, from), fmt.Sprintf("of%d/%s", n, to))
			}
			moved := func() (float64, error) {
				// What the others have changed in etcd is behind the mount.
				if _, err := os.ReadFile(filepath.Join(m.dir, ".ovscfgfs/barrier")); err != nil {
					return 0, err
				}
				// Not os.Rename, which looks at the new name first.
				return stopwatch(func() error { return syscall.Rename(filepath.Join(here, from), filepath.Join(here, to)) })
			}
			// Each in turn comes after each other one, which may not have come to rest.
			orders := [][]int{{0, 1, 2}, {2, 1, 0}}
			for round := range max(400/n, 4) * l.runs {
				var took [3]float64
				for _, which := range orders[round%2] {
					var err error
					if took[which], err = []func() (float64, error){some, all, moved}[which](); err != nil {
						return err
					}
				}
				less.add(onEtcd, took[0])
				same.add(onEtcd, took[1])
				less.add(onRW, took[2])
				same.add(onRW, took[2])
				from, to = to, from
			}
			l.logf("%s", same.line())
			l.logf("%s", less.line())
		}
		return nil
	})
}

// storeDirectory stores n keys of ten bytes below a key.
func (l *lab) storeDirectory(ctx context.Context, below string, n int) error {
	return l.storePairs(ctx, min(n, groupOps*100), func(put func(key, value string) error) error {
		for i := range n {
			if err := put(fmt.Sprintf("%s/leaf%05d", below, i), fmt.Sprintf(`"v%07d"`, i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// moveKeys gives the keys below one prefix another one in a transaction, as
// whoever knows the values by heart would do it: none of them may have changed
// since, and nothing may be at the target. It returns its seconds.
func (l *lab) moveKeys(ctx context.Context, from, to string) (float64, error) {
	had, err := l.client.Get(ctx, from, clientv3.WithPrefix())
	if err != nil {
		return 0, err
	}
	return stopwatch(func() error {
		ops := make([]clientv3.Op, 0, len(had.Kvs))
		for _, kv := range had.Kvs {
			ops = append(ops, clientv3.OpPut(to+strings.TrimPrefix(string(kv.Key), from), string(kv.Value)))
		}
		groups := []clientv3.Op{clientv3.OpDelete(from, clientv3.WithPrefix())}
		const inEach = 64
		for len(ops) > 0 {
			some := ops[:min(len(ops), inEach)]
			ops = ops[len(some):]
			groups = append(groups, clientv3.OpTxn(nil, some, nil))
		}
		answer, err := l.client.Txn(ctx).If(
			clientv3.Compare(clientv3.ModRevision(from), "<", had.Header.Revision+1).WithPrefix(),
			clientv3.Compare(clientv3.CreateRevision(to), "=", 0).WithPrefix(),
		).Then(groups...).Commit()
		if err == nil && !answer.Succeeded {
			err = errors.New("the bare move met a change that nobody made")
		}
		return err
	})
}
