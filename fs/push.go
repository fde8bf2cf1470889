package fs

// maxPush bounds how many contents one read brings into the page cache.
const maxPush = 4096

// push gives the kernel the contents of the small leaves in the directory of
// a leaf that was read: whoever reads one file of a directory mostly reads the
// others too, and a notice costs half of a READ. Only the worker changes
// what the kernel's size belongs to, so a content that was told is right here.
func (w *notices) push(read *inode) {
	dir := w.s.table.parentOf(read)
	if dir == nil || w.s.isLocal(read) {
		return
	}
	children := w.s.table.childrenOf(dir)
	if len(children) < 2*dir.dir.pushed {
		return // most were pushed already; so a directory of any size costs its length in all
	}
	dir.dir.pushed = len(children)
	pushed := 0
	for _, c := range children {
		if c.dir != nil || c.link || c == read || w.s.isLocal(c) {
			continue
		}
		n, ok := w.s.node(c, w.s.tree(c))
		if !ok || !w.s.fits(c, n) || n.Size() == 0 || n.Size() > onePage {
			continue
		}
		c.mu.Lock()
		fit := c.told.Valid() && !c.paged && !c.changing && !c.cleared && c.writers == 0 && c.told.Same(n)
		if fit {
			c.paged = true
		}
		c.mu.Unlock()
		if !fit {
			continue
		}
		w.kernel.InodeNotifyStoreCache(c.id, 0, n.Content())
		if pushed++; pushed == maxPush {
			return
		}
	}
}

func (s *server) isLocal(i *inode) bool {
	k, _ := s.table.what(i)
	return k != kindEntry
}
