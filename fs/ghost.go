package fs

// ghost returns an inode without a name, and counts one reference of the
// kernel: i if it still is in the table and has no name, else a new one.
func (tb *table) ghost(i *inode, dir bool) *inode {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if i == nil || tb.byID.get(i.id) != i || i.parent != nil || (i.dir != nil) != dir {
		tb.last++
		i = &inode{id: tb.last}
		i.ino.Store(tb.last)
		if dir {
			i.dir = &directory{}
		}
		tb.byID.add(i)
	}
	i.lookups++
	return i
}
