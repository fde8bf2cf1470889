package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A tree is generated content of one shape, in etcd below prefix and as plain
// files elsewhere. Leaf i has the same path and the same shown content in both.
type tree struct {
	prefix string
	leaves int
	shape  shape
}

// shape says how leaves are stored and shown.
type shape uint8

const (
	// keys: each leaf a key of its own, ten to a directory, a hundred directories to a group.
	keys shape = iota
	// documents: the same directories, each one JSON object of ten fields in one key.
	documents
	// wide: all leaves are keys of one directory.
	wide
)

const leavesPerDirectory = 10

// directory is the path of leaf i's directory, relative to the prefix.
func (t tree) directory(i int) string {
	if t.shape == wide {
		return "all"
	}
	d := i / leavesPerDirectory
	return fmt.Sprintf("g%04d/d%02d", d/100, d%100)
}

// path is leaf i's path, relative to the prefix.
func (t tree) path(i int) string {
	if t.shape == wide {
		return fmt.Sprintf("all/leaf%06d", i)
	}
	return fmt.Sprintf("%s/leaf%d", t.directory(i), i%leavesPerDirectory)
}

// content is what a reader of leaf i sees.
func (t tree) content(i int) string { return fmt.Sprintf("v%07d\n", i) }

// value is leaf i's JSON text, ten bytes.
func (t tree) value(i int) string { return fmt.Sprintf(`"v%07d"`, i) }

// pairs calls put for every key and value of the tree.
func (t tree) pairs(put func(key, value string) error) error {
	if t.shape != documents {
		for i := range t.leaves {
			if err := put(t.prefix+"/"+t.path(i), t.value(i)); err != nil {
				return err
			}
		}
		return nil
	}
	for first := 0; first < t.leaves; first += leavesPerDirectory {
		var b strings.Builder
		for i := first; i < min(first+leavesPerDirectory, t.leaves); i++ {
			sep := ","
			if i == first {
				sep = "{"
			}
			fmt.Fprintf(&b, `%s"leaf%d":%s`, sep, i%leavesPerDirectory, t.value(i))
		}
		b.WriteByte('}')
		if err := put(t.prefix+"/"+t.directory(first), b.String()); err != nil {
			return err
		}
	}
	return nil
}

// valueBytes is the sum of the stored values' lengths.
func (t tree) valueBytes() (total int64) {
	_ = t.pairs(func(_, value string) error { total += int64(len(value)); return nil })
	return total
}

// inEtcd stores the tree, once per lab.
func (l *lab) inEtcd(ctx context.Context, t tree) error {
	if have, ok := l.loaded[t.prefix]; ok {
		if have != t {
			return fmt.Errorf("two trees below %s", t.prefix)
		}
		return nil
	}
	l.logf("storing %d leaves below %s", t.leaves, t.prefix)
	if err := l.store(ctx, t); err != nil {
		return fmt.Errorf("store the tree: %w", err)
	}
	l.loaded[t.prefix] = t
	return nil
}

// store puts the tree in large nested transactions, a few under way at a time.
func (l *lab) store(ctx context.Context, t tree) error {
	return l.storePairs(ctx, groupOps*100, t.pairs)
}

// storePairs puts what pairs yields, as many as said in each transaction.
func (l *lab) storePairs(ctx context.Context, perTxn int, pairs func(put func(key, value string) error) error) error {
	const writers = 4
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan []clientv3.Op)
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for ops := range batches {
				if _, err := l.client.Txn(ctx).Then(nested(ops)...).Commit(); err != nil {
					cancel(err) // the first one is kept
				}
			}
		})
	}
	var ops []clientv3.Op
	err := pairs(func(key, value string) error {
		ops = append(ops, clientv3.OpPut(key, value))
		if len(ops) == perTxn {
			batches <- ops
			ops = nil
		}
		return context.Cause(ctx)
	})
	if len(ops) > 0 {
		batches <- ops
	}
	close(batches)
	writing.Wait()
	return errors.Join(err, context.Cause(ctx))
}

// groupOps are the operations of one transaction within another: 100 of these and
// 28 operations in each are etcd's default --max-txn-ops of 128 along a path.
const groupOps = 28

// nested groups operations so that etcd takes up to 2,800 of them at once.
func nested(ops []clientv3.Op) []clientv3.Op {
	var groups []clientv3.Op
	for group := range slices.Chunk(ops, groupOps) {
		groups = append(groups, clientv3.OpTxn(nil, group, nil))
	}
	return groups
}

// asFiles writes the tree as plain files below dir, once per lab.
func (l *lab) asFiles(t tree, dir string) error {
	return l.files(t, dir, func(path, content string) error { return os.WriteFile(path, []byte(content), 0o644) })
}

// asEmptyFiles makes files of the sizes of the leaves without content, which a
// tmpfs would keep in a page each.
func (l *lab) asEmptyFiles(t tree, dir string) error {
	return l.files(t, dir, func(path, content string) error {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		return errors.Join(file.Truncate(int64(len(content))), file.Close())
	})
}

func (l *lab) files(t tree, dir string, write func(path, content string) error) error {
	if l.onDisk[dir] {
		return nil
	}
	made := ""
	for i := range t.leaves {
		if d := t.directory(i); d != made {
			if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
				return err
			}
			made = d
		}
		if err := write(filepath.Join(dir, t.path(i)), t.content(i)); err != nil {
			return err
		}
	}
	l.onDisk[dir] = true
	return nil
}

// The trees of the experiments.

func (l *lab) keyTree() tree { return tree{"/bench/keys", l.leaves, keys} }

func (l *lab) documentTree() tree { return tree{"/bench/documents", l.leaves, documents} }

func (l *lab) wideTree() tree { return tree{"/bench/wide", 10_000, wide} }

func (l *lab) millionTree() tree { return tree{"/bench/million", 1_000_000, keys} }
