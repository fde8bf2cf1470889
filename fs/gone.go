package fs

// isGone reports whether c is not what the newest tree has at name in dir.
func (s *server) isGone(dir, c *inode, name string) bool {
	d, _ := s.node(dir, s.tree(dir))
	n, is := d.Lookup(name)
	return !is || !s.fits(c, n)
}

// detachGone takes c out of the table unless it is what the newest tree has at
// name in dir, or a request is at work on that name or has moved c away. It reports whether it did.
func (s *server) detachGone(dir, c *inode, name string) bool {
	const tries = 100 // each fails only because the tree was switched at this very moment
	for range tries {
		t := s.store.Tree()
		if !s.isGone(dir, c, name) {
			return false
		}
		s.table.mu.Lock()
		if s.table.claims[claim{dir, name}] > 0 || c.parent != dir || c.name != name {
			s.table.mu.Unlock()
			return false
		}
		if s.store.Tree() == t {
			s.table.moved.drop(appendPath(nil, c))
			s.table.detachLocked(c)
			s.table.mu.Unlock()
			return true
		}
		s.table.mu.Unlock()
	}
	return false
}
