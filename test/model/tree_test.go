package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// tree is what etcd and the mounts have to show. Keys are without the prefix.
// A key may have others below it: it is a directory then, with a value.
type tree struct {
	keys map[string]*value
	// local are the directories of keys without a key, which one mount alone
	// knows. false: something else has or had its name meanwhile, so it may be
	// there or not.
	local [2]map[string]bool
	// above are the shown paths with keys below; nil until it is asked for.
	above map[string]bool
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

func (t *tree) put(key string, v *value) {
	t.keys[key] = v
	t.above = nil
}

func (t *tree) del(key string) {
	delete(t.keys, key)
	t.above = nil
}

// isPlain reports whether keys are below path.
func (t *tree) isPlain(path string) bool {
	if t.above == nil {
		t.above = map[string]bool{}
		for key := range t.keys {
			for dir, _ := splitPath(shownKey(key)); dir != "" && !t.above[dir]; dir, _ = splitPath(dir) {
				t.above[dir] = true
			}
		}
	}
	return path == "" || t.above[path]
}

// set puts v at p, which is there or absent.
func (t *tree) set(p *place, v *value) {
	switch {
	case !p.field:
		t.put(p.key, v)
	case p.container.is == "object":
		p.container.fields[p.name] = v
	case p.index == len(p.container.items):
		p.container.items = append(p.container.items, v)
	default:
		p.container.items[p.index] = v
	}
}

// remove takes out a value or a field, or all keys at and below a directory of keys.
func (t *tree) remove(p *place) {
	switch {
	case p.kind == plain:
		maps.DeleteFunc(t.keys, func(key string, _ *value) bool { return key == p.key && p.v != nil || inside(key, p.key) })
		t.above = nil
	case !p.field:
		t.del(p.key)
	case p.container.is == "object":
		delete(p.container.fields, p.name)
	default:
		p.container.items = p.container.items[:p.index]
	}
}

// names lists a directory as all mounts show it.
func (t *tree) names(dir *place) []string {
	names := map[string]bool{}
	if dir.kind == plain {
		for key := range t.keys {
			if inside(key, dir.key) {
				first, _, _ := strings.Cut(strings.TrimPrefix(key[len(dir.key):], "/"), "/")
				names[encodeName(first)] = true
			}
		}
	}
	switch v := dir.v; {
	case v == nil:
	case v.is == "array":
		for i := range v.items {
			names[besideKeys(strconv.Itoa(i), names)] = true
		}
	case v.is == "object":
		for _, name := range slices.Sorted(maps.Keys(v.fields)) {
			names[besideKeys(encodeName(name), names)] = true
		}
	default:
		names[ownValue] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// besideKeys is the name of a field in a directory that has keys too.
func besideKeys(name string, keys map[string]bool) string {
	if keys[name] {
		return name + "%json"
	}
	return name
}

// isEmpty reports whether rmdir could remove the directory.
func (t *tree) isEmpty(mount int, p *place) bool {
	if len(t.names(p)) > 0 {
		return false
	}
	for path, sure := range t.local[mount] {
		if sure && inside(path, p.path) {
			return false
		}
	}
	return true
}

// places are all that there is on a mount but the root, sorted by path.
func (t *tree) places(mount int) []*place {
	var all []*place
	var walk func(p *place)
	walk = func(p *place) {
		for _, name := range t.names(p) {
			child := t.in(mount, p, name)
			all = append(all, child)
			if child.isDir() {
				walk(child)
			}
		}
	}
	walk(t.at(mount, ""))
	for path, sure := range t.local[mount] {
		if !sure {
			continue
		}
		if p := t.at(mount, path); p.kind == localOnly {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *place) int { return strings.Compare(a.path, b.path) })
	return all
}

func pathsOf(places []*place) []string {
	paths := make([]string, len(places))
	for i, p := range places {
		paths[i] = p.path
	}
	return paths
}

// leavesLeaf reports whether a directory above p is something else when p is removed:
// it has a value, or a field behind it, and nothing else below.
func (t *tree) leavesLeaf(p *place) bool {
	if p.field {
		return false
	}
	for dir, _ := splitPath(p.key); dir != ""; dir, _ = splitPath(dir) {
		v := t.keys[dir]
		if (v == nil || v.isDir()) && !t.at(0, shownKey(dir)+"%json").exists() {
			continue
		}
		others := false
		for key := range t.keys {
			others = others || inside(key, dir) && key != p.key && !inside(key, p.key)
		}
		if !others {
			return true
		}
	}
	return false
}

// mixed reports whether a key at or below p has both a value and keys below it.
func (t *tree) mixed(p *place) bool {
	if p.kind != plain {
		return false
	}
	for key := range t.keys {
		if (key == p.key || inside(key, p.key)) && t.isPlain(shownKey(key)) {
			return true
		}
	}
	return false
}

// asValue is an entry as its .json view says; without keys that have values and keys below.
func (t *tree) asValue(p *place) *value {
	if p.kind == stored {
		if p.v.is == "raw" {
			return text(p.v.text)
		}
		return p.v
	}
	v := emptyObject()
	for _, name := range t.names(p) {
		child := t.in(0, p, name)
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

func (t *tree) String() string {
	var b strings.Builder
	for _, key := range sortedKeys(t) {
		fmt.Fprintf(&b, "%q = %s %.300q\n", key, t.keys[key].is, t.keys[key].write())
	}
	fmt.Fprintf(&b, "local directories: %v\n", t.local)
	return b.String()
}

func sortedKeys(t *tree) []string { return slices.Sorted(maps.Keys(t.keys)) }
