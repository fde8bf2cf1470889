package fs

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// maxPush bounds how many contents one read brings into the page cache.
const maxPush = 4096

// walks guesses whether those who list directories read what is in them, as
// grep -r does and find does not. Safe for concurrent use.
type walks struct {
	// reading: a small leaf was read since the end of a listing of some.
	reading atomic.Bool
}

// noteListed is to be told that a listing of dir was read to its end; entries are
// what is in it. If what was listed before was read too, the contents of this one
// are pushed before somebody asks for them.
func (s *server) noteListed(dir *inode, entries []listed) {
	k := slices.IndexFunc(entries, func(e listed) bool { return e.node.Valid() && !e.node.IsDir() })
	if k >= 0 && s.walks.reading.Swap(false) {
		s.notices.pushIn(dir)
	}
}

// noteRead is to be told that i, whose content is n, is about to be read, or is
// read, through the page cache; i.mu is held.
func (s *server) noteRead(i *inode, n mapping.Node) {
	if !s.walks.reading.Load() {
		s.walks.reading.Store(true)
	}
	if !i.paged && n.Size() > 0 {
		s.notices.pushBeside(i)
	}
}

// pushBeside has the worker push the contents of the directory of i, from i on.
func (w *notices) pushBeside(i *inode) { w.add(&w.pushes, i) }

// pushIn has the worker push the contents of a directory.
func (w *notices) pushIn(dir *inode) { w.add(&w.pushes, dir) }

// push gives the kernel the contents of the small leaves in a directory, or in
// that of a leaf: whoever reads one file of a directory mostly reads the others
// too, and a notice costs half of a READ. Only the worker changes what the
// kernel's size belongs to, so a content that was told is right here.
func (w *notices) push(i *inode) {
	dir, ofLeaf := i, i.dir == nil
	if ofLeaf {
		dir = w.s.table.parentOf(i)
	}
	if dir == nil || dir.fixed || w.s.isLocal(i) {
		return
	}
	type leaf struct {
		i      *inode
		n      mapping.Node
		cookie uint64
	}
	known := w.s.table.childrenOf(dir)
	if len(known) < 2*dir.dir.pushed {
		return // most were pushed already; so a directory of any size costs its length in all
	}
	dir.dir.pushed = len(known)
	leaves := make([]leaf, 0, len(known))
	for _, c := range known {
		if c.dir != nil || c.link || w.s.isLocal(c) {
			continue
		}
		if n, ok := w.s.node(c, w.s.tree(c)); ok && w.s.fits(c, n) && n.Size() > 0 && n.Size() <= onePage {
			leaves = append(leaves, leaf{c, n, cookieIn(n)})
		}
	}
	// In the order in which they are listed: the reader is not far behind.
	slices.SortFunc(leaves, func(a, b leaf) int { return cmp.Compare(a.cookie, b.cookie) })
	start := 0
	switch {
	case ofLeaf:
		start = max(0, slices.IndexFunc(leaves, func(l leaf) bool { return l.i == i }))
	case w.s.opt.ReadOnly && len(leaves) > 0:
		// There is no other sign that the walk goes on reading than this READ.
		leaves = leaves[1:]
	}
	pushed := 0
	for k := range leaves {
		l := &leaves[(start+k)%len(leaves)]
		l.i.mu.Lock()
		fit := l.i.told.Valid() && !l.i.paged && !l.i.changing && !l.i.cleared && l.i.writers == 0 && l.i.told.Same(l.n)
		if fit {
			l.i.paged = true
		}
		l.i.mu.Unlock()
		if !fit {
			continue
		}
		w.kernel.InodeNotifyStoreCache(l.i.id, 0, l.n.Content())
		if pushed++; pushed == maxPush {
			return
		}
	}
}

func (s *server) isLocal(i *inode) bool {
	k, _ := s.table.what(i)
	return k != kindEntry
}
