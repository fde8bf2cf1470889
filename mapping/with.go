package mapping

import (
	"strings"
	"time"
)

// With returns the tree that a plan makes of the one it was planned on, and the
// keys whose value came, went or changed, as Apply does. The new tree's
// revision is the next one: what etcd makes of the plan if nobody else
// writes meanwhile. seen is the time of what is new. Guards are not looked at:
// they hold on the tree that they were taken from. Keys outside the prefix
// are passed over.
func (t *Tree) With(p *Plan, seen time.Time) (*Tree, []string) {
	revision := t.revision + 1
	changes := make([]Change, 0, len(p.Puts)+len(p.Deletes))
	gone := func(key string) {
		changes = append(changes, Change{KV: KV{Key: key, ModRevision: revision}, Deleted: true})
	}
	for _, r := range p.DeleteRanges {
		for kv := range t.Under(strings.TrimSuffix(r.Prefix, "/")) {
			gone(kv.Key)
		}
	}
	for _, key := range p.Deletes {
		gone(key)
	}
	for _, put := range p.Puts {
		kv := KV{Key: put.Key, Value: put.Value, CreateRevision: revision, ModRevision: revision, Version: 1, Lease: put.Lease}
		if old, ok := t.Get(put.Key); ok {
			kv.CreateRevision, kv.Version = old.CreateRevision, old.Version+1
		}
		changes = append(changes, Change{KV: kv})
	}
	return t.Apply(revision, seen, changes)
}
