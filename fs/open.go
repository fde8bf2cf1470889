package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Open implements fuse.RawFileSystem, on writable mounts.
func (s *server) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	if writes(in.Flags) {
		defer s.shareInode(i)()
	}
	return s.afterChange(i, cancel, func() fuse.Status { return s.open(i, in.Flags, in.Pid, out) })
}

// open opens i, which exists.
func (s *server) open(i *inode, flags, pid uint32, out *fuse.OpenOut) fuse.Status {
	write := writes(flags)
	k, l := s.table.what(i)
	if i.dir != nil {
		return fuse.Status(errnos[mapping.IsDirectory])
	}
	switch l := l.(type) {
	case *work:
		return s.openPending(i, l, flags, pid, write, out)
	case *scratchEntry:
		return s.openScratch(l, flags, write, out)
	}
	if !write {
		return s.openReader(i, out)
	}
	if i.apart {
		return s.fail("open", s.path(i), past())
	}
	if k == kindControl {
		return fuse.EACCES
	}
	if err := s.store.Writable(); err != nil {
		return s.fail("open", s.path(i), err)
	}
	w := &work{s: s, inode: i, path: s.path(i)}
	if k == kindView {
		_, w.view, _ = mapping.ViewOf(i.name)
		content, _, err := s.viewContent(i)
		if err != nil {
			return s.fail("open", w.path, err)
		}
		w.reset(content)
	} else {
		n, ok := s.node(i, s.store.Tree())
		if !ok || !s.fits(i, n) {
			return fuse.Status(errnos[mapping.Stale])
		}
		w.reset(n.Content())
		w.field = n.IsField()
	}
	if flags&syscall.O_TRUNC != 0 {
		w.empty()
		w.truncated = true
	}
	w.opens = 1
	s.layer.addWork(i, w)
	if now, _ := s.table.what(i); now != k {
		// It was renamed over the border of the tree at this moment.
		s.layer.removeWork(i, w)
		return s.open(i, flags, pid, out)
	}
	i.write(1)
	if w.truncated {
		i.truncate(w)
	}
	out.Fh = s.handles.add(&writer{work: w, opener: pid, add: flags&syscall.O_APPEND != 0, counted: true})
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

func writes(flags uint32) bool {
	return flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0
}

// openPending opens a file that is not in the tree yet: all who have it open
// share its content.
func (s *server) openPending(i *inode, w *work, flags, pid uint32, write bool, out *fuse.OpenOut) fuse.Status {
	h := &writer{work: w, opener: pid, add: flags&syscall.O_APPEND != 0, reader: !write}
	if write {
		w.mu.Lock()
		if flags&syscall.O_TRUNC != 0 {
			w.empty()
		}
		w.mu.Unlock()
		s.layer.mu.Lock()
		w.opens++
		s.layer.mu.Unlock()
		s.layer.addWork(i, w)
	} else {
		out.OpenFlags = fuse.FOPEN_NOFLUSH
	}
	out.Fh = s.handles.add(h)
	out.OpenFlags |= fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

func (s *server) openScratch(e *scratchEntry, flags uint32, write bool, out *fuse.OpenOut) fuse.Status {
	p, _ := e.where()
	f, err := s.layer.files.OpenFile(p, write)
	if err == nil && flags&syscall.O_TRUNC != 0 {
		if err = f.Truncate(0); err != nil {
			f.Close()
		}
	}
	if err != nil {
		return s.fail("open", p, err)
	}
	out.Fh = s.handles.add(s.layer.openScratch(e, f, flags))
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	if !write {
		out.OpenFlags |= fuse.FOPEN_NOFLUSH
	}
	return fuse.OK
}
