package fs

import (
	"slices"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// maxPairs bounds the comparisons that look for renames in one change.
const maxPairs = 4096

// pair finds the renames in one change: a name that went and one that came, or
// was replaced, with the same content, both in directories that the kernel
// knows. Where several fit, one with the same last name is taken, else the
// first.
func (d *echoWalk) pair() {
	if len(d.removed) == 0 || len(d.removed)*len(d.added) > maxPairs {
		return
	}
	for _, from := range d.removed {
		var best *found
		for _, to := range d.added {
			if to.used || to.place == from.place || to.node.IsDir() != from.node.IsDir() || best != nil && to.name != from.name {
				continue
			}
			if from.node.Same(to.node) && (best == nil || best.name != from.name) {
				best = to
			}
		}
		if best != nil {
			d.rename(from, best)
		}
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
	p.renamed = append(p.renamed, it)
	p.owed[from.place] = true
}
