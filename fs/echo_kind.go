package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// A name that shows something of another kind (a directory that is a file now) is
// repeated as the removal of what it was and the making of what it is, one after
// the other in one lane. Until then the kernel keeps the old, which has left the table.

// replaced reports whether something of another kind came in the place of what
// went, and was nowhere before.
func (f *found) replaced() bool { return f.after != nil && !f.after.used }

// replace plans for what went from a name, and for f.after that came in its place.
func (d *echoWalk) replace(f *found) {
	p := d.p
	if d.remove(f, f) {
		p.replaced[f.place] = true
		if it := d.create(f.after); it != nil {
			it.crossing, it.tries = f.emptied, kindTries
			p.gone = append(p.gone, it)
		}
		return
	}
	if it := d.create(f.after); it != nil {
		p.made = append(p.made, it)
	}
}

// replaces reports whether it is left to the echo to put something of another
// kind in the place of what the kernel has.
func (p *echoPlan) replaces(dir *inode, name string) bool {
	return p != nil && p.replaced[place{dir, name}]
}

// kindTries is how often the removal or the making of a name is tried again when
// others have let the kernel know what is there now.
const kindTries = 10

// again reports whether an item that failed is to be tried once more, and has the kernel
// drop what it knows of the name then.
func (e *echoes) again(it *echoed) bool {
	if it.tries == 0 {
		return false
	}
	it.tries--
	n, ok := e.s.store.Tree().Lookup(e.pathOf(it.place, it.path))
	if !ok || e.s.shapeOf(n) != e.s.shapeOf(it.node) || it.owes() && e.stays(it) {
		return false
	}
	e.s.notices.kernel.EntryNotify(it.dir.id, it.name)
	return true
}

// stays reports whether what an item removes has its name still, or again.
func (e *echoes) stays(it *echoed) bool {
	return it.child != nil && e.s.table.child(it.dir, it.name) == it.child
}

// replaced reports whether t, which a removal's name is now, is something of
// another kind.
func (g gate) replaced(it *echoed, t *target) bool {
	return (it.op == echo.Unlink || it.op == echo.Rmdir) && it.node.Valid() && t.node.Valid() &&
		g.e.s.shapeOf(t.node) != it.was && !g.e.stays(it)
}

// removesOld reports whether what the kernel has at the name of a removal is the old:
// nobody has looked up the new, or else the helper the old since, with the directory locked from then on.
func (g gate) removesOld(it *echoed) bool {
	return !it.node.Valid() || it.looked.Load() || g.e.s.table.child(it.dir, it.name) == nil
}

// lookedUp answers for a name that is to be removed with the inode that it had.
func (g gate) lookedUp(it *echoed, out *fuse.EntryOut) *inode {
	s := g.e.s
	i := s.table.ghost(it.child, it.isDir)
	s.fill(i, i.lastTold(), &out.Attr)
	out.AttrValid = forever
	it.looked.Store(true)
	return i
}

// under reports whether a request of an item is on the way through what has a
// new kind by now. To let the kernel know the new would spoil the removal of the old.
func (it *echoed) under(tb *table, dir uint64, name string) bool {
	return it.top != it.place && it.top.at(tb, dir, name)
}
