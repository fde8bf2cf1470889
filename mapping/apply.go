package mapping

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// Apply returns the tree after a revision, and the keys whose value came, went
// or changed, each once and in order. A key that was written with the bytes it
// had is not among them; only its metadata moves. Keys outside the prefix are
// passed over. A key may come more than once; its last change holds.
//
// seen is when the revision was seen here; it becomes the time of what is new.
// t is left as it was. The new tree takes over the values' bytes.
//
// The cost is that of the paths that the changes touch, once each: a directory
// that many changes fall into is copied once.
func (t *Tree) Apply(revision int64, seen time.Time, changes []Change) (*Tree, []string) {
	a := applying{tree: t, generation: t.generation + 1}
	if !seen.IsZero() {
		a.seen = seen.UnixNano()
	}
	a.top = slot{value: t.top.value, dir: t.top.dir}
	changed := make([]string, 0, len(changes))
	for first := 0; first < len(changes); {
		// What goes one after another, mostly in order, goes from the end: of a directory the last is taken at no cost.
		next := first
		for next < len(changes) && changes[next].Deleted {
			next++
		}
		before := len(changed)
		for i := next - 1; i >= first; i-- {
			if key := changes[i].Key; t.holds(key) && a.delete(key) {
				changed = append(changed, key)
			}
		}
		slices.Reverse(changed[before:])
		if first = next; first == len(changes) {
			break
		}
		c := &changes[first]
		if relative, ok := t.relative(c.Key); ok && a.put(c.KV, relative) {
			changed = append(changed, c.Key)
		}
		first++
	}
	return &Tree{look: t.look, mark: new(Mark), revision: revision, generation: a.generation, top: a.top}, slices.Compact(sorted(changed))
}

// sorted sorts keys. What a rename changes are two runs in order, those that go and those that come.
func sorted(keys []string) []string {
	for i := 1; i < len(keys); i++ {
		if keys[i-1] <= keys[i] {
			continue
		}
		if slices.IsSorted(keys[i:]) && keys[len(keys)-1] <= keys[0] {
			return append(slices.Clip(keys[i:]), keys[:i]...)
		}
		slices.Sort(keys)
		break
	}
	return keys
}

// applying is a tree in the making. What has its generation is its own and is
// changed in place; everything else is copied first. Trees with a common past
// may share a generation, but never what was made in it.
type applying struct {
	tree       *Tree
	generation uint64
	seen       int64
	top        slot
	path       []*directory // own ones, from the root to where the last change was
}

// descend goes to the directory that holds key and returns the last segment.
func (a *applying) descend(key string) string {
	if len(a.path) == 0 {
		a.top.dir = a.own(a.top.dir)
		a.path = append(a.path, a.top.dir)
	}
	for len(a.path) > 1 && !isBelow(key, a.path[len(a.path)-1].key) {
		a.path = a.path[:len(a.path)-1]
	}
	for {
		d := a.path[len(a.path)-1]
		base := len(d.key) + 1
		n := strings.IndexByte(key[base:], '/')
		if n < 0 {
			return key[base:]
		}
		a.path = append(a.path, a.child(d, key[:base+n]))
	}
}

// child returns the directory for keys below key, made if there is none.
func (a *applying) child(d *directory, key string) *directory {
	p, i, ok := d.find(key[len(d.key)+1:])
	if !ok {
		child := &directory{key: key, seen: a.seen, generation: a.generation}
		a.ownPart(d, p)
		d.insert(p, i, slot{dir: child}, a.generation)
		d.seen = a.seen
		return child
	}
	s := &a.ownPart(d, p).slots[i]
	if s.dir == nil {
		s.dir = &directory{key: key, seen: a.seen, generation: a.generation}
	} else {
		s.dir = a.own(s.dir)
	}
	return s.dir
}

func (a *applying) own(d *directory) *directory {
	if d.generation == a.generation {
		return d
	}
	mine := *d
	mine.generation = a.generation
	mine.parts = slices.Clone(d.parts)
	return &mine
}

// ownPart returns the part of an own directory for changing; nil in an empty one.
func (a *applying) ownPart(d *directory, p int) *part {
	if len(d.parts) == 0 {
		return nil
	}
	if d.parts[p].generation != a.generation {
		d.parts[p] = &part{slots: slices.Clone(d.parts[p].slots), generation: a.generation}
	}
	return d.parts[p]
}

// put stores a key and reports whether its bytes are new.
func (a *applying) put(kv KV, relative string) bool {
	if kv.Key == a.tree.look.prefix {
		var changed bool
		a.top.value, changed = a.value(a.top.value, kv, relative)
		return changed
	}
	segment := a.descend(kv.Key)
	d := a.path[len(a.path)-1]
	p, i, ok := d.find(segment)
	own := a.ownPart(d, p)
	if ok {
		s := &own.slots[i]
		created := s.value == nil
		var changed bool
		s.value, changed = a.value(s.value, kv, relative)
		if created {
			a.count(1)
		}
		return changed
	}
	v, _ := a.value(nil, kv, relative)
	d.insert(p, i, slot{value: v}, a.generation)
	d.seen = a.seen
	a.count(1)
	return true
}

// value returns the value for kv where old was, and whether the bytes differ.
func (a *applying) value(old *value, kv KV, relative string) (*value, bool) {
	if old != nil && bytes.Equal(old.bytes(), kv.Value) {
		return old.rewritten(kv), false
	}
	look := a.tree.look
	v := newValue(kv, a.seen, look.raw.match(kv.Key, relative), look.exact)
	if old != nil {
		v.inheritSeen(old)
	}
	return v, true
}

// delete removes a key and reports whether it was there.
func (a *applying) delete(key string) bool {
	if key == a.tree.look.prefix {
		there := a.top.value != nil
		a.top.value = nil
		return there
	}
	// Look first, so that a path is copied only for a key that exists.
	if get(a.top.dir, key).value == nil {
		return false
	}
	segment := a.descend(key)
	a.count(-1)
	for {
		d := a.path[len(a.path)-1]
		p, i, _ := d.find(segment)
		s := &a.ownPart(d, p).slots[i]
		if s.dir != nil && len(s.dir.parts) == 0 {
			s.dir = nil // emptied in the round before
		} else {
			s.value = nil
		}
		if !s.empty() {
			return true
		}
		d.remove(p, i)
		d.seen = a.seen
		if len(d.parts) > 0 || len(a.path) == 1 {
			return true
		}
		a.path = a.path[:len(a.path)-1]
		segment = d.key[len(a.path[len(a.path)-1].key)+1:]
	}
}

// count adds to the number of keys of the directories along the path.
func (a *applying) count(n int) {
	for _, d := range a.path {
		d.keys += n
	}
}

// isBelow reports whether key is dir+"/…".
func isBelow(key, dir string) bool {
	return len(key) > len(dir) && key[len(dir)] == '/' && key[:len(dir)] == dir
}

// get finds the entry of a key below a directory.
func get(d *directory, key string) slot {
	for d != nil {
		base := len(d.key) + 1
		n := strings.IndexByte(key[base:], '/')
		if n < 0 {
			return d.get(key[base:])
		}
		d = d.get(key[base : base+n]).dir
	}
	return slot{}
}
