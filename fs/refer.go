package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// refer returns the inode of name in parent, makes it if the kernel does not
// know it, and counts one reference of the kernel. An inode of another kind
// that has the name is detached first.
func (tb *table) refer(parent *inode, name string, k kind, of shape, l local) *inode {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.referLocked(parent, name, k, of, l)
}

func (tb *table) referLocked(parent *inode, name string, k kind, of shape, l local) *inode {
	i := parent.dir.children.get(name)
	if i != nil && becomes(i, k, of) {
		tb.becomeLocked(i, k, l)
	}
	if i != nil && !tb.suitsLocked(i, k, of, l) {
		tb.detachLocked(i)
		tb.replaced(parent, name)
		i = nil
	}
	if i == nil {
		i = tb.makeLocked(parent, name, k, of, l)
	}
	delete(tb.stale, i)
	i.lookups++
	return i
}

// becomes reports whether i is what is referred to, if it is made so: a directory that gets or loses its
// last key stays the same one for who is in it.
func becomes(i *inode, k kind, of shape) bool {
	return of == shapeDir && i.dir != nil && k <= kindLocal && i.kind <= kindLocal && k != kindView && i.kind != kindView
}

// suitsLocked reports whether i is, or becomes, what is referred to.
func (tb *table) suitsLocked(i *inode, k kind, of shape, l local) bool {
	return becomes(i, k, of) || i.kind == k && i.shape() == of && tb.locals[i] == l
}

func (tb *table) makeLocked(parent *inode, name string, k kind, of shape, l local) *inode {
	tb.last++
	i := &inode{id: tb.last, name: name, parent: parent}
	tb.becomeLocked(i, k, l)
	i.ino.Store(tb.numberLocked(parent, name))
	i.apart, i.fixed = parent.apart, parent.fixed
	if of == shapeDir {
		i.dir = &directory{}
	}
	i.link = of == shapeLink
	parent.dir.children.add(i)
	tb.byID.add(i)
	return i
}

// becomeLocked sets what i shows.
func (tb *table) becomeLocked(i *inode, k kind, l local) {
	i.kind = k
	if l == nil {
		delete(tb.locals, i)
	} else {
		tb.locals[i] = l
	}
}

// convert makes an inode that only this mount had one of the tree, or the
// other way round (l is not nil then).
func (tb *table) convert(i *inode, k kind, l local) {
	tb.mu.Lock()
	tb.becomeLocked(i, k, l)
	tb.mu.Unlock()
	i.mu.Lock()
	i.told, i.cleared = mapping.Node{}, false
	i.mu.Unlock()
}

// becomeEntry makes a local directory one of the tree if that has it still, and reports whether:
// what the worker looked at may be older than a removal that has made it local.
// While a request changes the name, that settles what it is. newest only loads
// a tree: it runs under the table's lock.
func (tb *table) becomeEntry(i *inode, at claim, newest func() bool) bool {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if tb.claims[at] > 0 || !newest() {
		return false
	}
	tb.becomeLocked(i, kindEntry, nil)
	return true
}

// surface makes a local directory, and the local ones that it lies in, entries
// of the tree if newest says that the tree has it by now, and reports whether.
// A request that puts it there may not be through with that yet. newest only
// loads a tree: it runs under the table's lock.
func (tb *table) surface(i *inode, newest func(path string) bool) bool {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for j := i; j != tb.root; j = j.parent {
		if j == nil {
			return false
		}
	}
	if i.kind != kindLocal || i.dir == nil || !newest(string(appendPath(nil, i))) {
		return false
	}
	for j := i; j != tb.root && j.kind == kindLocal; j = j.parent {
		tb.becomeLocked(j, kindEntry, nil)
	}
	return true
}
