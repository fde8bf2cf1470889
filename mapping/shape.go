package mapping

import (
	"math"

	"github.com/tidwall/gjson"
)

// Shape is what a leaf is beside its content: its type, its place among the
// fields, its lease. An editor that moves a file away and writes a new one of
// its name wants those kept.
type Shape struct {
	typ     Type
	newline bool // a newline is added to what is stored
	lease   int64
	// next is the name, as JSON text, of the field that followed; nth the position.
	next []byte
	nth  int
}

// endOfMembers is a position behind all there can be.
const endOfMembers = math.MaxInt

// ShapeOf returns the shape of the leaf at path, nil when there is none.
func ShapeOf(t *Tree, path string) *Shape {
	node, ok := t.Lookup(path)
	if !ok || node.IsDir() {
		return nil
	}
	p := existingPlace(path, node)
	s := &Shape{typ: node.Type(), newline: node.Type() == Raw && node.Newline(), nth: endOfMembers}
	kv, _ := t.Get(p.key)
	if !p.field {
		s.lease = kv.Lease
		return s
	}
	container, n := p.spot.parent()
	if open, _, ok := locate(kv.Value, container); ok {
		s.nth = n
		if next, ok := memberAt(kv.Value, open, n+1); ok {
			s.next = kv.Value[next.nameStart:next.nameEnd]
		}
	}
	return s
}

// position is where a field of this shape belongs in an object: before the field
// it stood before, else where it was counted from the front, else at the end.
func (s *Shape) position(doc []byte, object spot) int {
	if s == nil {
		return endOfMembers
	}
	open, _, ok := locate(doc, object)
	if !ok || len(s.next) == 0 {
		return endOfMembers
	}
	at, next := s.nth, gjson.ParseBytes(s.next).String()
	eachMember(doc, open, func(n int, m member) bool {
		if gjson.ParseBytes(doc[m.nameStart:m.nameEnd]).String() == next {
			at = n
			return false
		}
		return true
	})
	return at
}
