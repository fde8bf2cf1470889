package fs

// isGone reports whether c is not what the newest tree has at name in dir.
func (s *server) isGone(dir, c *inode, name string) bool {
	d, _ := s.node(dir, s.tree(dir))
	n, is := d.Lookup(name)
	return !is || !s.fits(c, n)
}

// detachGone takes c out of the table unless it is what the newest tree has at
// name in dir, or a request is at work on that name or one above, or has moved c away. It reports whether it did.
func (s *server) detachGone(dir, c *inode, name string) bool {
	const tries = 100 // each fails only because the tree was switched at this very moment
	for range tries {
		// A rename of what c is in is shown by the tree before the table has it, and then it is not
		// where the one has looked for it in the other.
		t, moves := s.store.Tree(), s.table.moves.Load()
		if !s.isGone(dir, c, name) {
			return false
		}
		s.table.mu.Lock()
		if c.parent != dir || c.name != name || s.table.claimedAboveLocked(c) {
			s.table.mu.Unlock()
			return false
		}
		if s.store.Tree() == t && s.table.moves.Load() == moves {
			s.table.moved.drop(appendPath(nil, c))
			s.table.detachLocked(c)
			s.table.mu.Unlock()
			return true
		}
		s.table.mu.Unlock()
	}
	return false
}
