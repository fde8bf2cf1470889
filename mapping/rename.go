package mapping

import (
	"bytes"
)

// RenameFlags are those of renameat2(2).
type RenameFlags uint8

const (
	// NoReplace refuses, as Exists, a target that is there.
	NoReplace RenameFlags = 1 << iota
	// Exchange swaps two entries, which must both be there.
	Exchange
)

// Rename plans the entry at from, whatever it is, to be at to, as one change.
//
// A field that only changes its name keeps its position; a leaf that replaces
// another takes that one's place, and its type where the content fits it. A
// key keeps its lease. A leaf may go between a document and keys, a directory
// may not. Every key at the source must still be what it is in the tree, and
// nothing at the target but what is replaced.
//
// Errors: NotFound, Exists, IsDirectory, NotDirectory, NotEmpty, CrossDevice,
// Busy (the middle of an array), Invalid (into itself, or the name), NotPermitted (the root).
func Rename(from, to string, flags RenameFlags) Edit {
	return func(t *Tree) (Plan, error) {
		src, err := placeToRemove(t, from)
		if err != nil {
			return Plan{}, err
		}
		dst, err := placeOf(t, to)
		if err != nil {
			return Plan{}, err
		}
		if flags&Exchange != 0 {
			return exchange(t, &src, &dst)
		}
		if done, err := checkRename(&src, &dst, flags); done || err != nil {
			return Plan{}, err
		}
		d := newDraft(t)
		d.plan.Move = true
		switch {
		case src.field && dst.field:
			err = d.moveField(&src, &dst)
		case !src.isDir():
			err = d.moveLeaf(&src, &dst)
		case src.field || dst.field:
			err = crossing(&src, &dst)
		default:
			d.moveKeys(&src, &dst)
		}
		if err != nil {
			return Plan{}, err
		}
		return d.finish(), nil
	}
}

func crossing(src, dst *place) error {
	return Errorf(CrossDevice, src.path, "a directory cannot move between keys and a document (to %s); copy it, or convert it with setfattr -n user.type", dst.path)
}

// checkRename holds the rules of rename(2). done means that there is nothing to do.
func checkRename(src, dst *place, flags RenameFlags) (done bool, err error) {
	switch {
	case isInside(dst.path, src.path):
		return false, Errorf(Invalid, src.path, "a directory cannot move into itself")
	case dst.path == "":
		return false, Errorf(NotPermitted, dst.path, "the root of the mount cannot be replaced")
	case dst.exists() && flags&NoReplace != 0:
		return false, Errorf(Exists, dst.path, "is there already")
	case src.path == dst.path:
		return true, nil
	case src.isDir() && dst.isOwnValue():
		return false, Errorf(Invalid, dst.path, "is where a key's own value is shown, and a directory is none")
	case !dst.exists():
		return false, nil
	case src.isDir() && !dst.isDir():
		return false, Errorf(NotDirectory, dst.path, "is a file, and a directory cannot replace it")
	case !src.isDir() && dst.isDir():
		return false, Errorf(IsDirectory, dst.path, "is a directory, and a file cannot replace it")
	case dst.isDir() && dst.node.Len() > 0:
		return false, Errorf(NotEmpty, dst.path, "is not empty, and is not replaced by a directory: move it away or remove it first")
	}
	return false, nil
}

// moveField moves a field, of any type, to a place in the same or another document.
func (d *draft) moveField(src, dst *place) error {
	sameContainer := false
	if src.key == dst.key && !dst.exists() {
		container, _ := src.spot.parent()
		sameContainer = len(container) == len(dst.spot) && container.within(dst.spot)
	}
	switch {
	case sameContainer && dst.element:
		return Errorf(Busy, src.path, "is an element of the array, and an element cannot move to a new position; edit the array as a whole in its .json view")
	case sameContainer:
		name, _ := quote([]byte(dst.name))
		d.put(src.key, setName(d.value(src.key), src.spot, name))
		return nil
	}
	text := src.node.Stored()
	if !src.isDir() && dst.exists() {
		text = d.tree.fitted(src, dst)
	}
	if err := d.place(dst, text, 0); err != nil {
		return err
	}
	// Nothing before the source has been added or taken, so its spot still holds.
	return d.remove(src)
}

// place puts JSON text, or any bytes where keys are, at a place that may exist or not.
func (d *draft) place(dst *place, text []byte, lease int64) error {
	switch {
	case !dst.exists():
		return d.add(dst, text, nil, lease)
	case dst.field:
		return d.setText(dst, text)
	}
	d.move(dst.key, text, lease)
	return nil
}

// moveLeaf moves a leaf that is a key, or becomes one.
func (d *draft) moveLeaf(src, dst *place) error {
	text, err := d.tree.carried(src, dst)
	if err != nil {
		return err
	}
	var lease int64
	if !src.field {
		lease = d.look(src.key).lease
	}
	if err := d.place(dst, text, lease); err != nil {
		return err
	}
	return d.remove(src)
}

// carried is what a leaf is stored as elsewhere, so that it reads the same there.
func (t *Tree) carried(src, dst *place) ([]byte, error) {
	if dst.exists() {
		return t.fitted(src, dst), t.checkCarried(src, dst)
	}
	is := src.node.Type()
	switch {
	case dst.field && is == Raw:
		return t.encode(dst.path, src.node.Content(), String)
	case dst.field:
		return bytes.TrimSpace(src.node.Stored()), nil
	case is != Raw && t.rawKey(dst.key):
		return src.node.Content(), nil
	}
	return src.node.Stored(), nil
}

// checkCarried refuses bytes that no field can hold.
func (t *Tree) checkCarried(src, dst *place) error {
	if dst.field && src.node.Type() == Raw {
		_, err := t.encode(dst.path, src.node.Content(), String)
		return err
	}
	return nil
}

// fitted is what the leaf at src is stored as when it replaces the one at dst: of
// the type that is there if the content fits it, else of its own.
func (t *Tree) fitted(src, dst *place) []byte {
	is, to := src.node.Type(), dst.node.Type()
	content := src.node.Content()
	own := src.node.Stored()
	switch {
	case is == to && (is != Raw || dst.field || !t.rawKey(dst.key)):
		if dst.field {
			return bytes.TrimSpace(own)
		}
		return own
	case to == Raw && t.rawKey(dst.key):
		if is == Raw {
			return own
		}
		if dst.node.Newline() {
			return chomp(content)
		}
		return content
	case to == Null || to == Raw:
		// Neither is worth keeping: a null takes anything, and bytes that are no JSON say nothing of the next.
	default:
		if text, err := t.encode(dst.path, content, to); err == nil {
			return text
		}
	}
	if dst.field && is == Raw {
		text, _ := t.encode(dst.path, content, String)
		return text
	}
	if dst.field {
		return bytes.TrimSpace(own)
	}
	return own
}

// moveKeys moves a key with all keys below it, any number, to where nothing is
// or an empty document.
func (d *draft) moveKeys(src, dst *place) {
	if kv, ok := d.tree.Get(src.key); ok {
		d.move(dst.key, kv.Value, kv.Lease)
		d.delete(src.key)
	} else {
		d.delete(dst.key)
	}
	d.guardAbove(dst.key)
	if dst.key != "" {
		d.plan.Absent = append(d.plan.Absent, dst.key+"/")
	}
	count := d.tree.countUnder(src.key)
	d.plan.Puts = make([]Put, 0, count)
	for kv := range d.tree.Under(src.key) {
		d.plan.Puts = append(d.plan.Puts, Put{Key: dst.key + kv.Key[len(src.key):], Value: kv.Value, Lease: kv.Lease})
		if count <= exactGuards {
			d.plan.Guards = append(d.plan.Guards, Guard{Key: kv.Key, ModRevision: kv.ModRevision})
		}
	}
	d.deleteRange(src.key, count)
}
