package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Read implements fuse.RawFileSystem.
func (s *server) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	i := s.table.get(in.NodeId)
	if i == nil {
		return nil, fuse.Status(errnos[mapping.Stale])
	}
	if h := s.handles.get(in.Fh); h != nil {
		return s.readHandle(cancel, i, h, in, buf)
	}
	switch k, _ := s.table.what(i); k {
	case kindControl:
		return s.control.read(cancel, i, in)
	case kindView:
		content, _, err := s.viewContent(i)
		if err != nil {
			return nil, fuse.Status(errnoOf(err))
		}
		return slice(content, in), fuse.OK
	}
	n, st := s.shown(i)
	if !st.Ok() {
		return nil, st
	}
	return slice(n.Content(), in), fuse.OK
}

// shown returns the node whose content the page cache gets: that of the size
// which the kernel has.
func (s *server) shown(i *inode) (mapping.Node, fuse.Status) {
	t, moves := s.tree(i), s.table.moves.Load()
	n, ok := s.node(i, t)
	ok = ok && s.fits(i, n)
	if i.fixed {
		if !ok {
			return n, fuse.ENOENT
		}
		return n, fuse.OK
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.emptied = nil
	switch {
	case !i.told.Valid() && !ok:
		return n, fuse.ENOENT
	case !i.told.Valid():
		i.told = n
	case ok && !i.told.Same(n):
		s.notices.checkLocked(i)
	}
	i.cleared, i.reread = false, true
	s.noteRead(i, i.told)
	i.paged = true
	if s.tree(i) != t || s.table.moves.Load() != moves {
		s.notices.checkLocked(i)
	}
	return i.told, fuse.OK
}

// readHandle reads through an open handle that has a content of its own.
func (s *server) readHandle(cancel <-chan struct{}, i *inode, h openFile, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if p, ok := h.(*pinned); ok && p.leaf().Valid() {
		s.mapped(i, p.leaf())
	}
	b, err := h.read(cancel, buf, int64(in.Offset))
	if err != nil {
		return nil, s.fail("read", s.path(i), err)
	}
	return fuse.ReadResultData(b), fuse.OK
}

// mapped notes that pages of n may get into the page cache past what the kernel
// was told: a mapping (mmap) of a handle that reads past it does that.
func (s *server) mapped(i *inode, n mapping.Node) {
	now, ok := s.node(i, s.tree(i))
	i.mu.Lock()
	defer i.mu.Unlock()
	i.emptied = nil
	if !i.told.Valid() && ok && now.Same(n) {
		i.told = n
	}
	if !i.told.Valid() || i.cleared || !i.told.Same(n) {
		i.foreign = true
		s.notices.checkLocked(i)
	}
}

// slice is the part of content that was asked for.
func slice(content []byte, in *fuse.ReadIn) fuse.ReadResult {
	return fuse.ReadResultData(part(content, int64(in.Offset), int(in.Size)))
}

func part(content []byte, offset int64, size int) []byte {
	if offset >= int64(len(content)) {
		return nil
	}
	content = content[offset:]
	return content[:min(size, len(content))]
}
