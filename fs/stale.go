package fs

import (
	"slices"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Until the kernel is told that a name shows something of another kind, or nothing, it asks
// about the old inode, and a request does not say for whom. Who came by the name
// is to look it up again: the kernel does so, once, upon ESTALE. Who has
// the directory open, as rm -r has those that it removes from, has no name that could be
// looked up: the kernel asks the same again, and would report a second ESTALE.
// So a thread is told ESTALE once. If it asks again, the inode has lost its name.

// tellStale reports whether the thread is to be told that i is stale.
func (tb *table) tellStale(i *inode, thread uint32) bool {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if slices.Contains(tb.stale[i], thread) || tb.byID.get(i.id) != i {
		return false
	}
	if tb.stale == nil {
		tb.stale = make(map[*inode][]uint32)
	}
	tb.stale[i] = append(tb.stale[i], thread)
	return true
}

// noDirectory answers for a name in i, which is no directory any more.
func (s *server) noDirectory(i *inode, thread uint32) fuse.Status {
	if s.table.tellStale(i, thread) {
		return fuse.Status(errnos[mapping.Stale])
	}
	return fuse.ENOENT
}
