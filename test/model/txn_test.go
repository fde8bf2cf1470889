package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// transaction does some operations in a private copy, while others may change
// keys outside, and commits or drops it.
func (w *world) transaction(mount int) (revisions int, err error) {
	w.txns++
	root := filepath.Join(w.pair.Dirs[mount], ".ovscfgfs", "txn", fmt.Sprintf("t%d", w.txns))
	w.note("begin %s", filepath.Base(root))
	if err := os.Mkdir(root, 0o755); err != nil {
		return 0, err
	}
	base := w.model
	private := base.clone()
	private.local = newTree().local
	outside := w.IntN(3) == 0
	shown := private.places(mount)
	for range 1 + w.IntN(8) {
		o := w.operation(private, mount)
		// What was the directory of what goes is a file then: the kernel is told a moment later.
		others := o.elsewhere() || private.leavesLeaf(private.at(mount, o.path))
		if private, _, err = w.try(o, private, mount, root); err != nil {
			return 0, err
		}
		if others {
			if _, err := w.barriers[mount].pass(); err != nil {
				return 0, err
			}
		}
		if err := w.freeCaught(private, mount, root); err != nil {
			return 0, err
		}
		if outside && w.IntN(3) == 0 {
			if _, err := w.client(); err != nil {
				return 0, err
			}
			revisions++
		}
		if w.IntN(4) == 0 {
			if shown, err = w.lookInto(root, private, mount, shown); err != nil {
				return 0, err
			}
		}
	}
	if w.IntN(4) == 0 {
		w.note("drop %s", filepath.Base(root))
		return revisions, os.Remove(root)
	}
	w.note("commit %s", filepath.Base(root))
	err = os.Rename(root, root+".commit")
	next, conflict, sure := merge(base, private, w.model)
	w.note("  %v", err)
	switch {
	case err == nil && conflict && sure:
		return 0, errors.New("the transaction was not refused, and conflicts with what others changed")
	case err == nil:
		if !sure {
			if next, err = w.adopt(next); err != nil {
				return 0, err
			}
		}
		next.settle(w.model, mount, nil)
		w.model = next
		return revisions + 1, nil
	case !errors.Is(err, syscall.EBUSY) || sure && !conflict:
		return 0, fmt.Errorf("the transaction was refused: %w", err)
	}
	return revisions, os.Remove(root)
}

// lookInto compares a transaction, which showed was before, and returns what it shows.
func (w *world) lookInto(root string, private *tree, mount int, was []*place) ([]*place, error) {
	now := private.places(mount)
	if _, err := w.barriers[mount].pass(); err != nil {
		return nil, err
	}
	at, err := hold(root)
	if err != nil {
		return nil, err
	}
	defer at.letGo()
	v := view{private, mount, at.root(), func() bool { return w.looks.IntN(20) == 0 }}
	if w.looks.IntN(4) == 0 {
		err = v.whole()
	} else {
		err = v.changed(was, now, []string{""})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", root, err)
	}
	return now, nil
}

// merge is what now becomes by the changes from base to mine. conflict: both
// sides changed a key, or made what cannot stand beside each other. sure: whether that is one is beyond doubt, as it is not
// where two changed a document.
func merge(base, mine, now *tree) (next *tree, conflict, sure bool) {
	next, sure = now.clone(), true
	same := func(a, b *value) bool { return a == nil && b == nil || a != nil && b != nil && a.equal(b) }
	for _, key := range slices.Sorted(maps.Keys(merged(base.keys, mine.keys))) {
		was, here, there := base.keys[key], mine.keys[key], now.keys[key]
		if same(was, here) {
			continue
		}
		if !same(was, there) {
			conflict = true
			if here != nil && here.isDir() || there != nil && there.isDir() || was != nil && was.isDir() || same(here, there) {
				sure = false
			}
		} else if was == nil && shadows(key, base, mine, now) {
			conflict = true
		}
		if here == nil {
			next.del(key)
		} else {
			next.put(key, here)
		}
	}
	return next, conflict, sure
}

// shadows reports whether a key that mine has made is below a value, or a value above keys, that only others have made.
func shadows(key string, base, mine, now *tree) bool {
	for dir, _ := splitPath(key); dir != ""; dir, _ = splitPath(dir) {
		if now.keys[dir] != nil && base.keys[dir] == nil && mine.keys[dir] == nil {
			return true
		}
	}
	below := func(t *tree) (any bool) {
		for other := range t.keys {
			any = any || inside(other, key)
		}
		return any
	}
	return below(now) && !below(base) && !below(mine)
}

func merged(a, b map[string]*value) map[string]*value {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// adopt takes from etcd what two sides have made of documents.
func (w *world) adopt(t *tree) (*tree, error) {
	got, err := w.pair.Etcd.Client.Get(context.Background(), prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	next := newTree()
	next.local = t.local
	for _, kv := range got.Kvs {
		next.put(strings.TrimPrefix(string(kv.Key), prefix), parse(string(kv.Value)))
	}
	return next, nil
}
