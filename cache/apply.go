package cache

import (
	"context"
	"slices"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// waiter is who waits until the tree shows a revision, as of some reading of
// the prefix or a later one.
type waiter struct {
	revision int64
	epoch    int
	shown    chan struct{}
}

// applyWatched applies what the watch says one revision did. A copy of what a
// commit has applied already is ignored.
func (c *Cache) applyWatched(revision int64, changes []mapping.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if revision <= c.applied {
		return
	}
	for _, a := range c.pending {
		a.witness(revision, changes)
	}
	c.applied = revision
	// Servers before 3.4.25 and 3.5.8 may tell of progress ahead of the events.
	c.show(max(revision, c.Tree().Revision()), changes)
}

// applyProgress notes that nothing else happened up to revision.
func (c *Cache) applyProgress(revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if revision > c.Tree().Revision() {
		c.show(revision, nil)
	}
}

// applyOwn applies the change of a commit that etcd gave revision, if the tree
// is at the revision before it, and reports whether the tree now shows it.
func (c *Cache) applyOwn(revision int64, epoch int, a *attempt) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	tree := c.Tree()
	if c.epoch != epoch {
		return false
	}
	if tree.Revision() >= revision {
		return true
	}
	if c.reading || tree.Revision() != revision-1 {
		return false
	}
	changes, ok := a.changes(c, tree, revision)
	if !ok {
		return false
	}
	c.applied = revision
	c.show(revision, changes)
	return true
}

// show replaces the tree; mu is held.
func (c *Cache) show(revision int64, changes []mapping.Change) {
	old := c.Tree()
	shown, keys := old.Apply(revision, c.now(), changes)
	c.replace(old, shown, keys)
}

// replace publishes a tree, tells of it, and wakes who waits for it; mu is held.
// Who was woken first could find the kernel's queue without the change, and
// take a listing that is cached for the newest.
func (c *Cache) replace(old, shown *mapping.Tree, keys []string) {
	c.tree.Store(shown)
	if c.publish != nil {
		c.publish(old, shown, keys)
	}
	revision := shown.Revision()
	c.waiters = slices.DeleteFunc(c.waiters, func(w waiter) bool {
		// Revisions of a cluster that is not there any more will never be shown.
		if w.epoch <= c.epoch && (w.revision <= revision || revision < old.Revision()) {
			close(w.shown)
			return true
		}
		return false
	})
}

// awaitShown waits until the tree shows revision, or ctx ends. The revision may have touched none
// of the watched keys; then only a progress notice tells, which is asked for.
func (c *Cache) awaitShown(ctx context.Context, revision int64) error {
	return c.awaitShownIn(ctx, revision, 0, true)
}

// awaitOwn is awaitShown for a revision that has changed watched keys: the
// watch brings it by itself, and only one that is late is asked about.
func (c *Cache) awaitOwn(ctx context.Context, revision int64) error {
	return c.awaitShownIn(ctx, revision, 0, false)
}

// awaitShownIn is awaitShown for a tree of that reading or a later one. It asks at once, or
// when the watch is late.
func (c *Cache) awaitShownIn(ctx context.Context, revision int64, epoch int, ask bool) error {
	c.mu.Lock()
	if c.epoch >= epoch && c.Tree().Revision() >= revision {
		c.mu.Unlock()
		return nil
	}
	w := waiter{revision: revision, epoch: epoch, shown: make(chan struct{})}
	c.waiters = append(c.waiters, w)
	c.mu.Unlock()
	for {
		if ask {
			c.askProgress(ctx)
		}
		// A server whose watch lags does not answer the request, so it is repeated.
		if err := awaitProgress(ctx, w.shown); err == nil {
			return nil
		}
		ask = true
		if ctx.Err() != nil {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters = slices.DeleteFunc(c.waiters, func(o waiter) bool { return o.shown == w.shown })
	return ctx.Err()
}
