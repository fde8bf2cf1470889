package mapping

import "sort"

// ChangedChild returns the name of the one entry of n in which it differs from
// old, if both are of a document in which one text or number changed, as by
// [Tree.Apply]. It answers at once what a comparison of all entries would; ok is false where it
// cannot tell.
func (n Node) ChangedChild(old Node) (name string, ok bool) {
	if n.value == nil || old.value == nil || n.at < 0 || n.at != old.at || n.dir != nil || old.dir != nil {
		return "", false
	}
	was, is := old.value.doc.Load(), n.value.doc.Load()
	if was == nil || is == nil || !was.names.sharedWith(&is.names) || was.names.duplicates != nil {
		return "", false
	}
	before, after := old.value.text(), n.value.text()
	from, same := differsBetween(before, after)
	i := was.fieldAt(from)
	if i < 1 || was.fields[i].kind.container() || int(was.fields[i].end) < len(before)-same {
		return "", false
	}
	for at := uint32(i); at > 0; {
		parent := is.fields[at].parent
		if parent == uint32(n.at) {
			return n.fieldNode(at).Name(), true
		}
		at = parent
	}
	return "", false
}

// fieldAt is the last field that starts at or before a place in the text: fields are in the order of their starts.
func (d *document) fieldAt(place int) int {
	return sort.Search(len(d.fields), func(i int) bool { return int(d.fields[i].start) > place }) - 1
}

// sharedWith reports whether two indexes are one, which documents of the same names share.
func (x *nameIndex) sharedWith(y *nameIndex) bool { return &x.table[0] == &y.table[0] }
