package mapping

import "bytes"

// exchange swaps two entries. Each field keeps its name and position and gets
// the other's value.
func exchange(t *Tree, a, b *place) (Plan, error) {
	switch {
	case !b.exists():
		return Plan{}, b.mustExist()
	case b.path == "":
		return Plan{}, Errorf(NotPermitted, b.path, "the root of the mount cannot be exchanged")
	case a.path == b.path:
		return Plan{}, nil
	case isInside(a.path, b.path) || isInside(b.path, a.path):
		return Plan{}, Errorf(Invalid, a.path, "a directory cannot be exchanged with what is in it")
	case a.isOwnValue() && b.isDir() || b.isOwnValue() && a.isDir():
		return Plan{}, Errorf(Invalid, a.path, "a key's own value and a directory cannot be exchanged")
	case a.field != b.field && (a.isDir() || b.isDir()):
		return Plan{}, crossing(a, b)
	}
	d := newDraft(t)
	d.plan.Move = true
	if a.isDir() && !a.field || b.isDir() && !b.field {
		d.exchangeKeys(a, b)
		return d.finish(), nil
	}
	forB, err := t.swapped(a, b)
	if err != nil {
		return Plan{}, err
	}
	forA, err := t.swapped(b, a)
	if err != nil {
		return Plan{}, err
	}
	// Both look before either changes; the leases cross with the values.
	var leaseA, leaseB int64
	if !a.field && !b.field {
		leaseA, leaseB = d.look(a.key).lease, d.look(b.key).lease
	}
	if err := d.swapIn(a, forA, leaseB); err != nil {
		return Plan{}, err
	}
	if err := d.swapIn(b, forB, leaseA); err != nil {
		return Plan{}, err
	}
	return d.finish(), nil
}

func (d *draft) swapIn(p *place, text []byte, lease int64) error {
	if p.field {
		return d.setText(p, text)
	}
	d.move(p.key, text, lease)
	return nil
}

// swapped is what the leaf or field at from is stored as in the place of at.
func (t *Tree) swapped(from, at *place) ([]byte, error) {
	is := from.node.Type()
	switch {
	case at.field && is == Raw:
		return t.encode(at.path, from.node.Content(), String)
	case at.field:
		return bytes.TrimSpace(from.node.Stored()), nil
	case is != Raw && t.rawKey(at.key):
		return from.node.Content(), nil
	}
	return from.node.Stored(), nil
}

// exchangeKeys swaps all keys at and below two keys, of which neither is below the other.
func (d *draft) exchangeKeys(a, b *place) {
	fromA, fromB := d.keysOf(a), d.keysOf(b)
	for _, kv := range fromA {
		d.delete(kv.Key)
	}
	for _, kv := range fromB {
		d.delete(kv.Key)
	}
	for _, kv := range fromA {
		d.move(b.key+kv.Key[len(a.key):], kv.Value, kv.Lease)
	}
	for _, kv := range fromB {
		d.move(a.key+kv.Key[len(b.key):], kv.Value, kv.Lease)
	}
}

// keysOf are the keys of an entry: its own and, of a directory, those below it.
func (d *draft) keysOf(p *place) []KV {
	var all []KV
	if kv, ok := d.tree.Get(p.key); ok {
		all = append(all, kv)
	}
	if p.isDir() {
		for kv := range d.tree.Under(p.key) {
			all = append(all, kv)
		}
	}
	return all
}
