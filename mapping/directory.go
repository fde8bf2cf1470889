package mapping

import (
	"iter"
	"slices"
	"sort"
	"strings"
)

// partSize is how many slots lie together: a change copies one part, and the
// list of parts.
const partSize = 256

// directory is what lies below one key, by the next segment. It does not
// change once the tree it was made for is out of Apply's hands.
type directory struct {
	key        string // the key whose keys "key/…" it holds
	parts      []*part
	seen       int64 // when an entry last came or went; nanoseconds since 1970
	keys       int   // of all levels below
	generation uint64
	root       bool
}

// part is a run of a directory's slots; generation is as in directory.
type part struct {
	slots      []slot
	generation uint64
}

// slot is one entry of a directory: a key's value, the directory of the keys
// below it, or both.
type slot struct {
	value *value
	dir   *directory
}

func (s slot) empty() bool { return s.value == nil && s.dir == nil }

// segment is the slot's name in the directory whose key has length base.
func (s slot) segment(base int) string {
	if s.value != nil {
		return s.value.key[base+1:]
	}
	return s.dir.key[base+1:]
}

// find returns the place of a segment: the part, the index in it, and whether
// it is there. Where there is no part, p is 0.
func (d *directory) find(segment string) (p, i int, ok bool) {
	base := len(d.key)
	if len(d.parts) == 0 {
		return 0, 0, false
	}
	// The last part whose first segment is not above.
	p = sort.Search(len(d.parts), func(p int) bool { return d.parts[p].slots[0].segment(base) > segment })
	p = max(p-1, 0)
	slots := d.parts[p].slots
	if last := slots[len(slots)-1].segment(base); last < segment {
		return p, len(slots), false
	}
	i = sort.Search(len(slots), func(i int) bool { return slots[i].segment(base) >= segment })
	return p, i, i < len(slots) && slots[i].segment(base) == segment
}

func (d *directory) get(segment string) slot {
	if d == nil {
		return slot{}
	}
	if p, i, ok := d.find(segment); ok {
		return d.parts[p].slots[i]
	}
	return slot{}
}

// len is the number of entries.
func (d *directory) len() int {
	n := 0
	if d != nil {
		for _, p := range d.parts {
			n += len(p.slots)
		}
	}
	return n
}

// slots are the entries in the order of their segments.
func (d *directory) slots() iter.Seq[slot] {
	return func(yield func(slot) bool) {
		if d == nil {
			return
		}
		for _, p := range d.parts {
			for _, s := range p.slots {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// cut finds the entry with a cut name.
func (d *directory) cut(name string) slot {
	i := strings.LastIndex(name, cutMark)
	if d == nil || i < 0 {
		return slot{}
	}
	prefix, ok := unescapeName(name[:i])
	if !ok {
		return slot{}
	}
	base := len(d.key)
	p, i, _ := d.find(prefix)
	for ; p < len(d.parts); p, i = p+1, 0 {
		for _, s := range d.parts[p].slots[i:] {
			segment := s.segment(base)
			if !strings.HasPrefix(segment, prefix) {
				return slot{}
			}
			if EncodeName(segment) == name {
				return s
			}
		}
	}
	return slot{}
}

// named finds the entry with a shown name.
func (d *directory) named(name string) slot {
	if d == nil {
		return slot{}
	}
	if segment, ok := decodeName(name); ok {
		return d.get(segment)
	}
	return d.cut(name)
}

// values are all values below, in the order of their keys. That is not the
// order of a walk: "a-" comes before "a/", since a slash sorts above a dash.
func (d *directory) values() iter.Seq[*value] {
	return func(yield func(*value) bool) { d.walk(yield) }
}

func (d *directory) walk(yield func(*value) bool) bool {
	var held []*directory // whose keys come later; each is a prefix of the next
	flush := func(until string) bool {
		for len(held) > 0 {
			top := held[len(held)-1]
			if until != "" && !lessDir(top.key, until) {
				return true
			}
			held = held[:len(held)-1]
			if !top.walk(yield) {
				return false
			}
		}
		return true
	}
	for s := range d.slots() {
		key := ""
		if s.value != nil {
			key = s.value.key
		} else {
			key = s.dir.key
		}
		if !flush(key) {
			return false
		}
		if s.value != nil && !yield(s.value) {
			return false
		}
		if s.dir != nil {
			held = append(held, s.dir)
		}
	}
	return flush("")
}

// lessDir reports whether dir+"/" < key.
func lessDir(dir, key string) bool {
	if len(key) > len(dir) && key[:len(dir)] == dir {
		return '/' < key[len(dir)]
	}
	return dir < key
}

// insert puts a slot at the place that find has told. The directory and the
// part are the caller's own.
func (d *directory) insert(p, i int, s slot, generation uint64) {
	if len(d.parts) == 0 {
		d.parts = append(d.parts, &part{slots: []slot{s}, generation: generation})
		return
	}
	old := d.parts[p]
	if len(old.slots) < partSize {
		if len(old.slots) == cap(old.slots) {
			// Most directories are small, and stay as they are for long: doubling would waste too much.
			old.slots = append(make([]slot, 0, len(old.slots)+len(old.slots)/4+2), old.slots...)
		}
		old.slots = slices.Insert(old.slots, i, s)
		return
	}
	// Keys that come in order leave full parts behind.
	at := partSize / 2
	if i == partSize {
		at = partSize
	}
	fresh := &part{slots: slices.Clone(old.slots[at:]), generation: generation}
	clear(old.slots[at:])
	old.slots = old.slots[:at]
	d.parts = slices.Insert(d.parts, p+1, fresh)
	if i >= at {
		fresh.slots = slices.Insert(fresh.slots, i-at, s)
	} else {
		old.slots = slices.Insert(old.slots, i, s)
	}
}

// remove takes a slot out. The directory and the part are the caller's own.
func (d *directory) remove(p, i int) {
	d.parts[p].slots = slices.Delete(d.parts[p].slots, i, i+1)
	if len(d.parts[p].slots) == 0 {
		d.parts = slices.Delete(d.parts, p, p+1)
	}
}
