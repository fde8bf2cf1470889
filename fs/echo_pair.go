package fs

import (
	"slices"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// maxPairs bounds the comparisons that look for renames in one change.
const maxPairs = 4096

// pair finds the renames in one change: a name that went and one that came, or
// was replaced, with the same content. Where several fit, one with the same last
// name is taken, else the first. What was in a directory that went too, as
// directories do with their last key, is looked at after the directory itself;
// what came into a directory that the kernel does not know, after what it knows. A name that
// shows something of another kind cannot be renamed away: the kernel would find that.
func (d *echoWalk) pair() {
	if len(d.removed) == 0 || len(d.removed)*(len(d.added)+len(d.unseen)) > maxPairs {
		return
	}
	froms, left := d.removed, maxPairs
	for len(froms) > 0 {
		var deeper []*found
		for _, from := range froms {
			to := best(from, d.added)
			if to == nil {
				to = best(from, d.hidden())
			}
			switch {
			case from.used:
				continue // exchanged
			case to != nil:
				if back := d.opposite(from, to); back != nil {
					d.exchange(from, back)
				} else if from.after == nil {
					d.rename(from, to)
				}
				continue
			}
			targets := len(d.added) + len(d.hidden())
			if from.node.IsDir() && from.child != nil && targets > 0 && from.node.Len()*targets <= left {
				left -= from.node.Len() * targets
				deeper = append(deeper, d.within(from)...)
			}
		}
		froms = deeper
	}
}

// best returns the one of tos that from became, nil if none.
func best(from *found, tos []*found) (best *found) {
	for _, to := range tos {
		if to.used || to.place == from.place || to.node.IsDir() != from.node.IsDir() || best != nil && to.name != from.name {
			continue
		}
		if from.node.Same(to.node) && (best == nil || best.name != from.name) {
			best = to
		}
	}
	return best
}

// within returns what was in a directory that went.
func (d *echoWalk) within(f *found) (list []*found) {
	for c := range f.node.Children() {
		in := &found{place: place{f.child, c.Name()}, path: join(f.path, c.Name()), node: c, from: f}
		in.child = d.s.table.child(f.child, c.Name())
		list = append(list, in)
	}
	f.inside = list
	return list
}

// unseen is a directory with changes that the kernel does not know.
type unseen struct {
	path   string
	old, n mapping.Node
	at     *step
}

// hidden returns the names that came where the kernel knows no directory.
func (d *echoWalk) hidden() []*found {
	for len(d.unseen) > 0 && len(d.concealed) < maxPairs {
		u := d.unseen[0]
		d.unseen = d.unseen[1:]
		if u.at != nil && len(u.at.keys) == 0 && u.old.Valid() {
			for name, below := range u.at.below {
				d.conceal(u, name, below)
			}
			continue
		}
		for c := range u.n.Children() {
			d.conceal(u, c.Name(), u.at.child(c.Name()))
		}
	}
	return d.concealed
}

func (d *echoWalk) conceal(u unseen, name string, below *step) {
	n, is := u.n.Lookup(name)
	if !is {
		return
	}
	var old mapping.Node
	was := false
	if u.old.Valid() {
		old, was = u.old.Lookup(name)
	}
	path := join(u.path, name)
	if !was {
		d.concealed = append(d.concealed, &found{place: place{nil, name}, path: path, dirPath: u.path, node: n})
	}
	if n.IsDir() && (!was || old.IsDir() && old != n) {
		d.unseen = append(d.unseen, unseen{path, old, n, below})
	}
}

func (d *echoWalk) rename(from, to *found) {
	p := d.p
	from.used, to.used = true, true
	if p.known != nil && (p.known.hasEither(from.dir, from.child) || p.known.hasEither(to.dir, to.child)) {
		return
	}
	if !p.w.hasEither(from.dir, from.child) && !p.w.hasEither(to.dir, to.child) && !p.w.within(from.child) {
		p.doubt = true
		p.loss = p.loss || from.child != nil
		return
	}
	it := &echoed{
		op: echo.Rename, place: from.place, path: from.path, child: from.child,
		to: to.place, toPath: to.path, over: to.over != nil, isDir: to.node.IsDir(), node: to.node,
	}
	if to.over != nil {
		d.touched = slices.DeleteFunc(d.touched, func(x *echoed) bool { return x == to.over })
	}
	if p.e.ownItem(it) {
		return
	}
	if to.dir == nil {
		if it.to.dir = d.s.table.expect(to.dirPath); it.to.dir == nil {
			from.used = false // something of this mount is in the way
			return
		}
		it.expected = it.to.dir
	}
	for f := from.from; f != nil; f = f.from {
		f.emptied = true
	}
	p.renamed = append(p.renamed, it)
	p.owed[from.place] = true
}
