package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// doubtViews notes that the kernel knows views of a changed directory that may
// be watched.
func (d *echoWalk) doubtViews(dir *inode, name string) {
	for _, suffix := range viewSuffixes {
		if v := d.s.table.child(dir, name+suffix); v != nil && !d.p.w.has(v) && !d.p.known.has(v) {
			d.p.doubt = true
		}
	}
}

// views plans for the views that are watched themselves.
func (d *echoWalk) views(c change) {
	for _, v := range d.p.w.views {
		if d.p.known.has(v) {
			continue
		}
		at, dir, ok := d.viewAt(v)
		if !ok {
			continue
		}
		target, _, _ := mapping.ViewOf(at.name)
		old, was := c.old.Lookup(join(dir, target))
		n, is := c.now.Lookup(join(dir, target))
		if !was || !is || old == n || old.Same(n) {
			continue
		}
		it := &echoed{op: echo.Touch, place: at, path: join(dir, at.name), child: v, node: n, view: true}
		if it.dir == nil {
			if it.dir = d.s.table.expect(dir); it.dir == nil {
				continue // something of this mount is in the way
			}
			it.expected = it.dir
		}
		if d.p.w.wantsClose(nil, v) {
			it.op = echo.TouchClose
		}
		d.touched = append(d.touched, it)
	}
}

// viewAt returns the name of a view, and the path of its directory. On a
// read-only mount, where a view is another inode at each lookup, it is where this one was looked up;
// the directory's inode is nil if the kernel has forgotten that since.
func (d *echoWalk) viewAt(v *inode) (at place, dir string, ok bool) {
	tb := d.s.table
	if !d.s.opt.ReadOnly {
		at = place{tb.parentOf(v), tb.nameOf(v)}
		if at.dir == nil {
			return at, "", false
		}
		dir, ok = tb.path(at.dir)
		return at, dir, ok
	}
	seen, ok := d.s.computed.seen(v)
	if !ok {
		return at, "", false
	}
	if dir, attached := tb.path(seen.dir); attached {
		return seen.place, dir, true
	}
	return place{d.s.inodeAt(seen.path), seen.name}, seen.path, true
}

// viewed answers for a view: with the inode that is watched.
func (g gate) viewed(it *echoed, out *fuse.EntryOut) fuse.Status {
	s := g.e.s
	if !s.table.again(it.child) {
		return stale
	}
	return s.answer(it.child, out)
}
