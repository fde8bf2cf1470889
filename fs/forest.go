package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// top is what the topmost directory of one shown tree has: the mountpoint, and
// directories below .ovscfgfs that show another tree than the live one. Every
// inode belongs to the nearest top above it, or is one.
type top struct {
	source source
	// fixed: the source has one tree for ever. All of it may be kept without
	// notices, and nothing in it can be written.
	fixed bool
}

// source is where the tree of a top comes from. Safe for concurrent use.
type source interface {
	// Tree returns the newest tree, nil if there is none any more. Each tree of
	// one source has a revision of its own.
	Tree() *mapping.Tree
}

// tree returns the newest tree that i shows a part of; nil if it cannot be had.
func (s *server) tree(i *inode) *mapping.Tree {
	if !i.apart {
		return s.store.Tree()
	}
	if t := s.table.topOf(i); t != nil {
		return t.source.Tree()
	}
	return nil
}

// topOf returns the top that i belongs to, nil if i is detached.
func (tb *table) topOf(i *inode) *top {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	for ; i != nil; i = i.parent {
		if i.dir != nil && i.dir.top != nil {
			return i.dir.top
		}
	}
	return nil
}

// plant returns the inode of name in parent, referred to once more, as the
// root of the tree of t.
func (tb *table) plant(parent *inode, name string, t *top) *inode {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	i := parent.childLocked(name)
	if i == nil {
		i = tb.makeLocked(parent, name, kindEntry, shapeDir, nil)
		i.apart, i.fixed = true, t.fixed
	}
	i.dir.top = t
	i.lookups++
	return i
}
