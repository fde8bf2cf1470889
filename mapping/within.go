package mapping

import (
	"iter"
	"strings"
)

// InDocument reports whether what is at path, or would be made there, is a field.
func InDocument(t *Tree, path string) bool {
	p, err := placeOf(t, path)
	return err == nil && p.field
}

// Within makes an edit of a field at path, which may be there or is to be made, fail as NotFound once the directory
// that it was in has gone. It would make a key of it: next to nothing, and in the way of the document when that comes back.
func Within(path string, e Edit) Edit {
	return func(t *Tree) (Plan, error) {
		dir, _ := splitPath(path)
		if _, ok := t.Lookup(dir); !ok {
			return Plan{}, Errorf(NotFound, path, "the document that it was in is not there any more: somebody else has moved or removed %s", dir)
		}
		return e(t)
	}
}

// newKey sets the value of a key that is not there, nor anything below it. That holds as long as none of the keys that
// it is below of comes: with a document there it would be a field's place.
func (d *draft) newKey(p *place, value []byte, lease int64) {
	d.move(p.key, value, lease)
	d.guardAbove(p.key)
	if !p.isOwnValue() {
		d.plan.Absent = append(d.plan.Absent, p.key+"/")
	}
}

// guardAbove guards the keys that a key is below of.
func (d *draft) guardAbove(key string) {
	for at := range d.tree.above(key) {
		d.look(at)
	}
}

// above yields the keys of the tree's prefix that a key is below of, the shortest first.
func (t *Tree) above(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := len(t.look.prefix) + 1; k < len(key); k++ {
			end := strings.IndexByte(key[k:], '/')
			if end < 0 || !yield(key[:k+end]) {
				return
			}
			k += end
		}
	}
}
