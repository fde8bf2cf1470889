package model

import (
	"strconv"
	"strings"
)

var (
	encoder = strings.NewReplacer("%", "%25", "/", "%2F")
	decoder = strings.NewReplacer("%25", "%", "%2F", "/")
)

func encodeName(name string) string {
	if !strings.ContainsAny(name, "%/") {
		return name
	}
	return encoder.Replace(name)
}

func decodeName(shown string) (string, bool) {
	if !strings.Contains(shown, "%") {
		return shown, true
	}
	name := decoder.Replace(shown)
	return name, encodeName(name) == shown
}

func shownKey(key string) string {
	if !strings.Contains(key, "%") {
		return key
	}
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = encodeName(s)
	}
	return strings.Join(segments, "/")
}

func splitPath(path string) (dir, name string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

func inside(path, dir string) bool {
	return dir == "" && path != "" || len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}

// ownValue is the leaf of a key that has others below it.
const ownValue = ".value"

// kinds of places
const (
	nothing   = iota // there is not even a directory that it could be in
	absent           // a name in a directory that nothing has
	plain            // a directory of keys, perhaps with a value too
	localOnly        // a directory that this mount alone knows
	stored           // a value, or a field
)

// place is where a shown path stands in the tree.
type place struct {
	kind int
	path string
	key  string // of the value it is or is in, or that it would be
	v    *value
	// of a field, also of an absent one
	field     bool
	container *value
	name      string
	index     int // in an array
	invalid   bool
	inFile    bool // nothing, because something on the way is a file
}

func (p *place) exists() bool { return p.kind >= plain }

func (p *place) isDir() bool {
	return p.kind == plain || p.kind == localOnly || p.kind == stored && p.v.isDir()
}

// isLocalOrNone reports whether etcd has nothing there.
func (p *place) isLocalOrNone() bool { return p.kind <= localOnly && p.kind != plain }

// waits reports whether a file that is made there may wait for its directory to
// become a document, as copies do; that is not modelled.
func (p *place) waits() bool { return p.kind == absent && p.invalid && !p.field }

func (p *place) isOwnValue() bool { return p.kind == stored && p.name == ownValue && !p.field }

// last reports whether the place can be removed from its container.
func (p *place) last() bool {
	return !p.field || p.container.is == "object" || p.index == len(p.container.items)-1
}

// at finds the place of a shown path on a mount.
func (t *tree) at(mount int, path string) *place {
	if path == "" {
		return &place{kind: plain, v: t.keys[""]}
	}
	dir, shown := splitPath(path)
	return t.in(mount, t.at(mount, dir), shown)
}

// in finds the place of a name in the directory dir.
func (t *tree) in(mount int, dir *place, shown string) *place {
	p := &place{path: join(dir.path, shown)}
	switch {
	case !dir.exists():
		p.inFile = dir.inFile
		return p
	case !dir.isDir():
		p.inFile = true
		return p
	}
	p.kind = absent
	name, ok := decodeName(shown)
	p.name, p.invalid = name, !ok
	if dir.kind != stored && t.asKey(dir, p, ok) {
		return p
	}
	if dir.v != nil {
		p = t.inValue(dir, p, shown, ok)
	}
	if dir.kind != stored && p.kind == absent && t.local[mount][p.path] {
		p.kind, p.field, p.key = localOnly, false, join(dir.key, name)
	}
	return p
}

// inValue finds the place that a name has in the value of dir; p is that of a key.
func (t *tree) inValue(dir, p *place, shown string, ok bool) *place {
	name := p.name
	if !dir.v.isDir() { // the value of a directory of keys
		if shown == ownValue {
			p.kind, p.key, p.v, p.invalid = stored, dir.key, dir.v, false
		}
		return p
	}
	// A field whose name a key has is shown with a suffix.
	base, suffixed := strings.CutSuffix(shown, "%json")
	if suffixed {
		if name, ok = decodeName(base); !ok || dir.kind != plain || !t.isKey(join(dir.key, name)) {
			return p
		}
	}
	field := *p
	field.key, field.field, field.container, field.name, field.invalid = dir.key, true, dir.v, name, !ok
	if dir.v.is == "array" {
		n, err := strconv.Atoi(base)
		field.index = n
		field.invalid = err != nil || strconv.Itoa(n) != base || n < 0 || n > len(dir.v.items)
		if !field.invalid && n < len(dir.v.items) {
			field.kind, field.v = stored, dir.v.items[n]
		}
		if field.invalid && dir.kind == plain { // a new name is that of a key
			return p
		}
	} else if v := dir.v.fields[name]; ok && v != nil {
		field.kind, field.v = stored, v
	}
	if suffixed && field.kind != stored {
		return p
	}
	return &field
}

// asKey makes p what the keys at and below its name are, and reports whether there are any.
func (t *tree) asKey(dir, p *place, ok bool) bool {
	p.key = join(dir.key, p.name)
	p.invalid = !ok || strings.Contains(p.name, "/") // which would be two segments
	if p.invalid {
		return false
	}
	v := t.keys[p.key]
	switch {
	case t.isPlain(p.path):
		p.kind, p.v = plain, v
	case v != nil:
		p.kind, p.v = stored, v
	}
	return p.exists()
}

// isKey reports whether something has the name of key beside the fields of a document.
func (t *tree) isKey(key string) bool { return t.keys[key] != nil || t.isPlain(shownKey(key)) }
