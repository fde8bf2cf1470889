package fs

import (
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
		n, ok := s.node(i, s.store.Tree())
		if !ok || n.IsDir() {
			return fuse.Status(errnos[mapping.Stale])
		}
		if s.settled(i, n) {
			return fuse.OK
		}
		h = &pinned{node: n, content: n.Content()}
	}
	out.Fh = s.handles.add(h)
	out.OpenFlags |= fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

// settled reports whether n can be read through the page cache: it is one
// page, it is what the kernel has if it has anything, and nobody writes it.
func (s *server) settled(i *inode, n mapping.Node) bool {
	if n.Size() > onePage {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.writers == 0 && !i.changing && !i.foreign && (!i.told.Valid() || i.told.Same(n))
}
