package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// tree is what etcd and the mounts have to show. Keys are without the prefix;
// none is below another.
type tree struct {
	keys map[string]*value
	// local are the directories of keys without a key, which one mount alone
	// knows. false: something else has or had its name meanwhile, so it may be
	// there or not.
	local [2]map[string]bool
}

func newTree() *tree {
	return &tree{keys: map[string]*value{}, local: [2]map[string]bool{{}, {}}}
}

func (t *tree) clone() *tree {
	c := newTree()
	for key, v := range t.keys {
		c.keys[key] = v.clone()
	}
	for i := range t.local {
		c.local[i] = maps.Clone(t.local[i])
	}
	return c
}

func encodeName(name string) string {
	return strings.NewReplacer("%", "%25", "/", "%2F").Replace(name)
}

func decodeName(shown string) (string, bool) {
	name := strings.NewReplacer("%25", "%", "%2F", "/").Replace(shown)
	return name, encodeName(name) == shown
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
	return dir == "" && path != "" || strings.HasPrefix(path, dir+"/")
}

// kinds of places
const (
	nothing   = iota // there is not even a directory that it could be in
	absent           // a name in a directory that nothing has
	plain            // a directory of keys
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

// last reports whether the place can be removed from its container.
func (p *place) last() bool {
	return !p.field || p.container.is == "object" || p.index == len(p.container.items)-1
}

// isPlain reports whether keys are below path.
func (t *tree) isPlain(path string) bool {
	for key := range t.keys {
		if inside(shownKey(key), path) {
			return true
		}
	}
	return path == ""
}

func shownKey(key string) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = encodeName(s)
	}
	return strings.Join(segments, "/")
}

// at finds the place of a shown path on a mount.
func (t *tree) at(mount int, path string) *place {
	if path == "" {
		return &place{kind: plain}
	}
	dirPath, shown := splitPath(path)
	dir := t.at(mount, dirPath)
	p := &place{path: path}
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
	if dir.kind == stored {
		p.key, p.field, p.container = dir.key, true, dir.v
		if dir.v.is == "array" {
			n, err := strconv.Atoi(shown)
			p.index = n
			p.invalid = err != nil || strconv.Itoa(n) != shown || n < 0 || n > len(dir.v.items)
			if !p.invalid && n < len(dir.v.items) {
				p.kind, p.v = stored, dir.v.items[n]
			}
		} else if v := dir.v.fields[name]; ok && v != nil {
			p.kind, p.v = stored, v
		}
		return p
	}
	p.key = join(dir.key, name)
	p.invalid = !ok || strings.Contains(name, "/") // which would be two segments
	switch {
	case p.invalid:
	case t.keys[p.key] != nil:
		p.kind, p.v = stored, t.keys[p.key]
	case t.isPlain(path):
		p.kind = plain
	case t.local[mount][path]:
		p.kind = localOnly
	}
	return p
}

// set puts v at p, which is there or absent.
func (t *tree) set(p *place, v *value) {
	switch {
	case !p.field:
		t.keys[p.key] = v
	case p.container.is == "object":
		p.container.fields[p.name] = v
	case p.index == len(p.container.items):
		p.container.items = append(p.container.items, v)
	default:
		p.container.items[p.index] = v
	}
}

// remove takes out a value or a field, or all keys of a plain directory.
func (t *tree) remove(p *place) {
	switch {
	case p.kind == plain:
		maps.DeleteFunc(t.keys, func(key string, _ *value) bool { return inside(key, p.key) })
	case !p.field:
		delete(t.keys, p.key)
	case p.container.is == "object":
		delete(p.container.fields, p.name)
	default:
		p.container.items = p.container.items[:p.index]
	}
}

// names lists a directory as all mounts show it.
func (t *tree) names(dir *place) []string {
	names := map[string]bool{}
	switch {
	case dir.kind == stored && dir.v.is == "array":
		for i := range dir.v.items {
			names[strconv.Itoa(i)] = true
		}
	case dir.kind == stored:
		for name := range dir.v.fields {
			names[encodeName(name)] = true
		}
	case dir.kind == plain:
		for key := range t.keys {
			if rest := shownKey(key); inside(rest, dir.path) {
				rest = strings.TrimPrefix(strings.TrimPrefix(rest, dir.path), "/")
				first, _, _ := strings.Cut(rest, "/")
				names[first] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// isEmpty reports whether rmdir could remove the directory.
func (t *tree) isEmpty(mount int, p *place) bool {
	if len(t.names(p)) > 0 {
		return false
	}
	for path := range t.local[mount] {
		if inside(path, p.path) {
			return false
		}
	}
	return true
}

// paths are all that there is on a mount but the root.
func (t *tree) paths(mount int) []string {
	var all []string
	var walk func(p *place)
	walk = func(p *place) {
		for _, name := range t.names(p) {
			child := t.at(mount, join(p.path, name))
			all = append(all, child.path)
			if child.isDir() {
				walk(child)
			}
		}
	}
	walk(t.at(mount, ""))
	for path := range t.local[mount] {
		if t.at(mount, path).kind == localOnly {
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return all
}

// asValue is an entry as its .json view says.
func (t *tree) asValue(p *place) *value {
	if p.kind == stored {
		if p.v.is == "raw" {
			return text(p.v.text)
		}
		return p.v
	}
	v := emptyObject()
	for _, name := range t.names(p) {
		child := t.at(0, join(p.path, name))
		v.fields[child.name] = t.asValue(child)
	}
	return v
}

// settle follows a change: mount has seen directories lose their last key and
// keeps them; what has the name of a local directory now hides it.
func (t *tree) settle(was *tree, mount int, keep []string) {
	for _, path := range keep {
		for dir, _ := splitPath(path); dir != ""; dir, _ = splitPath(dir) {
			if was.at(mount, dir).kind == plain && !t.isPlain(dir) && t.at(mount, dir).kind < stored {
				t.local[mount][dir] = true
			}
		}
	}
	for i := range t.local {
		for path := range t.local[i] {
			for at := path; at != ""; at, _ = splitPath(at) {
				k := t.at(i, at).kind
				if k == nothing || k == stored || k == plain && at == path || k == absent {
					t.local[i][path] = false
				}
			}
		}
	}
}
