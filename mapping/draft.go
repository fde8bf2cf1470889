package mapping

import (
	"bytes"
	"slices"
)

// draft collects what an edit does to single keys, on top of a tree, and makes
// the plan of it. Every key that was looked at is guarded: the plan holds only
// as long as they all are what they were.
type draft struct {
	tree *Tree
	keys map[string]*draftKey
	// order of the first look, so that a plan is the same each time.
	order []string
	plan  Plan
}

type draftKey struct {
	was   KV
	had   bool
	value []byte
	has   bool
	lease int64
}

func newDraft(t *Tree) *draft { return &draft{tree: t, keys: map[string]*draftKey{}} }

// look returns the key as the draft has it so far.
func (d *draft) look(key string) *draftKey {
	k := d.keys[key]
	if k == nil {
		k = new(draftKey)
		k.was, k.had = d.tree.Get(key)
		k.value, k.has, k.lease = k.was.Value, k.had, k.was.Lease
		d.keys[key] = k
		d.order = append(d.order, key)
	}
	return k
}

func (d *draft) value(key string) []byte { return d.look(key).value }

// put sets the whole value of a key, which keeps its lease.
func (d *draft) put(key string, value []byte) {
	k := d.look(key)
	k.value, k.has = value, true
}

// move sets the whole value of a key together with the lease of the key it came from.
func (d *draft) move(key string, value []byte, lease int64) {
	d.put(key, value)
	d.look(key).lease = lease
}

func (d *draft) delete(key string) {
	k := d.look(key)
	k.value, k.has, k.lease = nil, false, 0
}

// finish makes the plan. It is empty when all keys ended as they began.
func (d *draft) finish() Plan {
	p := d.plan
	for _, key := range d.order {
		k := d.keys[key]
		switch {
		case k.has && (!k.had || !bytes.Equal(k.value, k.was.Value) || k.lease != k.was.Lease):
			p.Puts = append(p.Puts, Put{Key: key, Value: k.value, Lease: k.lease})
		case !k.has && k.had && !d.inDeletedRange(key):
			p.Deletes = append(p.Deletes, key)
		}
	}
	if p.Empty() {
		return Plan{}
	}
	for _, key := range d.order {
		k := d.keys[key]
		g := Guard{Key: key}
		if k.had {
			g.ModRevision = k.was.ModRevision
		}
		p.Guards = append(p.Guards, g)
	}
	return p
}

func (d *draft) inDeletedRange(key string) bool {
	return slices.ContainsFunc(d.plan.DeleteRanges, func(r Range) bool {
		return len(key) >= len(r.Prefix) && key[:len(r.Prefix)] == r.Prefix
	})
}

// exactGuards is the number of keys up to which a directory is guarded key by
// key: etcd's default limit of operations in a transaction (--max-txn-ops).
// Beyond it, the count and the newest revision of the range stand for them.
const exactGuards = 128

// deleteUnder removes all keys below a directory's key, which must still be
// exactly those of the tree.
func (d *draft) deleteUnder(key string) {
	count := d.tree.countUnder(key)
	d.deleteRange(key, count)
	if count <= exactGuards {
		for kv := range d.tree.Under(key) {
			d.delete(kv.Key)
		}
	}
}

// deleteRange removes the count keys below a directory's key, each of which is guarded elsewhere
// if they are few.
func (d *draft) deleteRange(key string, count int) {
	if count > 0 {
		d.plan.DeleteRanges = append(d.plan.DeleteRanges, Range{Prefix: key + "/", Count: int64(count), MaxModRevision: d.tree.Revision()})
	}
}
