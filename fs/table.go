package fs

import (
	"slices"
	"sync"
	"sync/atomic"
)

// rootID is the number of the root (fuse.FUSE_ROOT_ID).
const rootID = 1

// table holds the inodes that the kernel knows: made on LOOKUP, dropped on
// FORGET. Safe for concurrent use.
type table struct {
	mu   sync.RWMutex
	byID numbers
	// locals is what stands behind the inodes that are not of the tree: few, so
	// it is not a field of each.
	locals map[*inode]local
	last   uint64
	root   *inode
	claims map[claim]int
	// unclaimed is closed when a claim is released; nil if nobody waits for that.
	unclaimed chan struct{}
	// stale are the threads that were told ESTALE for an inode; nil until one was.
	stale map[*inode][]uint32
	// replaced is told, with the lock held, of a name of which the kernel may be given another inode
	// than it has or will have.
	replaced func(dir *inode, name string)
	// moves counts the inodes that got another name: what was found at the path
	// of one holds while the count is the same. It is changed with the lock held.
	moves atomic.Uint64
	// moved holds the numbers of paths whose inode came there by a rename, so
	// that the number stays the same when the kernel forgets it in between.
	moved moves
}

func newTable() *table {
	root := &inode{id: rootID, dir: &directory{}, lookups: 1}
	root.ino.Store(rootID)
	tb := &table{
		last:   rootID,
		root:   root,
		locals: make(map[*inode]local),
		claims: make(map[claim]int),
	}
	tb.byID.add(root)
	return tb
}

// get returns the inode of a number that the kernel was told, nil if it was
// forgotten.
func (tb *table) get(id uint64) *inode {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return tb.byID.get(id)
}

// number returns what users see as the inode number of name in parent.
func (tb *table) number(parent *inode, name string) uint64 {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	if i := parent.dir.children.get(name); i != nil {
		return i.ino.Load()
	}
	return tb.numberLocked(parent, name)
}

func (tb *table) numberLocked(parent *inode, name string) uint64 {
	var buf [256]byte
	path := appendPath(buf[:0], parent)
	if len(path) > 0 {
		path = append(path, '/')
	}
	path = append(path, name...)
	if ino, ok := tb.moved.get(path); ok {
		return ino
	}
	n := tb.moved.number(path)
	for tb.moved.has(n) {
		path = append(path, 0)
		n = tb.moved.number(path)
	}
	return n
}

// appendPath appends the path of i; table.mu is held.
func appendPath(b []byte, i *inode) []byte {
	if i.parent == nil {
		return b
	}
	b = appendPath(b, i.parent)
	if len(b) > 0 {
		b = append(b, '/')
	}
	return append(b, i.name...)
}

// path returns the shown path of i, "" for the root; not ok when i is
// detached.
func (tb *table) path(i *inode) (string, bool) {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	for j := i; j != tb.root; j = j.parent {
		if j == nil {
			return "", false
		}
	}
	return string(appendPath(nil, i)), true
}

// forget drops n references of the kernel.
func (tb *table) forget(id, n uint64) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	i := tb.byID.get(id)
	if i == nil || i == tb.root && tb.byID.base == 0 {
		return // the mountpoint is never forgotten
	}
	n = min(n, uint64(i.lookups))
	i.lookups -= uint32(n)
	tb.dropLocked(i)
}

// dropLocked removes i, and the parents that only it kept, if nothing needs
// them.
func (tb *table) dropLocked(i *inode) {
	for i != nil && i != tb.root && i.lookups == 0 && i.empty() {
		parent := i.parent
		tb.detachLocked(i)
		tb.byID.remove(i)
		delete(tb.locals, i)
		delete(tb.stale, i)
		i = parent
	}
}

// empty reports whether no inode is known in i; table.mu is held.
func (i *inode) empty() bool { return i.dir == nil || i.dir.children.count == 0 }

// childLocked returns the known inode of name in i, or nil; table.mu is held.
func (i *inode) childLocked(name string) *inode {
	if i == nil || i.dir == nil {
		return nil
	}
	return i.dir.children.get(name)
}

// child returns the known inode of name in dir, or nil.
func (tb *table) child(dir *inode, name string) *inode {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return dir.childLocked(name)
}

// childrenOf returns the known inodes in dir.
func (tb *table) childrenOf(dir *inode) []*inode {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	if dir.dir == nil {
		return nil
	}
	return slices.AppendSeq(make([]*inode, 0, dir.dir.children.count), dir.dir.children.all())
}

// detach takes i out of its directory. The kernel may go on using it.
func (tb *table) detach(i *inode) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if i.parent != nil {
		tb.moved.drop(appendPath(nil, i))
	}
	tb.detachLocked(i)
}

func (tb *table) detachLocked(i *inode) {
	if i.parent != nil {
		i.parent.dir.children.remove(i)
	}
	i.parent = nil
}

// move gives i another name, after a rename. What has that name is detached.
// Its number stays.
func (tb *table) move(i, dir *inode, name string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.moveLocked(i, dir, name)
}

func (tb *table) moveLocked(i, dir *inode, name string) {
	if old := dir.childLocked(name); old != nil && old != i {
		tb.detachLocked(old)
	}
	tb.moved.drop(appendPath(nil, i))
	tb.detachLocked(i)
	i.parent, i.name = dir, name
	dir.dir.children.add(i)
	tb.moved.set(appendPath(nil, i), i.ino.Load())
	tb.moves.Add(1)
}

// exchange swaps the names of two inodes.
func (tb *table) exchange(a, b *inode) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	adir, aname, bdir, bname := a.parent, a.name, b.parent, b.name
	if adir == nil || bdir == nil {
		return
	}
	tb.moved.drop(appendPath(nil, b))
	tb.detachLocked(b)
	tb.moveLocked(a, bdir, bname)
	tb.moveLocked(b, adir, aname)
}

// attached reports whether i still has a name, and whether that is in doubt.
func (tb *table) attached(i *inode) (attached, doubted bool) {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return i == tb.root || i.parent != nil, i.doubted
}

// doubt notes that i is removed by another name.
func (tb *table) doubt(i *inode) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	i.doubted = true
	delete(tb.stale, i)
}

// what returns the kind of i and what stands behind a local one.
func (tb *table) what(i *inode) (kind, local) {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return i.kind, tb.locals[i]
}

// size returns the number of known inodes.
func (tb *table) size() int {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return tb.byID.count
}

// referred reports whether the kernel has, or will have, a reference on i.
func (tb *table) referred(i *inode) bool {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return i.lookups > 0
}

func (tb *table) nameOf(i *inode) string {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return i.name
}

func (tb *table) parentOf(i *inode) *inode {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return i.parent
}
