package mapping

import (
	"bytes"
	"slices"
)

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
	var first, second, last, target member
	count := 0
	end := eachMember(doc, open, func(i int, m member) bool {
		switch i {
		case 0:
			first = m
		case 1:
			second = m
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
	colon := style.colonFor(name)
	if name != nil {
		colon = doc[last.nameEnd:last.start]
	}
	var comma []byte
	switch lead := doc[open+1 : first.nameStart]; {
	case count > 1:
		comma = doc[first.end:second.nameStart]
	case len(lead) > 0:
		comma = append([]byte{','}, lead...)
	default:
		comma = style.comma
	}
	if count > n {
		return replace(doc, target.nameStart, target.nameStart, name, colon, value, comma)
	}
	return replace(doc, last.end, last.end, comma, name, colon, value)
}

// style is how a document is laid out around a place that has no neighbours to
// copy from.
type style struct {
	comma, colon []byte
	newline      []byte // what separates lines, nil for a document of one line
	indent, unit []byte // of the container's own line, and of one level more
}

func (s *style) colonFor(name []byte) []byte {
	if name == nil {
		return nil
	}
	return s.colon
}

// around is what stands before and after the only member of a container.
func (s *style) around() (lead, tail []byte) {
	if s.newline == nil {
		return nil, nil
	}
	tail = slices.Concat(s.newline, s.indent)
	return slices.Concat(tail, s.unit), tail
}

// styleAt learns the layout on the way to the container at s, whose opening
// bracket it returns. Without any example it is that of Python's json.dumps,
// which wrote most of these documents.
func styleAt(doc []byte, s spot) (style, int, bool) {
	st := style{comma: []byte(", "), colon: []byte(": ")}
	open := skipSpace(doc, 0)
	if !isContainer(doc, open) {
		return st, 0, false
	}
	for _, n := range s {
		var first, second, m member
		count := 0
		eachMember(doc, open, func(i int, each member) bool {
			if i == 0 {
				first = each
			}
			if i == 1 {
				second = each
			}
			if i == n {
				m = each
			}
			count++
			return i < max(n, 1)
		})
		if count <= n {
			return st, 0, false
		}
		if doc[open] == '{' {
			st.colon = doc[first.nameEnd:first.start]
		}
		if bytes.Equal(st.colon, []byte(":")) {
			st.comma = []byte(",")
		}
		if count > 1 {
			st.comma = doc[first.end:second.nameStart]
		}
		st.learnLines(doc[open+1 : first.nameStart])
		open = m.start
		if !isContainer(doc, open) {
			return st, 0, false
		}
	}
	return st, open, true
}

// learnLines takes the white space before a container's first member as the
// indentation of one more level.
func (s *style) learnLines(lead []byte) {
	line := bytes.LastIndexByte(lead, '\n')
	if line < 0 {
		s.newline = nil
		return
	}
	s.newline = []byte("\n")
	if line > 0 && lead[line-1] == '\r' {
		s.newline = []byte("\r\n")
	}
	indent := lead[line+1:]
	if len(indent) > len(s.indent) && bytes.HasPrefix(indent, s.indent) {
		s.unit = indent[len(s.indent):]
	}
	s.indent = indent
	// The separator of lines is not a separator within one.
	if bytes.IndexByte(s.comma, '\n') >= 0 {
		s.comma = []byte(", ")
	}
}
