package mapping

import (
	"strings"
	"unicode/utf8"
)

// valueOf is an entry of the tree as a JSON value: keys and directories become
// objects, raw values strings. With strict it refuses what would not come back
// the same; without, it is for showing.
func valueOf(n Node, path string, strict bool) (*jsonValue, error) {
	if !n.IsDir() {
		return leafValue(n, path, strict)
	}
	if !isMixed(n) {
		return parseJSON(n.Stored()), nil
	}
	v := &jsonValue{is: Object}
	taken := map[string]bool{}
	for child := range n.Children() {
		name := nameInView(child)
		if taken[name] {
			name = child.Name()
		}
		at := joinPath(path, child.Name())
		if taken[name] || strict && !utf8.ValidString(nameOfSegment(child)) {
			return nil, Errorf(Invalid, at, "cannot be in one document with the rest: its name is taken, or is not UTF-8")
		}
		taken[name] = true
		item, err := valueOf(child, at, strict)
		if err != nil {
			return nil, err
		}
		v.add(name, item)
	}
	return v, nil
}

// isMixed reports whether a directory has keys, so that its text is computed
// and not stored.
func isMixed(n Node) bool { return n.at == atWhole && n.dir != nil }

func leafValue(n Node, path string, strict bool) (*jsonValue, error) {
	_, text := n.leaf()
	if n.Type() != Raw {
		return scalar([]byte(text)), nil
	}
	if strict && !utf8.ValidString(text) {
		return nil, Errorf(Invalid, path, "is not UTF-8, so it cannot become a string in a document")
	}
	return stringValue([]byte(text)), nil
}

// nameOfSegment is the name of an entry before it was encoded for showing; of a
// field with a suffix, and of a key's own value, the shown one.
func nameOfSegment(n Node) string {
	switch {
	case n.at == atWhole:
		key := n.Key()
		return key[strings.LastIndexByte(key, '/')+1:]
	case n.at > 0:
		if name, ok := decodeName(n.Name()); ok {
			return name
		}
	}
	return n.Name()
}

// nameInView is the name that an entry has in a view: its own where JSON can hold it.
func nameInView(n Node) string {
	if name := nameOfSegment(n); utf8.ValidString(name) {
		return name
	}
	return strings.ToValidUTF8(n.Name(), "\uFFFD")
}

func joinPath(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
