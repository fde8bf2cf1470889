package mapping

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Node is one shown entry of a tree: a directory of keys, a value, a key that
// is both, or a field within a document. It is a small comparable value, valid
// as long as anyone holds it, and safe for concurrent use. Two equal nodes are
// the same stored thing, unchanged. The zero Node is nothing.
type Node struct {
	value *value
	// dir holds the keys below. With a field, it is the directory that has an
	// entry of the field's name, which the field therefore yields to.
	dir *directory
	at  int32
}

// Places of a Node: whole values and directories, the leaf ".value" of a key
// that is a directory too; the fields of a document are above.
const (
	atWhole = 0
	atValue = -1
)

// Valid reports whether n is anything.
func (n Node) Valid() bool { return n.value != nil || n.dir != nil }

// Name is the name under which the entry is shown in its directory.
func (n Node) Name() string {
	switch {
	case n.at == atValue:
		return valueName
	case n.at > 0:
		return n.fieldName()
	case !n.Valid():
		return ""
	}
	if n.dir != nil && n.dir.root {
		return ""
	}
	key := n.Key()
	return EncodeName(key[strings.LastIndexByte(key, '/')+1:])
}

// fieldName is the name of a field, with the suffix that sets it apart from others of the same name.
func (n Node) fieldName() string {
	doc := n.value.document()
	f := &doc.fields[n.at]
	name, suffix := "", ""
	if doc.fields[f.parent].kind == kindArray {
		name = strconv.FormatUint(uint64(f.name), 10)
	} else {
		name = f.fieldName(n.value.text())
		if dup := doc.names.duplicates[uint32(n.at)]; dup > 0 {
			return suffixedName(name, dupSuffix+strconv.FormatUint(uint64(dup), 10))
		}
	}
	if n.dir != nil {
		suffix = jsonSuffix
	}
	return suffixedName(name, suffix)
}

// IsDir reports whether the entry is shown as a directory.
func (n Node) IsDir() bool {
	switch {
	case n.at == atValue || !n.Valid():
		return false
	case n.at > 0:
		return n.field().kind.container()
	}
	return n.dir != nil || n.value.kind().container()
}

// field is the table entry of a field, or of a document as a whole; nil for
// anything else.
func (n Node) field() *field {
	if n.value == nil || n.at == atValue {
		return nil
	}
	doc := n.value.document()
	if doc == nil {
		return nil
	}
	return &doc.fields[n.at]
}

// Type is what the entry is. A key that is a directory too has the type of its
// document, or is a Directory.
func (n Node) Type() Type {
	switch {
	case !n.Valid():
		return ""
	case n.value == nil:
		return Directory
	}
	k := n.kind()
	if n.at == atWhole && n.dir != nil && !k.container() {
		return Directory
	}
	return k.typ()
}

// kind is the kind of the value or field; of a plain directory, unknown.
func (n Node) kind() kind {
	switch {
	case n.value == nil:
		return kindUnknown
	case n.at > 0:
		return n.field().kind
	}
	return n.value.kind()
}

// Key is the key of the value, or the one that a directory's keys lie below.
func (n Node) Key() string {
	switch {
	case n.value != nil:
		return n.value.key
	case n.dir != nil:
		return n.dir.key
	}
	return ""
}

// KV is the value that the node is or lies in; there is none for a directory
// that is not also a key.
func (n Node) KV() (KV, bool) {
	if n.value == nil {
		return KV{}, false
	}
	return n.value.kv(), true
}

// IsField reports whether the node is a part of a document.
func (n Node) IsField() bool { return n.at > 0 }

// Pointer is the place of a field in its document (RFC 6901), "" for a whole value.
func (n Node) Pointer() string {
	if n.at <= 0 {
		return ""
	}
	doc, text := n.value.document(), n.value.text()
	var names []string
	for i := uint32(n.at); i > 0; i = doc.fields[i].parent {
		name, _ := doc.nameOf(text, i)
		names = append(names, name)
	}
	var pointer strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, name := range slices.Backward(names) {
		pointer.WriteByte('/')
		_, _ = escape.WriteString(&pointer, name)
	}
	return pointer.String()
}

// Index is the position in an array, and -1 elsewhere.
func (n Node) Index() int {
	if n.at > 0 {
		doc := n.value.document()
		if _, element := doc.nameOf(n.value.text(), uint32(n.at)); element {
			return int(doc.fields[n.at].name)
		}
	}
	return -1
}

// Suffixed reports whether the name has a suffix, because something else in the directory has the
// one without. Of the fields that an object has twice and more, duplicate is the number; 0 beside a key.
func (n Node) Suffixed() (duplicate uint32, is bool) {
	if n.at <= 0 {
		return 0, false
	}
	duplicate = n.value.document().names.duplicates[uint32(n.at)]
	return duplicate, duplicate > 0 || n.dir != nil
}

// Seen is when this content was first seen; a field that a new document left
// alone keeps its time, if anyone had looked into the old one. Of a directory
// of keys, it is when an entry last came or went. It is zero if unknown.
func (n Node) Seen() time.Time {
	switch {
	case n.value == nil && n.dir == nil:
		return time.Time{}
	case n.value == nil:
		return timeOf(n.dir.seen)
	case n.at > 0:
		if seen := n.value.document().seen; seen != nil {
			return timeOf(seen[n.at])
		}
	case n.at == atWhole && n.dir != nil:
		return timeOf(max(n.value.seen, n.dir.seen))
	}
	return n.value.seenTime()
}
