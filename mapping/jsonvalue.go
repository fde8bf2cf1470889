package mapping

import (
	"bytes"
	"strconv"
)

// jsonValue is a JSON value taken apart for comparing and for writing it
// anew. Scalars keep their text.
type jsonValue struct {
	is    Type
	text  []byte   // of a scalar
	names []string // of an object's fields, unique
	items []*jsonValue
}

func (v *jsonValue) isContainer() bool { return v.is == Object || v.is == Array }

func (v *jsonValue) add(name string, item *jsonValue) {
	v.names = append(v.names, name)
	v.items = append(v.items, item)
}

func scalar(text []byte) *jsonValue { return &jsonValue{is: typeOf(text), text: text} }

// stringValue is a JSON string; bytes that are no UTF-8 are replaced, for showing only.
func stringValue(s []byte) *jsonValue {
	text, ok := quote(s)
	if !ok {
		text, _ = quote(bytes.ToValidUTF8(s, []byte("\uFFFD")))
	}
	return &jsonValue{is: String, text: text}
}

// decoded is the text of a string.
func (v *jsonValue) decoded() string { return unquote(string(v.text[1 : len(v.text)-1])) }

// parseJSON takes valid JSON text apart.
func parseJSON(text []byte) *jsonValue { return parseValue(text, skipSpace(text, 0)) }

func parseValue(text []byte, start int) *jsonValue {
	if !isContainer(text, start) {
		return scalar(text[start:skipValue(text, start)])
	}
	v := &jsonValue{is: typeOf(text[start:])}
	members := membersAt(text, start)
	for _, m := range members {
		v.items = append(v.items, parseValue(text, m.start))
	}
	if v.is == Object {
		v.names = uniqueNames(text, members)
	}
	return v
}

// membersAt returns all members of the container that opens at open.
func membersAt(doc []byte, open int) []member {
	var list []member
	eachMember(doc, open, func(_ int, m member) bool {
		list = append(list, m)
		return true
	})
	return list
}

// uniqueNames are the decoded names of an object's members. As in a listing, the
// last of several fields of one name has it, the earlier ones get a suffix.
func uniqueNames(doc []byte, members []member) []string {
	names := make([]string, len(members))
	last := make(map[string]int, len(members))
	repeated := false
	for i, m := range members {
		names[i] = memberName(doc, i, m)
		if _, ok := last[names[i]]; ok {
			repeated = true
		}
		last[names[i]] = i
	}
	if !repeated {
		return names
	}
	dups := map[string]int{}
	for i, name := range names {
		if last[name] != i {
			dups[name]++
			names[i] = name + dupSuffix + strconv.Itoa(dups[name])
		}
	}
	return names
}

// equal reports whether two values mean the same, down to the spelling of
// numbers. The order of fields means nothing.
func (v *jsonValue) equal(w *jsonValue) bool {
	if v.is != w.is || len(v.items) != len(w.items) {
		return false
	}
	switch v.is {
	case String:
		return bytes.Equal(v.text, w.text) || v.decoded() == w.decoded()
	case Array:
		for i := range v.items {
			if !v.items[i].equal(w.items[i]) {
				return false
			}
		}
		return true
	case Object:
		byName := make(map[string]*jsonValue, len(w.names))
		for i, name := range w.names {
			byName[name] = w.items[i]
		}
		for i, name := range v.names {
			if other := byName[name]; other == nil || !v.items[i].equal(other) {
				return false
			}
		}
		return true
	}
	return bytes.Equal(v.text, w.text)
}

// write appends the value in a style.
func (v *jsonValue) write(out []byte, st style) []byte {
	if !v.isContainer() {
		return append(out, v.text...)
	}
	open, end := byte('{'), byte('}')
	if v.is == Array {
		open, end = '[', ']'
	}
	out = append(out, open)
	if len(v.items) == 0 {
		return append(out, end)
	}
	lead, tail := st.around()
	inner := st
	if st.newline != nil {
		inner.indent = lead[len(st.newline):]
	}
	for i, item := range v.items {
		switch {
		case i == 0:
			out = append(out, lead...)
		case st.newline != nil:
			out = append(append(out, ','), lead...)
		default:
			out = append(out, st.comma...)
		}
		if v.is == Object {
			out = append(append(out, v.quotedName(i)...), st.colon...)
		}
		out = item.write(out, inner)
	}
	return append(append(out, tail...), end)
}

// quotedName is the name of the nth field as JSON text. A name that came from
// stored bytes which are no UTF-8 keeps them.
func (v *jsonValue) quotedName(n int) []byte {
	if name, ok := quote([]byte(v.names[n])); ok {
		return name
	}
	name, _ := quote(bytes.ToValidUTF8([]byte(v.names[n]), []byte("\uFFFD")))
	return name
}
