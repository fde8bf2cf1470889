package fs

import "strings"

// expect returns the inode of the directory at path, made without a reference of
// the kernel where it has none yet: it will look it up. forget with 0 drops it
// otherwise. nil if there is something else.
func (tb *table) expect(path string) *inode {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	i := tb.root
	for name := range strings.SplitSeq(path, "/") {
		next := i.dir.children.get(name)
		if next == nil {
			next = tb.makeLocked(i, name, kindEntry, shapeDir, nil)
		}
		if next.dir == nil || next.kind != kindEntry {
			tb.dropLocked(i)
			return nil
		}
		i = next
	}
	return i
}

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

// again counts one more reference of the kernel on i, and reports whether i still is in the table.
func (tb *table) again(i *inode) bool {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if tb.byID.get(i.id) != i {
		return false
	}
	i.lookups++
	return true
}
