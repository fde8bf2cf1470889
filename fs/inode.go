package fs

import (
	"sync"
	"sync/atomic"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// kind says what an inode shows.
type kind uint8

const (
	kindEntry   kind = iota // a node of the tree
	kindView                // a directory computed as one file
	kindLocal               // what only this mount has: scratch, pending, local directories
	kindControl             // .ovscfgfs and what is in it
)

// inode is one file or directory that the kernel has a reference on. Its
// number towards the kernel (id) is never used again; the number that users
// see (ino) comes from its path.
type inode struct {
	id  uint64
	ino atomic.Uint64 // changes only when a rename crosses the border of the tree

	// parent, name, kind and lookups are guarded by table.mu. A detached
	// inode, whose name is gone while it is still open somewhere, has no parent.
	parent  *inode
	name    string
	dir     *directory // nil for a file; fixed
	lookups uint32
	kind    kind
	// apart: below another top than the mountpoint; fixed: that one's tree never
	// changes. Neither changes while the inode is in the table.
	apart, fixed bool
	// link: it shows a leaf that is a symbolic link; never changes.
	link bool
	// doubted: a request has removed it by another name, so that the kernel may take it to have its name
	// still when the request has been answered; guarded by table.mu.
	doubted bool

	mu sync.Mutex
	// told is the node that the kernel's size and pages belong to; zero if it
	// has neither. It changes only where the kernel's copy does (tell, shown,
	// and the worker after a notice).
	told mapping.Node
	// changing: a notice for the move away from told is being sent.
	changing bool
	// reread: the kernel was given pages or a size that it keeps while changing.
	reread bool
	// cleared: the kernel was told to drop what it has of told, and nothing of it
	// was answered since. The next attributes may be those of another content.
	cleared bool
	// foreign: pages of another content than told's may be in the page cache.
	foreign bool
	// paged: the kernel was given pages of told.
	paged bool
	// queued: the worker will look at this inode.
	queued bool
	// writers counts the handles that may change the content, readers those that
	// read it through the page cache, opened is when the last of these was opened,
	// in milliseconds of this process (clock).
	writers, readers int32
	opened           uint32
	// postponed: a notice waits for the readers.
	postponed bool
	// emptied is the open with O_TRUNC since which the kernel was given neither
	// attributes nor pages; nil if there is none.
	emptied *work
}

func (i *inode) shape() shape {
	switch {
	case i.dir != nil:
		return shapeDir
	case i.link:
		return shapeLink
	}
	return shapeFile
}

// localShape is the shape of what only this mount has. Links among that are told by their attributes.
func localShape(l local) shape {
	if l.isDir() {
		return shapeDir
	}
	return shapeFile
}

// directory is what only directories have.
type directory struct {
	children children // guarded by table.mu
	// absent are the names that the kernel may hold as absent; guarded by
	// inode.mu of the directory. nil with overflow: too many, any name may be.
	absent   map[string]struct{}
	overflow bool
	resolved atomic.Pointer[resolved]
	// top is set where a tree of its own begins; guarded by table.mu.
	top *top
	// pushed is the number of known children when their contents were pushed
	// last; the worker's own.
	pushed int
}

// resolved remembers the node of a directory in one tree. It keeps the tree's
// mark, which does not keep an old tree alive.
type resolved struct {
	tree  *mapping.Mark
	moves uint64 // of the table; with others it may be the node of another path
	node  mapping.Node
}

// maxAbsent bounds directory.absent.
const maxAbsent = 256

// deny notes that the kernel is about to be told that name is absent.
func (i *inode) deny(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	d := i.dir
	if d.overflow {
		return
	}
	if len(d.absent) >= maxAbsent {
		d.absent, d.overflow = nil, true
		return
	}
	if d.absent == nil {
		d.absent = make(map[string]struct{})
	}
	d.absent[name] = struct{}{}
}

// denied returns the names that the kernel may hold as absent, all when it is
// not known which.
func (i *inode) denied() (names []string, any bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for name := range i.dir.absent {
		names = append(names, name)
	}
	return names, i.dir.overflow
}

// allow notes that the kernel is about to be told to forget that name is
// absent, and reports whether it may hold it so.
func (i *inode) allow(name string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, ok := i.dir.absent[name]
	delete(i.dir.absent, name)
	return ok || i.dir.overflow
}
