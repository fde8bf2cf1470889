package fs

import "sync"

// claim is a name whose change is being made by a request of this mount.
type claim struct {
	dir  *inode
	name string
}

// claim keeps the worker from acting on name in dir until release is called:
// a request that adds, removes or renames it holds the claim from before its
// commit until the table shows the result.
func (tb *table) claim(dir *inode, name string) (release func()) {
	key := claim{dir, name}
	tb.mu.Lock()
	tb.claims[key]++
	tb.mu.Unlock()
	var once sync.Once
	return func() {
		once.Do(func() {
			tb.mu.Lock()
			defer tb.mu.Unlock()
			if tb.claims[key]--; tb.claims[key] == 0 {
				delete(tb.claims, key)
			}
			if tb.unclaimed != nil {
				close(tb.unclaimed)
				tb.unclaimed = nil
			}
		})
	}
}

// unclaimedLocked returns a channel that is closed when a claim is released. A request that holds
// no claim may wait for it: who holds one waits only for etcd.
func (tb *table) unclaimedLocked() <-chan struct{} {
	if tb.unclaimed == nil {
		tb.unclaimed = make(chan struct{})
	}
	return tb.unclaimed
}

// underway returns a channel to wait for if a name is claimed of i or of what it is in:
// the tree may show the result already and the table not yet. nil if none is.
func (tb *table) underway(i *inode) <-chan struct{} {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if !tb.claimedAboveLocked(i) {
		return nil
	}
	return tb.unclaimedLocked()
}

// referSettled is refer, but leaves an inode of another kind where it is while its name is claimed: it
// may be about to be moved. It returns a channel to wait for then.
func (tb *table) referSettled(parent *inode, name string, k kind, of shape, l local) (*inode, <-chan struct{}) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if i := parent.dir.children.get(name); i != nil && tb.claims[claim{parent, name}] > 0 && !tb.suitsLocked(i, k, of, l) {
		return nil, tb.unclaimedLocked()
	}
	return tb.referLocked(parent, name, k, of, l), nil
}

func (tb *table) claimed(dir *inode, name string) bool {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return len(tb.claims) > 0 && tb.claims[claim{dir, name}] > 0
}

// claimedAbove reports whether the name of i is claimed, or that of what it is in.
func (tb *table) claimedAbove(i *inode) bool {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return tb.claimedAboveLocked(i)
}

// claimedAboveLocked is claimedAbove for those who hold table.mu.
func (tb *table) claimedAboveLocked(i *inode) bool {
	if len(tb.claims) == 0 {
		return false
	}
	for ; i.parent != nil; i = i.parent {
		if tb.claims[claim{i.parent, i.name}] > 0 {
			return true
		}
	}
	return false
}

// claimedWithin reports whether a name anywhere below i is claimed.
func (tb *table) claimedWithin(i *inode) bool {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	for c := range tb.claims {
		for at := c.dir; at != nil; at = at.parent {
			if at == i {
				return true
			}
		}
	}
	return false
}
