package mapping

// Content is what a reader of a leaf sees: the text of a string, a scalar in
// its own spelling, the bytes of a raw value, and, unless the tree is exact, a
// newline behind any but empty text that has none of its own. It must not be
// modified. A directory has no content.
func (n Node) Content() []byte {
	if n.IsDir() || !n.Valid() {
		return nil
	}
	k, data := n.leaf()
	switch {
	case k == kindRaw && !n.Newline():
		return n.value.bytes()
	case k == kindString:
		data = unquote(data[1 : len(data)-1])
	}
	if !n.Newline() {
		return []byte(data)
	}
	content := make([]byte, 0, len(data)+1)
	return append(append(content, data...), '\n')
}

// Size is the length of Content in bytes.
func (n Node) Size() int64 {
	if n.IsDir() || !n.Valid() {
		return 0
	}
	k, data := n.leaf()
	size := len(data)
	if k == kindString {
		size = unquotedLen(data[1 : len(data)-1])
	}
	if n.Newline() {
		size++
	}
	return int64(size)
}

// Newline reports whether Content ends in a newline that is not stored.
func (n Node) Newline() bool {
	if n.IsDir() || !n.Valid() || n.value.exact() {
		return false
	}
	switch k, data := n.leaf(); k {
	case kindRaw:
		return n.value.addsNewline()
	case kindString:
		return len(data) > 2
	default:
		return true
	}
}

// leaf returns the kind of a leaf and its stored text: JSON, or all of a raw value.
func (n Node) leaf() (kind, string) {
	text := n.value.text()
	if n.at > 0 {
		f := n.field()
		return f.kind, text[f.start:f.end]
	}
	if k := n.value.kind(); k != kindRaw {
		return k, n.value.scalar()
	}
	return kindRaw, text
}

// Stored returns the bytes of the value that the node is, as the store has
// them: the whole value, or the JSON text of a field. It must not be modified.
// A directory that is not also a key has none.
func (n Node) Stored() []byte {
	if n.value == nil {
		return nil
	}
	if n.at > 0 {
		f := n.field()
		return n.value.bytes()[f.start:f.end:f.end]
	}
	return n.value.bytes()
}
