package fs

import (
	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// found is a name that came or went with a change.
type found struct {
	place
	path  string
	child *inode
	node  mapping.Node
	over  *echoed // the item of what it replaces
	used  bool
	// before and after are what had, and has, the same name with another kind.
	before, after *found
	// dirPath is the directory's path where the kernel knows none (dir is nil).
	dirPath string
	// from is the directory that went with it, inside what went with a directory;
	// emptied: something of that was renamed.
	from    *found
	inside  []*found
	emptied bool
}

// echoWalk goes through the directories that the kernel knows on the paths of
// one change's keys.
type echoWalk struct {
	p              *echoPlan
	s              *server
	change         change
	removed, added []*found
	touched        []*echoed
	// unseen are directories that the kernel does not know and that were not looked
	// into yet, concealed what came there.
	unseen    []unseen
	concealed []*found
}

// add plans one change.
func (p *echoPlan) add(c change) {
	k := &walk{now: c.now, top: &step{}}
	for _, key := range c.keys {
		k.add(key)
	}
	d := &echoWalk{p: p, s: p.e.s, change: c}
	d.directory(d.s.table.root, "", c.old.Root(), c.now.Root(), k.top)
	d.pair()
	for _, f := range d.added {
		if !f.used && f.over == nil && (f.before == nil || f.before.used) {
			if it := d.create(f); it != nil {
				p.made = append(p.made, it)
			}
		}
	}
	for _, f := range d.removed {
		switch {
		case f.used:
		case f.replaced():
			d.replace(f)
		default:
			d.remove(f, f)
		}
	}
	d.views(c)
	for _, it := range d.touched {
		if !p.e.ownItem(it) {
			p.touched = append(p.touched, it)
		}
	}
}

// covered reports whether an item is to be repeated.
func (d *echoWalk) covered(it *echoed) bool {
	if d.p.known != nil && d.p.known.hasEither(it.dir, it.child) {
		return false
	}
	if d.p.w.hasEither(it.dir, it.child) {
		return true
	}
	if !d.p.e.ownDoubt(it, unsure{d.change, d.p.w}) {
		d.p.doubt = true
	}
	return false
}

func (d *echoWalk) directory(i *inode, path string, old, n mapping.Node, at *step) {
	if old == n {
		return
	}
	if at != nil && len(at.keys) == 0 && !isValue(old) && !isValue(n) {
		for name, below := range at.below {
			d.entry(i, path, name, old, n, below)
		}
		return
	}
	if at == nil || len(at.below) == 0 {
		if name, ok := n.ChangedChild(old); ok {
			d.entry(i, path, name, old, n, nil)
			return
		}
	}
	if d.p.w.within(i) {
		for c := range n.Children() {
			d.entry(i, path, c.Name(), old, n, at.child(c.Name()))
		}
		for c := range old.Children() {
			if _, still := n.Lookup(c.Name()); !still {
				d.entry(i, path, c.Name(), old, n, at.child(c.Name()))
			}
		}
		return
	}
	d.p.doubt = true
	for _, c := range d.s.table.childrenOf(i) {
		name := d.s.table.nameOf(c)
		d.entry(i, path, name, old, n, at.child(name))
	}
}

func (s *step) child(name string) *step {
	if s == nil {
		return nil
	}
	return s.below[name]
}

func (d *echoWalk) entry(dir *inode, dirPath, name string, oldDir, newDir mapping.Node, below *step) {
	old, was := oldDir.Lookup(name)
	n, is := newDir.Lookup(name)
	if !was && !is || was && is && old == n {
		return
	}
	path := join(dirPath, name)
	if old.IsDir() || n.IsDir() {
		d.doubtViews(dir, name)
	}
	c := d.s.table.child(dir, name)
	if c != nil {
		if k, _ := d.s.table.what(c); k != kindEntry {
			// What only this mount has hides it, or becomes it.
			return
		}
	}
	f := &found{place: place{dir, name}, path: path, child: c}
	switch {
	case !is:
		f.node = old
		d.removed = append(d.removed, f)
	case !was:
		f.node = n
		d.added = append(d.added, f)
		if n.IsDir() {
			d.unseen = append(d.unseen, unseen{path, old, n, below})
		}
	case d.s.shapeOf(old) != d.s.shapeOf(n):
		f.before = &found{place: f.place, path: path, node: old, after: f}
		if c != nil && d.s.fits(c, old) {
			f.before.child = c // else somebody has looked it up since
		}
		d.removed = append(d.removed, f.before)
		f.node, f.child = n, nil
		d.added = append(d.added, f)
	case !n.IsDir():
		if !old.Same(n) {
			d.touch(f, n)
		}
	case c != nil:
		d.directory(c, path, old, n, below)
	default:
		d.unseen = append(d.unseen, unseen{path, old, n, below})
	}
}

func (d *echoWalk) touch(f *found, n mapping.Node) {
	f.node = n
	if it := (&echoed{op: echo.Touch, place: f.place, path: f.path, child: f.child, node: n}); d.covered(it) {
		f.over = it
		if d.p.w.wantsClose(f.dir, f.child) && !d.s.isLink(n) {
			f.over.op = echo.TouchClose
		}
		d.touched = append(d.touched, f.over)
	}
	if f.over == nil {
		f.over = &echoed{} // nobody's, but there was something
	}
	d.added = append(d.added, f)
}

// create returns the item of a name that came, nil if it is not to be repeated.
func (d *echoWalk) create(f *found) *echoed {
	it := &echoed{op: echo.Create, place: f.place, path: f.path, node: f.node, isDir: f.node.IsDir()}
	if !d.covered(it) {
		return nil
	}
	if it.isDir {
		it.op = echo.Mkdir
	} else if d.s.isLink(f.node) {
		it.op = echo.Link
	} else if d.p.w.wantsClose(f.dir, nil) {
		it.op = echo.CreateClose
	}
	if d.p.e.ownItem(it) {
		return nil
	}
	return it
}

// remove plans the removal of a name, and before it of what is in it for those
// who watch that. All of it is done in order with the changes of the directory
// that top, the outermost, was in, or after the renames out of it. It reports whether
// the removal of the name is repeated.
func (d *echoWalk) remove(f, top *found) (planned bool) {
	p := d.p
	seen := p.known != nil && (p.known.has(f.dir) || p.known.within(f.child))
	if seen {
		return false
	}
	if !p.w.has(f.dir) && !p.w.within(f.child) && !f.emptied {
		p.doubt = true
		p.loss = p.loss || f.child != nil
		return false
	}
	if f.child != nil && f.node.IsDir() && (p.w.within(f.child) || f.emptied) {
		if f.inside == nil {
			d.within(f)
		}
		for _, in := range f.inside {
			if !in.used && (p.w.has(f.child) || p.w.within(in.child) || in.emptied) {
				d.remove(in, top)
			}
		}
	}
	it := &echoed{
		op: echo.Unlink, place: f.place, path: f.path, child: f.child, isDir: f.node.IsDir(), was: d.s.shapeOf(f.node),
		order: top.dir, crossing: top.emptied,
	}
	if it.isDir {
		it.op = echo.Rmdir
	}
	if top.replaced() {
		it.top = top.place
	}
	if f.replaced() {
		it.node, it.tries = f.after.node, kindTries
	}
	if p.e.ownItem(it) {
		return false
	}
	p.gone = append(p.gone, it)
	p.owed[f.place] = true
	return true
}
