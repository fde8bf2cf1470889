package fs

import (
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// onePage is the largest content that is read through the page cache on a
// writable mount: larger ones could show pages of two revisions.
const onePage = 4096

// openReader opens i for reading. Small settled leaves are read through the
// page cache; everything else past it, pinned to the content of now.
func (s *server) openReader(i *inode, out *fuse.OpenOut) fuse.Status {
	if i.dir != nil {
		return fuse.Status(errnos[mapping.IsDirectory])
	}
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_NOFLUSH
	k, _ := s.table.what(i)
	var h openFile
	switch k {
	case kindControl:
		h = s.control.open(i)
	case kindView:
		content, _, err := s.viewContent(i)
		if err != nil {
			return s.fail("open", s.path(i), err)
		}
		h = &pinned{content: content}
	default:
		n, ok := s.node(i, s.tree(i))
		if !ok || !s.fits(i, n) {
			return fuse.Status(errnos[mapping.Stale])
		}
		if i.fixed || s.settled(i, n) {
			if s.locks.on {
				out.Fh = plainHandle + s.handles.plain.Add(1)
			}
			return fuse.OK
		}
		h = &pinned{node: n, content: n.Content()}
	}
	out.Fh = s.handles.add(h)
	out.OpenFlags |= fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

// grace is how long a reader that has just opened a leaf is given to read all
// of it before the kernel drops the content of its open. Who opens the leaf
// meanwhile reads the new one, past the page cache.
const grace = 200 * time.Millisecond

// settled reports whether n can be read through the page cache: it is one
// page, it is what the kernel has if it has anything, and nobody writes it. It
// counts the reader then.
func (s *server) settled(i *inode, n mapping.Node) bool {
	if n.Size() > onePage {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.writers > 0 || i.changing || i.cleared || i.foreign || i.told.Valid() && !i.told.Same(n) {
		return false
	}
	i.readers++
	i.opened = s.clock()
	s.noteRead(i, n)
	return true
}

// clock is the time since the mount in milliseconds. It comes round after 49
// days; differences stay right.
func (s *server) clock() uint32 { return uint32(time.Since(s.control.started).Milliseconds()) }

// fresh reports whether someone who has just opened i reads it; i.mu is held.
func (s *server) fresh(i *inode) bool {
	return i.readers > 0 && s.clock()-i.opened < uint32(grace.Milliseconds())
}

// closeReader ends a handle with number 0.
func (s *server) closeReader(id uint64) {
	i := s.table.get(id)
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.readers > 0 {
		i.readers--
	}
	if i.readers == 0 && i.postponed {
		s.notices.checkLocked(i)
	}
}

// wrote notes that this mount committed a content of i: the kernel has the
// size of the write, and pages that may be older.
func (s *server) wrote(i *inode) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.told, i.cleared, i.foreign = mapping.Node{}, false, true
	s.notices.checkLocked(i)
}
