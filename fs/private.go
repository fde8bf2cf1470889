package fs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

// private is the Store of a transaction: a tree in memory that begins as the
// outer store's, and that nobody else sees. Safe for concurrent use.
type private struct {
	outer Store
	base  *mapping.Tree
	tree  atomic.Pointer[mapping.Tree]
	ended atomic.Pointer[mapping.Error] // why nothing is changed any more
	// published hears of each change, as Mounted.Published does.
	published func(old, now *mapping.Tree, keys []string)

	// mu is held while the tree is changed, and while all is committed. It is
	// taken before all other locks, and held across calls of outer.
	mu      sync.Mutex
	touched map[string]struct{} // keys that may differ from base
}

var _ Store = (*private)(nil)

// newPrivate begins with what outer shows.
func newPrivate(outer Store) *private {
	p := &private{outer: outer, base: outer.Tree(), touched: map[string]struct{}{}}
	p.tree.Store(p.base)
	return p
}

// Tree implements Store.
func (p *private) Tree() *mapping.Tree { return p.tree.Load() }

// Commit implements Store: the change is made in memory. It is refused, as
// Stale, once the transaction has ended.
func (p *private) Commit(_ context.Context, edit mapping.Edit) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.Writable(); err != nil {
		return err
	}
	old := p.tree.Load()
	plan, err := edit(old)
	if err != nil || plan.Empty() {
		return err
	}
	now, keys := old.With(&plan, time.Now())
	for _, key := range keys {
		p.touched[key] = struct{}{}
	}
	p.tree.Store(now)
	p.published(old, now, keys)
	return nil
}

// Barrier implements Store: nobody else changes this tree.
func (p *private) Barrier(context.Context) (int64, error) { return p.Tree().Revision(), nil }

// At implements Store: a transaction has no past.
func (p *private) At(_ context.Context, revision int64) (*mapping.Tree, error) {
	return nil, mapping.Errorf(mapping.NotFound, "", "there is no revision %d in a transaction", revision)
}

// Writable implements Store. It does not matter whether the outer store can be reached.
func (p *private) Writable() error {
	if err := p.ended.Load(); err != nil {
		return err
	}
	return nil
}

// Usage implements Store.
func (p *private) Usage() (size, quota int64) { return p.outer.Usage() }

// commitAll makes all that was changed one change of the outer store. If that
// succeeds the transaction has ended; if not, it goes on as it was. With reload, the change
// counts up the services whose configuration was changed.
func (p *private) commitAll(ctx context.Context, reload bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.Writable(); err != nil {
		return err
	}
	keys := slices.Collect(maps.Keys(p.touched))
	edit := mapping.Merge(p.base, p.Tree(), keys)
	if reload {
		edit = service.Reloading(edit, p.base, p.Tree())
	}
	err := p.outer.Commit(ctx, edit)
	var conflicts mapping.Conflicts
	if errors.As(err, &conflicts) {
		// The tree that is shown may be an older one, in which others have not taken back yet what conflicts.
		if _, late := p.outer.Barrier(ctx); late == nil {
			err = p.outer.Commit(ctx, edit)
		}
	}
	if err != nil {
		return err
	}
	p.end("was committed")
	return nil
}

// end refuses all changes from now on. how is what became of the transaction.
func (p *private) end(how string) {
	p.ended.CompareAndSwap(nil, mapping.Errorf(mapping.Stale, "", "the transaction %s: what is changed in its directory goes nowhere", how))
}
