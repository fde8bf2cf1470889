package mapping

import "slices"

// An edit of a document replaces the bytes of one place and copies the rest.
// sjson is not used for it: it touches only the first of duplicate names, takes
// text that is not JSON, pads arrays with nulls, turns a scalar root into an
// object and replaces invalid UTF-8 (FINDINGS 4). It serves the tests as a
// second oracle.

// spot is the way to a value in a document: the ordinals of the members to
// descend into. Unlike a pointer it tells duplicate names apart. The empty spot
// is the whole value.
type spot []int

// parent is the container's spot, and the last step into it.
func (s spot) parent() (spot, int) { return s[:len(s)-1], s[len(s)-1] }

// within reports whether s is below or at p.
func (s spot) within(p spot) bool { return len(s) >= len(p) && slices.Equal(s[:len(p)], p) }

// memberAt returns the nth member of the container that opens at open.
func memberAt(doc []byte, open, n int) (found member, ok bool) {
	if !isContainer(doc, open) {
		return member{}, false
	}
	eachMember(doc, open, func(i int, m member) bool {
		if i == n {
			found, ok = m, true
		}
		return !ok
	})
	return found, ok
}

// locate returns where the value at s starts and ends.
func locate(doc []byte, s spot) (start, end int, ok bool) {
	start = skipSpace(doc, 0)
	if start == len(doc) {
		return 0, 0, false
	}
	if len(s) == 0 {
		return start, skipValue(doc, start), true
	}
	for _, n := range s {
		m, ok := memberAt(doc, start, n)
		if !ok {
			return 0, 0, false
		}
		start, end = m.start, m.end
	}
	return start, end, true
}

// replace returns doc with the bytes from start to end exchanged for text.
func replace(doc []byte, start, end int, text ...[]byte) []byte {
	size := len(doc) - (end - start)
	for _, t := range text {
		size += len(t)
	}
	out := append(make([]byte, 0, size), doc[:start]...)
	for _, t := range text {
		out = append(out, t...)
	}
	return append(out, doc[end:]...)
}

// setValue replaces the value at s.
func setValue(doc []byte, s spot, text []byte) []byte {
	start, end, ok := locate(doc, s)
	if !ok {
		return doc
	}
	return replace(doc, start, end, text)
}

// setName replaces the name of the field at s; name is JSON text.
func setName(doc []byte, s spot, name []byte) []byte {
	parent, n := s.parent()
	open, _, ok := locate(doc, parent)
	if !ok {
		return doc
	}
	m, ok := memberAt(doc, open, n)
	if !ok {
		return doc
	}
	return replace(doc, m.nameStart, m.nameEnd, name)
}

// removeMember takes out the member at s with its comma and its line.
func removeMember(doc []byte, s spot) []byte {
	parent, n := s.parent()
	open, _, ok := locate(doc, parent)
	if !ok {
		return doc
	}
	var before, gone, after member
	count := 0
	end := eachMember(doc, open, func(i int, m member) bool {
		switch i {
		case n - 1:
			before = m
		case n:
			gone = m
		case n + 1:
			after = m
		}
		count++
		return i <= n
	})
	switch {
	case count <= n:
		return doc
	case count > n+1:
		return replace(doc, gone.nameStart, after.nameStart)
	case n > 0:
		return replace(doc, before.end, gone.end)
	}
	return replace(doc, open+1, end)
}

// insertMember adds a member to the container at s so that it becomes the nth,
// or the last when there are not as many. name is JSON text, nil in an array.
// Spacing and line breaks are the neighbours'.
func insertMember(doc []byte, s spot, n int, name, value []byte) []byte {
	style, open, ok := styleAt(doc, s)
	if !ok {
		return doc
	}
	var few []member
	var last, target member
	count := 0
	end := eachMember(doc, open, func(i int, m member) bool {
		if i < 2 {
			few = append(few, m)
		}
		if i == n {
			target = m
		}
		last = m
		count++
		return i < max(n, 1)
	})
	if count == 0 {
		lead, tail := style.around()
		return replace(doc, open+1, end, lead, name, style.colonFor(name), value, tail)
	}
	var colon []byte
	if name != nil {
		colon = doc[last.nameEnd:last.start]
	}
	style.learn(doc, open, few)
	comma := style.separator(doc, open, few)
	if count > n {
		return replace(doc, target.nameStart, target.nameStart, name, colon, value, comma)
	}
	return replace(doc, last.end, last.end, comma, name, colon, value)
}
