package mapping

import "strings"

// Segments tell what cut names (%~) stand for, by the cut name: a copy knows
// them from the attribute user.ovscfgfs.name before the tree has such an entry.
type Segments map[string]string

// SegmentOf reports whether a cut name is that of the segment.
func SegmentOf(name, segment string) bool {
	return strings.Contains(name, cutMark) && EncodeName(segment) == name
}

// With adds what one cut name stands for.
func (s Segments) With(name, segment string) Segments {
	if s == nil {
		s = Segments{}
	}
	s[name] = segment
	return s
}

// of returns what a cut name stands for.
func (s Segments) of(name string) (string, bool) {
	segment, ok := s[name]
	return segment, ok && SegmentOf(name, segment)
}

// Whole is the field name or key segment that the entry's shown name cuts
// short; not ok if it does not.
func (n Node) Whole() (string, bool) {
	name := n.Name()
	if !strings.Contains(name, cutMark) {
		return "", false
	}
	if n.at > 0 {
		f := &n.value.document().fields[n.at]
		if n.value.document().fields[f.parent].kind == kindArray {
			return "", false
		}
		whole := f.fieldName(n.value.text())
		return whole, SegmentOf(name, whole)
	}
	key := n.Key()
	whole := key[strings.LastIndexByte(key, '/')+1:]
	return whole, SegmentOf(name, whole)
}

// Keyless reports whether nothing at path can be a key, although a field
// could have such a name: one on the way below the directories that exist
// holds a slash, has the suffix of a doubled field, or is cut and not known.
func Keyless(t *Tree, path string, known Segments) bool {
	if _, ok := t.Lookup(path); ok {
		return false
	}
	dir, rest := splitPath(path)
	for ; ; dir, rest = parentAnd(dir, rest) {
		n, ok := t.Lookup(dir)
		if ok && dir != "" && n.Type() != Directory {
			return false // fields can be here, or nothing
		}
		if ok {
			break
		}
	}
	keyless := false
	for name := range strings.SplitSeq(rest, "/") {
		segment, ok := known.of(name)
		if !ok {
			segment, ok = decodeName(name)
		}
		switch {
		case ok && strings.Contains(segment, "/"), !ok && fieldOnly(name):
			keyless = true
		case !ok:
			return false
		}
	}
	return keyless
}

// NamesField reports whether a shown name tells the name of a new field.
func NamesField(name string, known Segments) bool {
	if _, ok := known.of(name); ok {
		return true
	}
	_, ok := decodeName(name)
	return ok
}

// parentAnd moves the last name of dir to the front of rest.
func parentAnd(dir, rest string) (string, string) {
	parent, name := splitPath(dir)
	return parent, name + "/" + rest
}

// fieldOnly reports whether a name that encodes no segment is one that some
// entry can have: cut, or with the suffix of a field.
func fieldOnly(name string) bool {
	if strings.Contains(name, cutMark) {
		return true
	}
	base, json, dup := suffixOf(name)
	if !json && dup == 0 {
		return false
	}
	_, ok := decodeName(base)
	return ok
}
