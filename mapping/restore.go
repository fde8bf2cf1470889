package mapping

import "bytes"

// Restore plans the entry at a shown path to be what it was in an older tree,
// whatever it is: a leaf, a field, a document, or a directory of keys, the root
// included. What was not there is removed. Only what differs is touched: keys
// get the bytes that they had, and a field goes into the document as it is now, at
// its old place. Leases stay as they are.
//
// Errors: NotFound (there is nothing now and was nothing then, or the document
// of a field is gone), CrossDevice (what was part of a document is a directory of keys now),
// Busy and Invalid (in the middle of an array that has another length now).
func Restore(path string, was *Tree) Edit {
	return func(t *Tree) (Plan, error) {
		r := restoring{path: path, was: was, draft: newDraft(t)}
		r.then, _ = was.Lookup(path)
		r.now, _ = t.Lookup(path)
		if err := r.plan(); err != nil {
			return Plan{}, err
		}
		return r.draft.finish(), nil
	}
}

type restoring struct {
	path      string
	was       *Tree
	draft     *draft
	then, now Node
}

func (r *restoring) plan() error {
	switch {
	case !r.then.Valid() && !r.now.Valid():
		return Errorf(NotFound, r.path, "there is nothing now, and was nothing in revision %d", r.was.Revision())
	case !r.then.Valid() && r.now.at > 0:
		p := existingPlace(r.path, r.now)
		return r.draft.remove(&p)
	case r.then.at > 0:
		return r.field()
	case r.now.at > 0 || !r.now.Valid() && r.intoDocument():
		return r.keysIntoDocument()
	}
	r.keys()
	return nil
}

// keys makes a key, and all below it, what they were.
func (r *restoring) keys() {
	n := r.then
	if !n.Valid() {
		n = r.now
	}
	key := n.Key()
	r.key(key)
	if n.at == atValue {
		return
	}
	any := false
	for kv := range r.was.Under(key) {
		any = true
		r.key(kv.Key)
	}
	if !any {
		r.draft.deleteUnder(key)
		return
	}
	for kv := range r.draft.tree.Under(key) {
		if _, ok := r.was.Get(kv.Key); !ok {
			r.draft.delete(kv.Key)
		}
	}
}

func (r *restoring) key(key string) {
	then, had := r.was.Get(key)
	now, has := r.draft.tree.Get(key)
	switch {
	case had && (!has || !bytes.Equal(then.Value, now.Value)):
		r.draft.put(key, then.Value)
	case !had && has:
		r.draft.delete(key)
	}
}

// intoDocument reports whether the path, at which nothing is, lies in a document now.
func (r *restoring) intoDocument() bool {
	dir, _ := splitPath(r.path)
	parent, ok := r.draft.tree.Lookup(dir)
	return ok && r.path != "" && (parent.Type() == Object || parent.Type() == Array) && !isMixed(parent)
}

// keysIntoDocument restores what were keys as a part of the document that has
// taken their place.
func (r *restoring) keysIntoDocument() error {
	text := bytes.TrimSpace(r.then.Stored())
	if isMixed(r.then) || r.then.Type() == Raw {
		v, err := valueOf(r.then, r.path, true)
		if err != nil {
			return err
		}
		text = v.write(nil, pythonStyle())
	}
	return r.member(text)
}

// field restores a part of a document.
func (r *restoring) field() error {
	if r.now.Valid() && r.now.at <= 0 {
		return r.fieldAsKey()
	}
	return r.member(r.then.Stored())
}

// member puts JSON text at the path, in the document that is there now.
func (r *restoring) member(text []byte) error {
	p, err := placeOf(r.draft.tree, r.path)
	if KindOf(err) == NotFound {
		return Errorf(NotFound, r.path, "what it was in is gone: restore that (%s)", r.goneAbove())
	}
	if err != nil {
		return err
	}
	switch {
	case !p.field:
		path, _ := r.was.PathOf(r.then.Key())
		return Errorf(NotFound, r.path, "the document that it was in is gone: restore that (%s)", path)
	case p.exists():
		return r.draft.setText(&p, text)
	}
	return r.draft.add(&p, text, ShapeOf(r.was, r.path), 0)
}

// goneAbove returns the highest path above that nothing is at now.
func (r *restoring) goneAbove() string {
	gone := r.path
	for dir, _ := splitPath(gone); dir != ""; dir, _ = splitPath(dir) {
		if _, ok := r.draft.tree.Lookup(dir); ok {
			break
		}
		gone = dir
	}
	return gone
}

// fieldAsKey restores a part of a document to the key that has taken its place.
func (r *restoring) fieldAsKey() error {
	key := r.now.Key()
	switch raw := r.draft.tree.rawKey(key); {
	case isMixed(r.now) || raw && r.then.IsDir():
		path, _ := r.was.PathOf(r.then.Key())
		return Errorf(CrossDevice, r.path, "it was a part of the document %s, and there are keys now: restore that", path)
	case raw:
		r.draft.put(key, r.then.Content())
	default:
		r.draft.put(key, r.then.Stored())
	}
	return nil
}
