package mapping

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// shift gives v the table of old, of the same key, with other places, if the
// text of one scalar is all that they differ in, and returns that field. It
// costs a comparison of the texts and a copy of the table; to find out that a
// text is valid and where its fields are takes ten times as long.
func (v *value) shift(old *value, before *document) (at uint32, ok bool) {
	was, is := old.text(), v.text()
	from, same := differsBetween(was, is)
	n := before.fieldAt(from)
	if n < 1 {
		return 0, false
	}
	f := before.fields[n]
	if f.kind.container() || int(f.end) < len(was)-same {
		return 0, false
	}
	grown := len(is) - len(was)
	end := int(f.end) + grown
	if end <= int(f.start) || uint64(len(is)) > 1<<31 {
		return 0, false
	}
	// A valid value in the place of a valid value leaves the whole valid.
	text := is[f.start:end]
	if isSpace(text[0]) || isSpace(text[len(text)-1]) || kindAt(text[0]).container() || !gjson.Valid(text) {
		return 0, false
	}
	doc := &document{fields: slices.Clone(before.fields), names: before.names}
	doc.move(uint32(n), uint32(grown))
	changed := &doc.fields[n]
	changed.kind = kindAt(text[0])
	changed.escaped = changed.kind == kindString && strings.IndexByte(text, '\\') >= 0
	v.state.Store(v.state.Load() | old.state.Load()&stateKind)
	v.doc.Store(doc)
	return uint32(n), true
}

// move lets field n grow, by a number that may be negative (modulo 2³²), and
// all that is behind it move.
func (d *document) move(n, grown uint32) {
	if grown == 0 {
		return
	}
	for i := n; ; i = d.fields[i].parent {
		d.fields[i].end += grown
		if i == 0 {
			break
		}
	}
	for i := int(n) + 1; i < len(d.fields); i++ {
		f := &d.fields[i]
		f.start += grown
		f.end += grown
		if f.nameEnd != 0 { // else an element, whose name is its index
			f.name += grown
			f.nameEnd += grown
		}
	}
}

// differsBetween returns how many bytes at the start and, of the rest, at the
// end two texts have in common.
func differsBetween(a, b string) (start, end int) {
	n := min(len(a), len(b))
	start = commonLength(n, func(i, j int) bool { return a[i:j] == b[i:j] })
	end = commonLength(n-start, func(i, j int) bool { return a[len(a)-j:len(a)-i] == b[len(b)-j:len(b)-i] })
	return start, end
}

// commonLength returns the largest length up to n at which two texts are the
// same, given a comparison of their parts from i to j.
func commonLength(n int, same func(i, j int) bool) int {
	const large = 4096
	i := 0
	for step := large; step > 0; step /= 8 {
		for i+step <= n && same(i, i+step) {
			i += step
		}
	}
	return i
}
