package mapping

import (
	"bytes"
	"slices"
)

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

// pythonStyle is that of Python's json.dumps, which wrote most of these
// documents; it is used where a document shows no other.
func pythonStyle() style { return style{comma: []byte(", "), colon: []byte(": ")} }

// indentedStyle breaks lines, each level indented by unit.
func indentedStyle(unit string) style {
	st := pythonStyle()
	st.newline, st.unit = []byte("\n"), []byte(unit)
	return st
}

// styleAt learns the layout on the way to the container at s, whose opening
// bracket it returns.
func styleAt(doc []byte, s spot) (style, int, bool) {
	st := pythonStyle()
	open := skipSpace(doc, 0)
	if !isContainer(doc, open) {
		return st, 0, false
	}
	for _, n := range s {
		var few []member // as many as learn wants
		var next member
		count := 0
		eachMember(doc, open, func(i int, m member) bool {
			if i < 2 {
				few = append(few, m)
			}
			if i == n {
				next = m
			}
			count++
			return i < max(n, 1)
		})
		if count <= n || !isContainer(doc, next.start) {
			return st, 0, false
		}
		st.learn(doc, open, few)
		open = next.start
	}
	return st, open, true
}

// learn takes over the layout of a container from its first members. It is then
// the style of a container that is one of the members.
func (s *style) learn(doc []byte, open int, members []member) {
	if len(members) == 0 {
		return
	}
	first := members[0]
	if first.nameEnd > first.nameStart {
		s.colon = doc[first.nameEnd:first.start]
	}
	s.comma = []byte(", ")
	if bytes.Equal(s.colon, []byte(":")) {
		s.comma = []byte(",")
	}
	if len(members) > 1 {
		comma := doc[first.end:members[1].nameStart]
		// The separator of lines is not one within a line.
		if bytes.IndexByte(comma, '\n') < 0 {
			s.comma = comma
		}
	}
	lead := doc[open+1 : first.nameStart]
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
}

// separator is what stands between the members of a container with these members.
func (s *style) separator(doc []byte, open int, members []member) []byte {
	if len(members) > 1 {
		return doc[members[0].end:members[1].nameStart]
	}
	if lead := doc[open+1 : members[0].nameStart]; len(lead) > 0 {
		return append([]byte{','}, lead...)
	}
	return s.comma
}
