package drafts

import (
	"maps"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// overlay is what is put into a tree, by key. It never changes.
type overlay map[string]entry

// entry is the value of one key on this node.
type entry struct {
	value []byte
	// base is what etcd has, which a held change was made of. A draft has none.
	base mapping.KV
	held bool
	// touched is when a held change was last changed itself.
	touched time.Time
}

// kv is the entry as a tree has it. A draft is at revision 0, so that a guard of
// it says that the key is absent.
func (e *entry) kv(key string) mapping.KV {
	kv := e.base
	kv.Key, kv.Value = key, e.value
	return kv
}

// on puts the overlay into a tree.
func (o overlay) on(t *mapping.Tree) *mapping.Tree {
	if len(o) == 0 {
		return t
	}
	changes := make([]mapping.Change, 0, len(o))
	for key, e := range o {
		changes = append(changes, mapping.Change{KV: e.kv(key)})
	}
	shown, _ := t.Apply(t.Revision(), time.Now(), changes)
	return shown
}

// with returns an overlay that differs in some keys; a nil entry is none.
func (o overlay) with(changes map[string]*entry) overlay {
	changed := maps.Clone(o)
	if changed == nil {
		changed = overlay{}
	}
	for key, e := range changes {
		if e == nil {
			delete(changed, key)
		} else {
			changed[key] = *e
		}
	}
	return changed
}
