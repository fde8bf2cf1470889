package mapping

import "errors"

// ErrLocalDirectory is the cause in the error of a Mkdir where keys are: etcd
// has no directories, so the mount keeps an empty one for itself until a key is in it.
var ErrLocalDirectory = errors.New("an empty directory of keys is not stored")

// Remove plans the leaf at path to be gone, or the empty document directory. Of an array only
// the last element can go.
//
// Errors: NotFound, IsDirectory, Busy, NotPermitted (the root).
func Remove(path string) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := placeToRemove(t, path)
		if err != nil {
			return Plan{}, err
		}
		if p.isDir() && p.node.Len() > 0 {
			return Plan{}, Errorf(IsDirectory, path, "is a directory")
		}
		return removal(t, &p)
	}
}

// RemoveDir plans the directory at path, which must be empty, to be gone.
//
// Errors: NotFound, NotDirectory, NotEmpty, Busy, NotPermitted (the root).
func RemoveDir(path string) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := placeToRemove(t, path)
		if err != nil {
			return Plan{}, err
		}
		if !p.isDir() {
			return Plan{}, Errorf(NotDirectory, path, "is a file")
		}
		if p.node.Len() > 0 {
			return Plan{}, Errorf(NotEmpty, path, "is not empty: remove what is in it first (rm -r removes all)")
		}
		return removal(t, &p)
	}
}

func placeToRemove(t *Tree, path string) (place, error) {
	node, ok := t.Lookup(path)
	if !ok {
		return place{}, Errorf(NotFound, path, "there is no such file or directory")
	}
	if path == "" {
		return place{}, Errorf(NotPermitted, path, "the root of the mount cannot be removed")
	}
	return existingPlace(path, node), nil
}

func removal(t *Tree, p *place) (Plan, error) {
	d := newDraft(t)
	if err := d.remove(p); err != nil {
		return Plan{}, err
	}
	return d.finish(), nil
}

// remove takes out one leaf, or one document or container whole.
func (d *draft) remove(p *place) error {
	if !p.field {
		d.delete(p.key)
		return nil
	}
	doc := d.value(p.key)
	if p.element {
		container, n := p.spot.parent()
		open, _, _ := locate(doc, container)
		if _, more := memberAt(doc, open, n+1); more {
			return Errorf(Busy, p.path, "is not the last element of its array; remove from the end, or edit the array as a whole in its .json or .lines view")
		}
	}
	d.put(p.key, removeMember(doc, p.spot))
	return nil
}

// Mkdir plans an empty object at path, inside a document or where a document is
// known to belong. Elsewhere next to keys it plans nothing and answers
// NotSupported with the cause ErrLocalDirectory.
//
// Errors: Exists, NotFound, NotDirectory, Invalid, NameTooLong, NotSupported.
func Mkdir(path string) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := placeOf(t, path)
		if err != nil {
			return Plan{}, err
		}
		if p.exists() {
			return Plan{}, Errorf(Exists, path, "is there already")
		}
		to := t.knownType(path)
		if !p.field && (to != Object && to != Array || t.rawKey(p.key)) {
			return Plan{}, Errorf(NotSupported, path, "%w", ErrLocalDirectory)
		}
		d := newDraft(t)
		if err := d.add(&p, emptyOf(to), nil, 0); err != nil {
			return Plan{}, err
		}
		return d.finish(), nil
	}
}
