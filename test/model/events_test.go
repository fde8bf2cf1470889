package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// maxPast is how many trees of the past are remembered.
const maxPast = 8

func (w *world) remember() {
	if len(w.past) >= maxPast {
		delete(w.past, pick(w.chooser, slices.Sorted(maps.Keys(w.past))...))
	}
	t := w.model.clone()
	t.local = newTree().local
	w.past[w.revision] = t
}

// lookBack compares a tree of the past.
func (w *world) lookBack(mount int) error {
	revisions := slices.Sorted(maps.Keys(w.past))
	if len(revisions) == 0 {
		return nil
	}
	revision := pick(w.chooser, revisions...)
	w.note("mount%d looks back to revision %d", mount, revision)
	root := filepath.Join(w.pair.Dirs[mount], ".ovscfgfs", "history", strconv.FormatInt(revision, 10))
	at, err := hold(root)
	if err != nil {
		return err
	}
	defer at.letGo()
	v := view{w.past[revision], mount, at.root(), func() bool { return w.looks.IntN(20) == 0 }}
	if err := v.whole(); err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	return nil
}

// compact has etcd forget the past. A mount that had a revision in use may
// still have it.
func (w *world) compact() error {
	w.note("etcd is compacted")
	if _, err := w.pair.Etcd.Client.Compact(context.Background(), w.revision); err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return err
	}
	// All at once: which revision is the oldest etcd says only a moment later.
	var looks int
	errs := make(chan error)
	for _, revision := range slices.Sorted(maps.Keys(w.past)) {
		if revision >= w.revision {
			continue
		}
		delete(w.past, revision)
		for i, dir := range w.pair.Dirs {
			looks++
			go func() {
				_, err := os.ReadDir(filepath.Join(dir, ".ovscfgfs", "history", strconv.FormatInt(revision, 10)))
				if err == nil || errors.Is(err, syscall.ENOENT) {
					errs <- nil
				} else {
					errs <- fmt.Errorf("mount %d, revision %d, which is compacted: %w", i, revision, err)
				}
			}()
		}
	}
	var all []error
	for range looks {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// outage has the far mount lose etcd while others change keys; now and then what it
// has missed is compacted too.
func (w *world) outage() (revisions int, err error) {
	w.note("mount%d loses etcd", far)
	w.proxy.Cut()
	defer w.proxy.Heal()
	for range 1 + w.IntN(4) {
		if _, err := w.client(); err != nil {
			return 0, err
		}
		revisions++
	}
	if w.IntN(2) == 0 {
		w.note("etcd is compacted")
		now, err := w.pair.Etcd.Revision()
		if err != nil {
			return 0, err
		}
		if _, err := w.pair.Etcd.Client.Compact(context.Background(), now); err != nil {
			return 0, err
		}
		clear(w.past)
	}
	return revisions, nil
}
