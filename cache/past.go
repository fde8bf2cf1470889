package cache

import (
	"context"
	"errors"
	"sync"
	"time"
	"weak"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// past finds the trees of older revisions that someone still holds. It holds none itself.
type past struct {
	mu    sync.Mutex
	epoch int // the reading that the trees belong to
	trees map[int64]weak.Pointer[mapping.Tree]
}

func (p *past) get(epoch int, revision int64) *mapping.Tree {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch != epoch {
		return nil
	}
	return p.trees[revision].Value()
}

// after returns the tree of the next revision after one that is older than that of tree, or tree.
func (p *past) after(epoch int, revision int64, tree *mapping.Tree) *mapping.Tree {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch != epoch {
		return tree
	}
	for other, kept := range p.trees {
		if other > revision && other < tree.Revision() {
			if near := kept.Value(); near != nil {
				tree = near
			}
		}
	}
	return tree
}

func (p *past) put(epoch int, tree *mapping.Tree) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trees == nil || p.epoch != epoch {
		p.epoch, p.trees = epoch, make(map[int64]weak.Pointer[mapping.Tree])
	}
	for revision, kept := range p.trees {
		if kept.Value() == nil {
			delete(p.trees, revision)
		}
	}
	p.trees[tree.Revision()] = weak.Make(tree)
}

// At returns the tree as of a revision. It shares with the shown tree all that
// has not changed since, with the next later one that somebody holds what has not changed
// up to that, and with other callers everything, as long as one of them holds it. What is not shared has no time of being seen.
//
// Errors are *mapping.Error: NotFound for a revision that etcd has compacted
// (with the oldest that it still has) or has not reached; Denied; TimedOut
// when etcd does not answer until ctx ends (15 s if it has no deadline);
// Canceled.
func (c *Cache) At(ctx context.Context, revision int64) (*mapping.Tree, error) {
	if revision < 1 {
		return nil, mapping.Errorf(mapping.NotFound, "", "there is no revision %d: the first one of a store is 1", revision)
	}
	_, epoch := c.shownIn()
	if tree := c.past.get(epoch, revision); tree != nil {
		return tree, nil
	}
	base := c.Tree()
	if base.Revision() == revision {
		return base, nil
	}
	// What was changed between two revisions of the past is not read for the older one, too.
	base = c.past.after(epoch, revision, base)
	ctx, done := c.bounded(ctx)
	defer done()
	var tree *mapping.Tree
	err := c.patiently(ctx, func() (err error) {
		r := rewind{c: c, revision: revision}
		tree, err = r.from(ctx, base)
		return err
	})
	if err != nil {
		return nil, c.notThen(ctx, revision, err)
	}
	c.past.put(epoch, tree)
	return tree, nil
}

// patiently repeats a reading of the past that failed for a passing reason until ctx ends.
func (c *Cache) patiently(ctx context.Context, read func() error) error {
	var last error
	for {
		err := read()
		if err == nil || !passing(err) && ctx.Err() == nil {
			return err
		}
		// The error of an ended context says less than the one before it.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if canceled(ctx.Err()) {
				return ctx.Err()
			}
			return last
		case <-time.After(retryPause):
		}
	}
}

// notThen is the error of a reading of the past, in words.
func (c *Cache) notThen(ctx context.Context, revision int64, err error) error {
	known := rpctypes.Error(err)
	switch {
	case errors.Is(known, rpctypes.ErrFutureRev):
		return mapping.Errorf(mapping.NotFound, "", "there is no revision %d yet: etcd is at %d", revision, c.Tree().Revision())
	case errors.Is(known, rpctypes.ErrCompacted):
		oldest, oerr := c.oldest(ctx)
		if oerr != nil {
			return mapping.Errorf(mapping.NotFound, "", "revision %d is gone: etcd was compacted since, and keeps only newer ones", revision)
		}
		return mapping.Errorf(mapping.NotFound, "", "revision %d is gone: etcd was compacted since, and the oldest one that it keeps is %d", revision, oldest)
	case canceled(err):
		return refuse(mapping.Canceled, err, "given up: the caller does not wait any more")
	case passing(err):
		return refuse(mapping.TimedOut, err, "etcd at %s does not answer (%s), and revision %d is not in memory: try again when it is back", c.addresses(), plain(err), revision)
	}
	return c.refusal(err, nil)
}

// oldest returns the revision up to which etcd was compacted, which is the oldest that can be
// read. Only a watch from before it is told which one that is.
func (c *Cache) oldest(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	watcher := clientv3.NewWatcher(c.client)
	defer watcher.Close()
	response, ok := <-watcher.Watch(ctx, c.start, clientv3.WithRev(1))
	switch {
	case !ok:
		return 0, ctx.Err()
	case response.CompactRevision != 0:
		return response.CompactRevision, nil
	}
	if err := response.Err(); err != nil {
		return 0, err
	}
	return 1, nil
}
