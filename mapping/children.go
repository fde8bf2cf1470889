package mapping

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Lookup finds an entry of a directory by its shown name.
func (n Node) Lookup(name string) (Node, bool) {
	if len(name) > nameMax {
		return Node{}, false
	}
	if n.at == atWhole && n.dir != nil {
		if s := n.dir.named(name); !s.empty() {
			return Node{value: s.value, dir: s.dir}, true
		}
		if name == valueName && n.value != nil && !n.value.kind().container() {
			return Node{value: n.value, at: atValue}, true
		}
	}
	if f := n.field(); f != nil && f.kind.container() {
		return n.lookupField(name)
	}
	return Node{}, false
}

func (n Node) lookupField(name string) (Node, bool) {
	doc, parent := n.value.document(), uint32(n.at)
	base, json, dup := suffixOf(name)
	decoded, ok := decodeName(base)
	if !ok && !strings.Contains(base, cutMark) {
		return Node{}, false
	}
	if dup > 0 || !ok {
		// These are rare: they are compared as they are shown.
		for child := range n.fields() {
			if child.Name() == name {
				return child, true
			}
		}
		return Node{}, false
	}
	var i uint32
	if doc.fields[parent].kind == kindArray {
		index, err := strconv.ParseUint(decoded, 10, 32)
		if err != nil || strconv.FormatUint(index, 10) != decoded {
			return Node{}, false
		}
		i, ok = doc.element(parent, uint32(index))
	} else {
		i, ok = doc.names.find(n.value.text(), doc.fields, parent, decoded)
	}
	if !ok {
		return Node{}, false
	}
	child := n.fieldNode(i)
	if json != (child.dir != nil) {
		return Node{}, false
	}
	return child, true
}

// fieldNode is a field of the container n.
func (n Node) fieldNode(i uint32) Node {
	child := Node{value: n.value, at: int32(i)}
	if n.at == atWhole && n.dir != nil {
		if doc := n.value.document(); doc.names.duplicates[i] == 0 {
			name, _ := doc.nameOf(n.value.text(), i)
			if !n.dir.get(name).empty() {
				child.dir = n.dir
			}
		}
	}
	return child
}

// Children are the entries of a directory: the leaf ".value", its fields, then
// its keys. In this order each can be removed without a change to the names of
// those that follow: elements of an array come in descending order, fields with a
// suffix before what they have it from.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		keys := n.at == atWhole && n.dir != nil
		if keys && n.value != nil && !n.value.kind().container() && !yield(Node{value: n.value, at: atValue}) {
			return
		}
		for child := range n.fields() {
			if !yield(child) {
				return
			}
		}
		if !keys {
			return
		}
		for s := range n.dir.slots() {
			if !yield(Node{value: s.value, dir: s.dir}) {
				return
			}
		}
	}
}

// fields are the fields of a container in the order of a listing.
func (n Node) fields() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		f := n.field()
		if f == nil || !f.kind.container() {
			return
		}
		doc := n.value.document()
		list := doc.children(uint32(n.at))
		switch {
		case f.kind == kindArray:
			slices.Reverse(list)
		case len(doc.names.duplicates) > 0:
			slices.SortStableFunc(list, func(a, b uint32) int {
				return cmp.Compare(doc.names.duplicates[b], doc.names.duplicates[a])
			})
		}
		for _, i := range list {
			if !yield(n.fieldNode(i)) {
				return
			}
		}
	}
}

// Len is the number of entries of a directory.
func (n Node) Len() int {
	count := 0
	if n.at == atWhole && n.dir != nil {
		count = n.dir.len()
		if n.value != nil && !n.value.kind().container() {
			count++
		}
	}
	if f := n.field(); f != nil {
		count += int(f.count)
	}
	return count
}
