package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// A file and a directory that have changed places are repeated as an exchange:
// one cannot be renamed over the other. Of two files, and of two directories, it is not known that
// this is what was meant (docs/events.md).

// opposite returns what went from where from came to, if that came to where from
// was: to is where from is now.
func (d *echoWalk) opposite(from, to *found) *found {
	for _, back := range d.removed {
		if back.place != to.place || back.used || back.node.IsDir() == from.node.IsDir() {
			continue
		}
		for _, f := range d.added {
			if f.place == from.place && !f.used && f.node.Same(back.node) {
				return back
			}
		}
	}
	return nil
}

// exchange plans for a and b, which each have the name of the other now.
func (d *echoWalk) exchange(a, b *found) {
	p := d.p
	for _, f := range d.added {
		if f.place == a.place || f.place == b.place {
			f.used = true
		}
	}
	a.used, b.used = true, true
	if p.known != nil && (p.known.hasEither(a.dir, a.child) || p.known.hasEither(b.dir, b.child)) {
		return
	}
	if !p.w.hasEither(a.dir, a.child) && !p.w.hasEither(b.dir, b.child) && !p.w.within(a.child) && !p.w.within(b.child) {
		p.doubt = true
		p.loss = p.loss || a.child != nil || b.child != nil
		return
	}
	it := &echoed{
		op: echo.Exchange, place: a.place, path: a.path, child: a.child, to: b.place, toPath: b.path,
		isDir: a.node.IsDir(), node: a.node, back: b.node,
	}
	if p.e.ownItem(it) {
		return
	}
	p.renamed = append(p.renamed, it)
	p.owed[a.place], p.owed[b.place] = true, true
}

// asItWas answers for a name that the tree has no more, or has something else at:
// with what was there and will be moved away, of which n is the node.
func (g gate) asItWas(at place, n mapping.Node, out *fuse.EntryOut) fuse.Status {
	s := g.e.s
	i := s.table.refer(at.dir, at.name, kindEntry, s.shapeOf(n), nil)
	out.NodeId = i.id
	s.entryAttributes(i, n, nil, &out.Attr)
	return fuse.OK
}

// exchange answers an exchange, if the newest tree still has at each name what
// is like the other's inode.
func (g gate) exchange(it *echoed, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	s := g.e.s
	if in.Flags != unix.RENAME_EXCHANGE || !it.at(s.table, in.NodeId, oldName) || !it.to.at(s.table, in.Newdir, newName) {
		return stale
	}
	from, st := s.named(in.NodeId, oldName)
	to, st2 := s.named(in.Newdir, newName)
	a, b := s.table.child(it.dir, it.name), s.table.child(it.to.dir, it.to.name)
	if !st.Ok() || !st2.Ok() || !from.node.Valid() || !to.node.Valid() || a == nil || b == nil ||
		!s.fits(a, to.node) || !s.fits(b, from.node) {
		return stale
	}
	s.table.exchange(a, b)
	for _, i := range []*inode{a, b} {
		if i.dir == nil {
			s.notices.check(i)
		} else {
			s.notices.relist(i)
			s.meetsLocals(i)
		}
	}
	return fuse.OK
}
