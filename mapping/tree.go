package mapping

import (
	"iter"
	"slices"
	"strings"
)

// Tree is everything under one prefix at one revision. It never changes;
// methods may be called from any number of goroutines.
type Tree struct {
	look       *look
	mark       *Mark
	revision   int64
	generation uint64
	top        slot // dir is never nil
}

// Mark tells one tree from all others, and keeps none alive.
type Mark struct{ _ byte }

// look is Settings made ready; all trees that come from one share it.
type look struct {
	settings Settings
	prefix   string
	raw      *rawTable
	exact    bool
}

// NewTree returns the empty tree of revision 0. It refuses, as Invalid, a
// prefix that does not start with a slash or ends with one, and malformed raw
// patterns.
func NewTree(s Settings) (*Tree, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	s.Raw = slices.Clone(s.Raw)
	raw, err := newRawTable(append(rawPaths(), s.Raw...))
	if err != nil {
		return nil, err
	}
	return &Tree{
		mark: new(Mark),
		look: &look{settings: s, prefix: s.Prefix, raw: raw, exact: s.Exact},
		top:  slot{dir: &directory{key: s.Prefix, root: true}},
	}, nil
}

// Settings returns what the tree was made with.
func (t *Tree) Settings() Settings { return t.look.settings }

// Revision is the store's revision that the tree shows, 0 for the empty tree.
func (t *Tree) Revision() int64 { return t.revision }

// Mark is the tree's own. Trees of one revision may differ (With, and what is put
// into a tree without being stored).
func (t *Tree) Mark() *Mark { return t.mark }

// Keys is the number of keys under the prefix.
func (t *Tree) Keys() int {
	n := t.top.dir.keys
	if t.top.value != nil {
		n++
	}
	return n
}

// Root is the directory that the mountpoint shows; its name is "".
func (t *Tree) Root() Node { return Node{value: t.top.value, dir: t.top.dir} }

// Lookup finds the entry at a shown path without leading slash; "" is the root.
func (t *Tree) Lookup(path string) (Node, bool) {
	n := t.Root()
	for path != "" {
		name, rest, more := strings.Cut(path, "/")
		var ok bool
		if n, ok = n.Lookup(name); !ok || more && rest == "" {
			return Node{}, false
		}
		path = rest
	}
	return n, true
}

// Get returns a key's value, if there is one.
func (t *Tree) Get(key string) (KV, bool) {
	v := t.entry(key).value
	if v == nil {
		return KV{}, false
	}
	return v.kv(), true
}

// Under returns all keys that start with prefix and a slash, in order.
func (t *Tree) Under(prefix string) iter.Seq[KV] {
	return func(yield func(KV) bool) {
		d := t.entry(prefix).dir
		if d == nil {
			return
		}
		for v := range d.values() {
			if !yield(v.kv()) {
				return
			}
		}
	}
}

// countUnder is how many keys Under has.
func (t *Tree) countUnder(prefix string) int {
	if d := t.entry(prefix).dir; d != nil {
		return d.keys
	}
	return 0
}

// PathOf returns the shown path of a key under the prefix, which need not
// exist: the names of its segments. The prefix itself is the root.
func (t *Tree) PathOf(key string) (string, bool) {
	relative, ok := t.relative(key)
	if !ok || key == t.look.prefix {
		return "", ok
	}
	var path strings.Builder
	for segment := range strings.SplitSeq(relative, "/") {
		if path.Len() > 0 {
			path.WriteByte('/')
		}
		path.WriteString(EncodeName(segment))
	}
	return path.String(), true
}

// KeyOf is the inverse of PathOf, for keys that exist and keys that do not. A
// cut name is that of an entry in the tree, or NotFound. A name that is no
// segment's is Invalid.
func (t *Tree) KeyOf(path string) (string, error) { return t.keyOf(path, nil) }

func (t *Tree) keyOf(path string, known Segments) (string, error) {
	key, d := t.look.prefix, t.top.dir
	if path == "" {
		return key, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		segment, ok := decodeName(name)
		if !ok {
			if !strings.Contains(name, cutMark) {
				return "", notName(path, name)
			}
			if s := d.cut(name); !s.empty() {
				segment = s.segment(len(d.key))
			} else if segment, ok = known.of(name); !ok || strings.Contains(segment, "/") {
				return "", Errorf(NotFound, path, "%q is the cut name of no key here", name)
			}
		} else if strings.Contains(segment, "/") {
			return "", Errorf(Invalid, path, "has a slash in its name, which no segment of a key can hold")
		}
		key += "/" + segment
		d = d.get(segment).dir
	}
	return key, nil
}

// relative is a key below the prefix; that of the prefix itself is "".
func (t *Tree) relative(key string) (string, bool) {
	if key == t.look.prefix {
		return "", key != ""
	}
	if !isBelow(key, t.look.prefix) {
		return "", false
	}
	return key[len(t.look.prefix)+1:], true
}

// holds reports whether a key is the prefix or below it.
func (t *Tree) holds(key string) bool {
	_, ok := t.relative(key)
	return ok
}

// entry finds what a key is: a value, a directory, or both.
func (t *Tree) entry(key string) slot {
	if key == t.look.prefix {
		return t.top
	}
	if !isBelow(key, t.look.prefix) {
		return slot{}
	}
	return get(t.top.dir, key)
}
