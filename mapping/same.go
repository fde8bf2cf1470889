package mapping

// Same reports whether two nodes are the same kind of entry with the same
// content; of directories, whether the same names have the same content. What
// two trees share is not looked into.
func (n Node) Same(m Node) bool {
	if n == m {
		return true
	}
	if n.IsDir() != m.IsDir() || n.Type() != m.Type() {
		return false
	}
	if !n.IsDir() {
		return n.sameLeaf(m)
	}
	// A field's dir only lends it its name.
	sameKeys := n.at != atWhole || m.at != atWhole || n.dir == m.dir
	if sameKeys && n.value != nil && m.value != nil && string(n.Stored()) == string(m.Stored()) {
		return true
	}
	if n.Len() != m.Len() {
		return false
	}
	for child := range n.Children() {
		other, ok := m.Lookup(child.Name())
		if !ok || !child.Same(other) {
			return false
		}
	}
	return true
}

func (n Node) sameLeaf(m Node) bool {
	if !n.Valid() || !m.Valid() {
		return n.Valid() == m.Valid()
	}
	if string(n.Stored()) == string(m.Stored()) && n.Newline() == m.Newline() {
		return true
	}
	return string(n.Content()) == string(m.Content())
}
