package mapping

import (
	"bytes"
	"slices"
)

// reconciled returns the document with the value at s made equal to want, and
// every byte kept that already is. The order of an object's fields is left as it is.
func reconciled(doc []byte, s spot, want *jsonValue) []byte {
	start, _, ok := locate(doc, s)
	if !ok {
		return doc
	}
	st := pythonStyle()
	if len(s) > 0 {
		container, _ := s.parent()
		var open int
		if st, open, ok = styleAt(doc, container); !ok {
			return doc
		}
		st.learn(doc, open, membersAt(doc, open))
	}
	var r reconciler
	r.doc = doc
	r.value(start, want, st)
	return r.apply()
}

// reconciler collects what has to be replaced in a document, in order of place.
type reconciler struct {
	doc   []byte
	edits []bytesEdit
}

type bytesEdit struct {
	start, end int
	text       []byte
}

func (r *reconciler) replace(start, end int, text []byte) {
	if !bytes.Equal(r.doc[start:end], text) {
		r.edits = append(r.edits, bytesEdit{start, end, text})
	}
}

func (r *reconciler) apply() []byte {
	if len(r.edits) == 0 {
		return r.doc
	}
	var out []byte
	at := 0
	for _, e := range r.edits {
		out = append(append(out, r.doc[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, r.doc[at:]...)
}

// value makes the value that starts at start equal to want; st is the style
// for a container in its place.
func (r *reconciler) value(start int, want *jsonValue, st style) {
	if isContainer(r.doc, start) && typeOf(r.doc[start:]) == want.is {
		members := membersAt(r.doc, start)
		if want.is == Object {
			r.object(start, members, want, st)
		} else {
			r.array(start, members, want, st)
		}
		return
	}
	end := skipValue(r.doc, start)
	if isContainer(r.doc, start) || !scalar(r.doc[start:end]).equal(want) {
		r.replace(start, end, want.write(nil, st))
	}
}

// entry is a member of the container to be: one that stands in the document,
// or a new one.
type entry struct {
	kept int // index among the members, -1 for a new one
	name []byte
	want *jsonValue
}

func (r *reconciler) object(open int, members []member, want *jsonValue, st style) {
	at := make(map[string]int, len(want.names))
	for i, name := range want.names {
		at[name] = i
	}
	var entries []entry
	for i, name := range uniqueNames(r.doc, members) {
		if n, ok := at[name]; ok {
			entries = append(entries, entry{kept: i, want: want.items[n]})
			delete(at, name)
		}
	}
	for i, name := range want.names {
		if n, ok := at[name]; ok && n == i {
			entries = append(entries, entry{kept: -1, name: want.quotedName(i), want: want.items[i]})
		}
	}
	r.container(open, members, entries, st)
}

// array keeps the elements that are equal at both ends, and in between as many
// positions as both have.
func (r *reconciler) array(open int, members []member, want *jsonValue, st style) {
	was := make([]*jsonValue, len(members))
	for i, m := range members {
		was[i] = parseValue(r.doc, m.start)
	}
	front := 0
	for front < min(len(was), len(want.items)) && was[front].equal(want.items[front]) {
		front++
	}
	back := 0
	for back < min(len(was), len(want.items))-front && was[len(was)-1-back].equal(want.items[len(want.items)-1-back]) {
		back++
	}
	var entries []entry
	for i, item := range want.items {
		kept := -1
		switch {
		case i >= len(want.items)-back:
			kept = i - len(want.items) + len(was)
		case i < len(was)-back:
			kept = i
		}
		entries = append(entries, entry{kept: kept, want: item})
	}
	r.container(open, members, entries, st)
}

// container replaces what differs between the members that are and the entries
// to be, whose kept ones are in the members' order.
func (r *reconciler) container(open int, members []member, entries []entry, st style) {
	kept := slices.ContainsFunc(entries, func(e entry) bool { return e.kept >= 0 })
	if !kept {
		r.refill(open, members, entries, st)
		return
	}
	st.learn(r.doc, open, members)
	comma := st.separator(r.doc, open, members)
	last := -1 // the last kept member
	var fresh [][]byte
	for _, e := range entries {
		if e.kept < 0 {
			fresh = append(fresh, r.fresh(e, st))
			continue
		}
		m := members[e.kept]
		switch {
		case last < 0:
			r.replace(members[0].nameStart, m.nameStart, joinBefore(fresh, comma))
		case len(fresh) > 0:
			r.replace(members[last].end, m.nameStart, slices.Concat(joinAfter(fresh, comma), comma))
		case e.kept > last+1:
			r.replace(members[last].end, m.nameStart, r.doc[members[e.kept-1].end:m.nameStart])
		}
		fresh, last = nil, e.kept
		r.value(m.start, e.want, st)
	}
	r.replace(members[last].end, members[len(members)-1].end, joinAfter(fresh, comma))
}

// refill writes all entries of a container anew.
func (r *reconciler) refill(open int, members []member, entries []entry, st style) {
	end := skipValue(r.doc, open) - 1
	if len(entries) == 0 {
		if len(members) > 0 {
			r.replace(open+1, end, nil)
		}
		return
	}
	lead, tail := st.around()
	comma := st.comma
	if st.newline != nil {
		comma = slices.Concat([]byte{','}, lead)
	}
	inner := st
	if len(members) > 0 {
		lead, tail = r.doc[open+1:members[0].nameStart], r.doc[members[len(members)-1].end:end]
		inner.learn(r.doc, open, members)
		comma = inner.separator(r.doc, open, members)
	} else if st.newline != nil {
		inner.indent = lead[len(st.newline):]
	}
	var fresh [][]byte
	for _, e := range entries {
		fresh = append(fresh, r.fresh(e, inner))
	}
	r.replace(open+1, end, slices.Concat(lead, bytes.Join(fresh, comma), tail))
}

// fresh is the text of a new member.
func (r *reconciler) fresh(e entry, st style) []byte {
	if e.name == nil {
		return e.want.write(nil, st)
	}
	return e.want.write(slices.Concat(e.name, st.colon), st)
}

func joinBefore(texts [][]byte, comma []byte) []byte {
	var out []byte
	for _, t := range texts {
		out = append(append(out, t...), comma...)
	}
	return out
}

func joinAfter(texts [][]byte, comma []byte) []byte {
	var out []byte
	for _, t := range texts {
		out = append(append(out, comma...), t...)
	}
	return out
}
