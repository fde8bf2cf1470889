package mapping

import "bytes"

// Value is what a key is to hold.
type Value struct {
	Key string
	// Bytes are what is stored, or, with Meaning, JSON text: a value that means the same already keeps its
	// bytes, and a document those of the fields that do.
	Bytes   []byte
	Meaning bool
}

// PutKeys plans whole keys to hold what is given. Keys that do already are left alone, and each
// keeps its lease. With prune all other keys under the prefix are deleted.
//
// Errors: Invalid for a value with Meaning that its key, which is raw, cannot hold.
func PutKeys(values []Value, prune bool) Edit {
	return func(t *Tree) (Plan, error) {
		d := newDraft(t)
		for _, v := range values {
			if err := d.putValue(v); err != nil {
				return Plan{}, err
			}
		}
		if prune {
			for v := range t.top.dir.values() {
				if _, kept := d.keys[v.kv().Key]; !kept {
					d.delete(v.kv().Key)
				}
			}
			if t.top.value != nil {
				if _, kept := d.keys[t.look.prefix]; !kept {
					d.delete(t.look.prefix)
				}
			}
		}
		return d.finish(), nil
	}
}

func (d *draft) putValue(v Value) error {
	if !v.Meaning {
		d.put(v.Key, v.Bytes)
		return nil
	}
	want := parseJSON(v.Bytes)
	if d.tree.rawKey(v.Key) {
		path, _ := d.tree.PathOf(v.Key)
		if want.is != String {
			return rawWantsString(path)
		}
		d.put(v.Key, []byte(want.decoded()))
		return nil
	}
	now := d.look(v.Key)
	switch is := kindOf(now.value); {
	case !now.has || is == kindRaw:
		d.put(v.Key, v.Bytes)
	case is.container() && want.isContainer():
		d.put(v.Key, reconciled(now.value, nil, want))
	case is.container() != want.isContainer() || !parseJSON(bytes.TrimSpace(now.value)).equal(want):
		d.put(v.Key, v.Bytes)
	}
	return nil
}
