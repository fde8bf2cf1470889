package mapping

import (
	"slices"
	"strconv"
	"strings"
)

// document is the table of the fields of one JSON object or array. One pass
// over the text makes it. (gjson, which has judged the text valid before, has
// no such pass: its iterators scan the rest of a container again at each
// level, and keep no places for an edit to splice at.)
type document struct {
	fields []field
	names  nameIndex
	// seen is when each field was first seen, if that differs from the value's own time; else nil.
	seen []int64
}

func parseDocument(text string) *document {
	// Each field but the first of a container follows a comma.
	estimate := 1 + strings.Count(text, ",") + strings.Count(text, "{") + strings.Count(text, "[")
	p := parser{text: text, fields: make([]field, 0, estimate)}
	p.value(0, 0)
	doc := &document{fields: p.fields}
	if cap(doc.fields) > len(doc.fields)+len(doc.fields)/4 {
		doc.fields = slices.Clone(doc.fields)
	}
	doc.names = indexNames(text, doc.fields)
	return doc
}

type parser struct {
	text   string
	fields []field
}

// space returns the first place at or behind i that is no white space.
func (p *parser) space(i int) int {
	for i < len(p.text) && isSpace(p.text[i]) {
		i++
	}
	return i
}

// value appends the field whose text starts at or behind i and all within it,
// and returns where it ends. The caller fills in the name.
func (p *parser) value(i int, parent uint32) int {
	i = p.space(i)
	at := len(p.fields)
	f := field{start: uint32(i), parent: parent, kind: kindAt(p.text[i])}
	p.fields = append(p.fields, f)
	switch f.kind {
	case kindObject:
		f.count, i = p.object(i+1, uint32(at))
	case kindArray:
		f.count, i = p.array(i+1, uint32(at))
	case kindString:
		i, f.escaped = p.str(i)
	default:
		for i < len(p.text) && !endsScalar(p.text[i]) {
			i++
		}
	}
	f.end, f.next = uint32(i), uint32(len(p.fields))
	p.fields[at] = f
	return i
}

func endsScalar(c byte) bool { return c == ',' || c == '}' || c == ']' || isSpace(c) }

func (p *parser) object(i int, parent uint32) (count uint32, end int) {
	for {
		i = p.space(i)
		switch p.text[i] {
		case '}':
			return count, i + 1
		case ',':
			i++
			continue
		}
		at := len(p.fields)
		end, escaped := p.str(i)
		name, nameEnd := i+1, end-1
		i = p.space(end) + 1 // the colon
		i = p.value(i, parent)
		f := &p.fields[at]
		f.name, f.nameEnd, f.escapedName = uint32(name), uint32(nameEnd), escaped
		count++
	}
}

func (p *parser) array(i int, parent uint32) (count uint32, end int) {
	for {
		i = p.space(i)
		switch p.text[i] {
		case ']':
			return count, i + 1
		case ',':
			i++
			continue
		}
		at := len(p.fields)
		i = p.value(i, parent)
		p.fields[at].name = count
		count++
	}
}

// str returns the place behind the string whose quote is at i.
func (p *parser) str(i int) (end int, escaped bool) {
	for i++; ; i++ {
		switch p.text[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			i++
		}
	}
}

// fieldName returns the decoded name of a member of an object.
func (f *field) fieldName(text string) string {
	name := text[f.name:f.nameEnd]
	if f.escapedName {
		return unquote(name)
	}
	return name
}

// children returns the fields of a container in their order.
func (d *document) children(parent uint32) []uint32 {
	list := make([]uint32, 0, d.fields[parent].count)
	for i := parent + 1; i < d.fields[parent].next; i = d.fields[i].next {
		list = append(list, i)
	}
	return list
}

// element returns the element of an array with that index.
func (d *document) element(parent, index uint32) (uint32, bool) {
	f := &d.fields[parent]
	if index >= f.count {
		return 0, false
	}
	if f.next == parent+1+f.count {
		return parent + 1 + index, true // no element holds any
	}
	i := parent + 1
	for range index {
		i = d.fields[i].next
	}
	return i, true
}

// nameOf is the decoded name of a field, or its index in decimal if it is an element.
func (d *document) nameOf(text string, i uint32) (name string, element bool) {
	f := &d.fields[i]
	if d.fields[f.parent].kind == kindArray {
		return strconv.FormatUint(uint64(f.name), 10), true
	}
	return f.fieldName(text), false
}
