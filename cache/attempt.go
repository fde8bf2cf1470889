package cache

import (
	"bytes"
	"iter"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// attempt is a transaction that was sent, and what became known of it besides
// its answer.
//
// The answer of a transaction is lost when the connection breaks, the leader changes or
// time runs out. Whether it was carried out is then read from the revisions that the watch
// brings: one that puts and deletes just what the plan does, and nothing else, is taken
// for it. Up to a newest revision that is asked for afterwards, the watch has shown every
// revision, so that one that was not seen by then was not carried out.
//
// What this cannot tell apart: a transaction of somebody else that made the same change of
// the same keys to the same bytes at the same time. The stored bytes are then what was
// asked for either way, but of two who both count a number up from 5, both may believe
// that their 6 was stored. And a request that is still on its way inside the cluster, from
// a member that lost its leader, may be carried out after it was looked up: then either
// its compares fail, because the edit was made again meanwhile, or, if that edit was
// refused, the first one counts after all.
type attempt struct {
	plan  mapping.Plan
	epoch int // of the tree that it was planned on

	// Guarded by Cache.mu.
	seen   int64 // the revision that was recognised as this, 0 for none
	base   int64 // the shown revision when it was sent
	reread bool  // the prefix was read again since, so that revisions may have been missed
}

// witness looks whether a revision is this attempt.
func (a *attempt) witness(revision int64, changes []mapping.Change) {
	if a.seen != 0 || len(changes) < len(a.plan.Puts) {
		return
	}
	puts := make(map[string]*mapping.Put, len(a.plan.Puts))
	for i := range a.plan.Puts {
		puts[a.plan.Puts[i].Key] = &a.plan.Puts[i]
	}
	found := 0
	for i := range changes {
		change := &changes[i]
		if change.Deleted {
			if !a.deletes(change.Key) {
				return
			}
			continue
		}
		put, ok := puts[change.Key]
		if !ok || !bytes.Equal(put.Value, change.Value) || put.Lease != change.Lease {
			return
		}
		found++
	}
	if found == len(puts) && len(changes) > 0 {
		a.seen = revision
	}
}

func (a *attempt) deletes(key string) bool {
	for _, deleted := range a.plan.Deletes {
		if deleted == key {
			return true
		}
	}
	for _, r := range a.plan.DeleteRanges {
		if strings.HasPrefix(key, r.Prefix) {
			return true
		}
	}
	return false
}

// holds reports whether a tree that was read anew looks as if the attempt had been carried
// out: all that it puts is there, from one newer revision, and all that it deletes is not.
func (a *attempt) holds(tree *mapping.Tree) bool {
	var revision int64
	for i := range a.plan.Puts {
		put := &a.plan.Puts[i]
		kv, ok := tree.Get(put.Key)
		if !ok || kv.ModRevision <= a.base || !bytes.Equal(kv.Value, put.Value) || revision != 0 && kv.ModRevision != revision {
			return false
		}
		revision = kv.ModRevision
	}
	for _, key := range a.plan.Deletes {
		if _, ok := tree.Get(key); ok {
			return false
		}
	}
	for _, r := range a.plan.DeleteRanges {
		for range inRange(tree, r.Prefix) {
			return false
		}
	}
	return true
}

// changes are what the attempt does to tree, the one of the revision before, as revision. It reports
// false when that cannot be said.
func (a *attempt) changes(c *Cache, tree *mapping.Tree, revision int64) ([]mapping.Change, bool) {
	n := len(a.plan.Puts) + len(a.plan.Deletes)
	for _, r := range a.plan.DeleteRanges {
		n += int(r.Count)
	}
	changes := make([]mapping.Change, 0, n)
	gone := func(key string) {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: key, ModRevision: revision}, Deleted: true})
	}
	for _, r := range a.plan.DeleteRanges {
		if !strings.HasSuffix(r.Prefix, "/") {
			return nil, false
		}
		for kv := range inRange(tree, r.Prefix) {
			gone(kv.Key)
		}
	}
	for _, key := range a.plan.Deletes {
		if _, ok := tree.Get(key); ok && c.mine(key) {
			gone(key)
		}
	}
	for i := range a.plan.Puts {
		put := &a.plan.Puts[i]
		if !c.mine(put.Key) {
			continue
		}
		kv := mapping.KV{Key: put.Key, Value: put.Value, CreateRevision: revision, ModRevision: revision, Version: 1, Lease: put.Lease}
		if old, ok := tree.Get(put.Key); ok {
			kv.CreateRevision, kv.Version = old.CreateRevision, old.Version+1
		}
		changes = append(changes, mapping.Change{KV: kv})
	}
	return changes, true
}

// inRange yields the keys of a tree that start with prefix, which ends in a slash.
func inRange(tree *mapping.Tree, prefix string) iter.Seq[mapping.KV] {
	return tree.Under(strings.TrimSuffix(prefix, "/"))
}
