package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// local is a file or directory that only this mount has. Its implementations
// are pointers, compared with ==.
type local interface {
	// isDir must not change.
	isDir() bool
	// attributes fills in all but the inode number.
	attributes(*fuse.Attr)
	// yields reports whether an entry of the tree that gets this name takes the
	// place of this file (scratch: what is in etcd wins).
	yields() bool
	// xattr returns an extended attribute; ok is false for one it does not have.
	xattr(name string) (value []byte, ok bool)
	// xattrs lists the names.
	xattrs() []string
}

// overlay is what this mount shows beside and instead of the tree. Safe for
// concurrent use; it must not call back into the table's locked methods with
// a lock held that these methods take.
type overlay interface {
	// empty reports that there is nothing in any directory.
	empty() bool
	// find returns what is at name in dir (a shown path); hidden: the tree's
	// entry of that name is not shown.
	find(dir, name string) (l local, hidden bool)
	// list returns all of dir: names of local files, and hidden names (nil local).
	list(dir string) map[string]local
	// generation changes whenever the answer of list may have changed.
	generation() uint64
}

// noOverlay is the overlay of a mount that has nothing of its own.
type noOverlay struct{}

func (noOverlay) empty() bool                       { return true }
func (noOverlay) find(string, string) (local, bool) { return nil, false }
func (noOverlay) list(string) map[string]local      { return nil }
func (noOverlay) generation() uint64                { return 0 }
