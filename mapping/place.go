package mapping

import (
	"slices"
	"strconv"
	"strings"
)

// place is where a shown path stands in the store: a key, and a spot in its
// value. It is the place of what is there or, when node is not valid, of what
// could be made there.
type place struct {
	path string
	node Node
	key  string
	// spot is the way into the key's value: empty for the whole value, or for
	// a plain directory of keys.
	spot spot
	// name is the name of a new field, decoded. A new element has none.
	name string
	// field says that the place is in a document; element, that its container is an array.
	field, element bool
}

func (p *place) exists() bool { return p.node.Valid() }

// isDir reports whether there is a directory.
func (p *place) isDir() bool { return p.exists() && p.node.IsDir() }

// isOwnValue reports whether the place is the leaf .value of a key with keys below it.
func (p *place) isOwnValue() bool {
	_, name := splitPath(p.path)
	return name == valueName
}

func splitPath(path string) (dir, name string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// isInside reports whether path is strictly inside the directory dir.
func isInside(path, dir string) bool {
	return len(path) > len(dir) && (dir == "" || path[len(dir)] == '/' && path[:len(dir)] == dir)
}

// placeOf finds the place of a path. For a path that nothing has it says what a
// new entry there would be: a field next to fields, a key next to keys. Missing
// directories on the way are no error where keys are: they come with the key.
func placeOf(t *Tree, path string) (place, error) { return placeKnowing(t, path, nil) }

// placeKnowing is placeOf where some cut names are known.
func placeKnowing(t *Tree, path string, known Segments) (place, error) {
	if node, ok := t.Lookup(path); ok {
		return existingPlace(path, node), nil
	}
	dirPath, name := splitPath(path)
	dir, ok := t.Lookup(dirPath)
	if !ok {
		return newKeyPlace(t, path, known)
	}
	if !dir.IsDir() {
		return place{}, Errorf(NotDirectory, dirPath, "is a file, so nothing can be in it")
	}
	switch dir.Type() {
	case Object:
		return newFieldPlace(path, name, dir, known)
	case Array:
		return newElementPlace(t, path, name, dir, known)
	}
	if name == valueName {
		return place{path: path, key: dir.Key()}, nil
	}
	return newKeyPlace(t, path, known)
}

func existingPlace(path string, node Node) place {
	p := place{path: path, node: node, key: node.Key(), spot: node.spot()}
	p.field = len(p.spot) > 0
	p.element = node.Index() >= 0
	return p
}

func newKeyPlace(t *Tree, path string, known Segments) (place, error) {
	// The deepest directory that exists must be one where keys live.
	for dirPath := path; dirPath != ""; {
		dirPath, _ = splitPath(dirPath)
		dir, ok := t.Lookup(dirPath)
		if !ok {
			continue
		}
		if !dir.IsDir() {
			return place{}, Errorf(NotDirectory, dirPath, "is a file, so nothing can be in it")
		}
		if parent, _ := splitPath(path); dirPath != parent && (dir.Type() == Object || dir.Type() == Array) {
			return place{}, Errorf(NotFound, parent, "there is no such directory")
		}
		break
	}
	if _, name := splitPath(path); len(name) > nameMax {
		return place{}, Errorf(NameTooLong, path, "the name is longer than %d bytes", nameMax)
	}
	key, err := t.keyOf(path, known)
	if err != nil {
		return place{}, err
	}
	return place{path: path, key: key}, nil
}

func newFieldPlace(path, name string, dir Node, known Segments) (place, error) {
	if len(name) > nameMax {
		return place{}, Errorf(NameTooLong, path, "the name is longer than %d bytes", nameMax)
	}
	field, ok := known.of(name)
	if !ok {
		field, ok = decodeName(name)
	}
	if !ok {
		return place{}, Errorf(Invalid, path, "a field cannot have this name: it is not the encoding of one (write %% as %%25)")
	}
	if _, ok := quote([]byte(field)); !ok {
		return place{}, Errorf(Invalid, path, "a field cannot have this name: it is not UTF-8")
	}
	return place{path: path, key: dir.Key(), spot: dir.spot(), name: field, field: true}, nil
}

func newElementPlace(t *Tree, path, name string, dir Node, known Segments) (place, error) {
	n := elements(dir)
	if name == strconv.Itoa(n) {
		return place{path: path, key: dir.Key(), spot: dir.spot(), field: true, element: true}, nil
	}
	if dir.Pointer() == "" && n < dir.Len() { // keys below the array: a new name is one of theirs
		return newKeyPlace(t, path, known)
	}
	return place{}, Errorf(Invalid, path, "this is an array: a new element can only be added at its end, as %q", strconv.Itoa(n))
}

// elements counts the entries of an array, without the keys below it.
func elements(dir Node) int {
	return int(dir.field().count)
}

// mustExist answers the error for a place with nothing in it.
func (p *place) mustExist() error {
	if !p.exists() {
		return Errorf(NotFound, p.path, "there is no such file or directory")
	}
	return nil
}

// spot is the way to the node from the root of its value.
func (n Node) spot() spot {
	if n.at <= 0 {
		return nil
	}
	fields := n.value.document().fields
	var way spot
	for i := uint32(n.at); i > 0; i = fields[i].parent {
		parent := fields[i].parent
		nth := 0
		if fields[parent].kind == kindArray {
			nth = int(fields[i].name)
		} else {
			for sibling := parent + 1; sibling < i; sibling = fields[sibling].next {
				nth++
			}
		}
		way = append(way, nth)
	}
	slices.Reverse(way)
	return way
}
