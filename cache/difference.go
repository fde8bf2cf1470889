package cache

import (
	"bytes"
	"iter"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// difference collects what a reading of the prefix, which comes in key order,
// changes in a tree.
type difference struct {
	changes []mapping.Change
	next    func() (mapping.KV, bool)
	stop    func()     // to be called when the difference is not needed any more
	old     mapping.KV // the next key of the tree that the reading has not passed
	has     bool
}

// newDifference compares with keys that come in order.
func newDifference(keys iter.Seq[mapping.KV]) *difference {
	d := &difference{}
	d.next, d.stop = iter.Pull(keys)
	d.old, d.has = d.next()
	return d
}

// keys yields all keys of a tree in key order.
func (c *Cache) keys(tree *mapping.Tree) iter.Seq[mapping.KV] {
	return func(yield func(mapping.KV) bool) {
		if kv, ok := tree.Get(c.prefix); ok && !yield(kv) {
			return
		}
		for kv := range tree.Under(c.prefix) {
			if !yield(kv) {
				return
			}
		}
	}
}

// add compares the tree with the next key of the reading.
func (d *difference) add(read *mapping.Change) {
	for d.has && d.old.Key < read.Key {
		d.gone()
	}
	if !d.has || d.old.Key != read.Key {
		d.changes = append(d.changes, *read)
		return
	}
	// Of another cluster a key may hold another value at the same revision.
	if !same(&d.old, &read.KV) {
		d.changes = append(d.changes, *read)
	}
	d.old, d.has = d.next()
}

func (d *difference) gone() {
	d.changes = append(d.changes, mapping.Change{KV: mapping.KV{Key: d.old.Key}, Deleted: true})
	d.old, d.has = d.next()
}

// close ends the comparison: keys of the tree that the reading did not have are gone, as of revision.
func (d *difference) close(revision int64) []mapping.Change {
	for d.has {
		d.gone()
	}
	for i := range d.changes {
		if d.changes[i].Deleted {
			d.changes[i].ModRevision = revision
		}
	}
	return d.changes
}

func same(a, b *mapping.KV) bool {
	return a.ModRevision == b.ModRevision && a.CreateRevision == b.CreateRevision && a.Version == b.Version &&
		a.Lease == b.Lease && bytes.Equal(a.Value, b.Value)
}
