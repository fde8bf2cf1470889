package mapping

import "slices"

// inheritSeen gives the fields of v that are as they were in old the times
// they had there. It needs old's table, and does nothing if nobody has looked
// into old: no time of its fields was shown then.
func (v *value) inheritSeen(old *value) {
	before := old.doc.Load()
	if before == nil {
		return
	}
	if at, ok := v.shift(old, before); ok && before.names.duplicates == nil {
		v.renew(old, at)
		return
	}
	after := v.document()
	if after == nil {
		return
	}
	c := seenCarrier{
		old: before, oldText: old.text(), oldSeen: old.seen,
		new: after, newText: v.text(), seen: make([]int64, len(after.fields)),
	}
	for i := range c.seen {
		c.seen[i] = v.seen
	}
	c.carry(0, 0)
	after.seen = c.seen
}

// renew keeps all times of old but those of the one field that differs and of
// what that is in.
func (v *value) renew(old *value, at uint32) {
	before, doc := old.doc.Load(), v.doc.Load()
	seen := slices.Clone(before.seen)
	if seen == nil {
		seen = slices.Repeat([]int64{old.seen}, len(doc.fields))
	}
	for i := at; ; i = doc.fields[i].parent {
		seen[i] = v.seen
		if i == 0 {
			break
		}
	}
	doc.seen = seen
}

type seenCarrier struct {
	old, new         *document
	oldText, newText string
	oldSeen          int64
	seen             []int64
}

// carry sets the times of field n and all within it from field o of the old
// document.
func (c *seenCarrier) carry(o, n uint32) {
	before, after := &c.old.fields[o], &c.new.fields[n]
	if before.kind != after.kind {
		return
	}
	if c.oldText[before.start:before.end] == c.newText[after.start:after.end] {
		// The same text is the same table.
		for i := range after.next - n {
			c.seen[n+i] = c.oldTime(o + i)
		}
		return
	}
	if !after.kind.container() {
		return
	}
	// Most fields are where they were: the old one that follows the last match is tried before a search.
	guess := o + 1
	for i := n + 1; i < after.next; i = c.new.fields[i].next {
		match, ok := c.match(o, guess, n, i)
		if ok {
			c.carry(match, i)
			guess = c.old.fields[match].next
		}
	}
}

// match finds the field of the old container o that has the name of the new field i.
func (c *seenCarrier) match(o, guess, n, i uint32) (uint32, bool) {
	f := &c.new.fields[i]
	if c.new.fields[n].kind == kindArray {
		if guess < c.old.fields[o].next {
			return guess, true
		}
		return 0, false
	}
	if c.new.names.duplicates[i] > 0 {
		return 0, false
	}
	name := f.fieldName(c.newText)
	if guess < c.old.fields[o].next && c.old.names.duplicates[guess] == 0 &&
		c.old.fields[guess].fieldName(c.oldText) == name {
		return guess, true
	}
	return c.old.names.find(c.oldText, c.old.fields, o, name)
}

func (c *seenCarrier) oldTime(i uint32) int64 {
	if c.old.seen != nil {
		return c.old.seen[i]
	}
	return c.oldSeen
}
