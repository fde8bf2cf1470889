package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

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
		return fuse.EROFS
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

// write counts who has i open for writing.
func (i *inode) write(n int32) {
	i.mu.Lock()
	i.writers += n
	i.mu.Unlock()
}

// Write implements fuse.RawFileSystem. What makes a one-line leaf whole is
// committed at once, because the shell looks at errors of write and not at
// those of close; so is refused what no later write can mend.
func (s *server) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	switch h := s.handles.get(in.Fh).(type) {
	case *scratchHandle:
		s.layer.mu.RLock()
		err := h.entry.refused
		s.layer.mu.RUnlock()
		var n int
		if err == nil {
			n, err = h.file.WriteAt(data, int64(in.Offset), h.add)
		}
		if err != nil {
			p, _ := h.entry.where()
			return 0, s.fail("write", p, err)
		}
		h.wrote(true)
		return uint32(n), fuse.OK
	case *writer:
		defer s.share(h.name)()
		if err := h.write(data, int64(in.Offset), in.Pid); err != nil {
			return 0, s.fail("write", h.name(), err)
		}
		return uint32(len(data)), fuse.OK
	}
	return 0, fuse.EBADF
}

func (h *writer) write(data []byte, off int64, pid uint32) error {
	w := h.work
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by = holder{h.fh, pid}
	before := int64(len(w.buf))
	if h.add {
		off = before
	}
	path := w.name()
	if w.refused != nil {
		return w.refused
	}
	if err := w.roomFor(path, max(before, off+int64(len(data)))); err != nil {
		w.refused = err
		w.s.rollBack(w, path)
		return err
	}
	w.draft.write(data, off, h.add)
	w.failed = false
	if w.view != 0 || w.gone {
		return nil
	}
	t := w.s.store.Tree()
	n, ok := t.Lookup(path)
	sequential := off <= before && off+int64(len(data)) == int64(len(w.buf))
	if sequential && w.typ == "" && !fits(w.willBe(t, path, n), w.buf) {
		// The words are those of the refused commit.
		err := mapping.Check(t, path, w.buf, mapping.WriteOptions{})
		if err != nil {
			w.refused = err
			w.s.rollBack(w, path)
			return err
		}
	}
	if w.created && (ok || w.typ != "" || w.like != nil) {
		return nil // it may be more than its first line
	}
	if (ok || w.created) && w.line(data, off) && mapping.OneLine(t, path) {
		h.untold = true
		err := w.s.save(w)
		if mapping.KindOf(err) == mapping.Invalid {
			w.refused = err
		}
		return err
	}
	return nil
}

// willBe is the type that w's content is to have, as far as it is known: that
// of the node n at path, and of a new field text.
func (w *work) willBe(t *mapping.Tree, path string, n mapping.Node) mapping.Type {
	if n.Valid() {
		if w.created {
			return mapping.Raw // held: it may come to be of another type
		}
		return n.Type()
	}
	dir, _ := splitPath(path)
	if d, ok := t.Lookup(dir); ok && d.Type() != mapping.Directory {
		return mapping.String
	}
	return mapping.Raw
}

// roomFor refuses a size that no commit could have.
func (w *work) roomFor(path string, size int64) error {
	limit := int64(w.s.opt.RequestLimit)
	total := size
	if n, ok := w.s.store.Tree().Lookup(path); ok && !n.IsDir() {
		if kv, ok := n.KV(); ok {
			total += max(0, int64(len(kv.Value))-n.Size())
		}
	}
	if total <= limit {
		return nil
	}
	return mapping.Errorf(mapping.TooLarge, path, "would make a value of %d bytes, and etcd takes requests of %d (its --max-request-bytes)", total, limit)
}

// Flush implements fuse.RawFileSystem: close(2) on one of the descriptors. The
// shell closes a duplicate before it writes, so that nothing written means
// nothing to commit. A program that was given the file and ends, as each of
// several in { a; b; } > f, has not written the whole: that is for the process
// that opened it to say, or the last close.
func (s *server) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	// After what was written is stored, for who gets the lock.
	defer s.locks.closing(in.NodeId, in.LockOwner)
	switch h := s.handles.get(in.Fh).(type) {
	case *scratchHandle:
		defer s.share(h.entry.becomes)()
		h.noteClosed()
		if err := s.closeWaiting(h); err != nil {
			p, _ := h.entry.where()
			return s.fail("close", p, err)
		}
		return s.flushPromoted(h)
	case *writer:
		release := s.share(h.name)
		h.mu.Lock()
		path := h.name()
		var err error
		if (h.changed || h.touches > 0) && !h.reader && !otherProcess(in.Pid, h.opener) {
			h.untold = true
			h.by = holder{h.fh, in.Pid}
			err = s.save(h.work)
		}
		var told <-chan struct{}
		// Who looks at the fields after close has returned finds what the view
		// or the leaf was written as, and who looks at a counter what it has become. No lock is held here, nor by the kernel.
		switch {
		case h.untold && s.reshaped(h.inode, path):
			told = s.notices.workedOff()
		case h.untold && h.view != 0 || h.touched:
			told = s.notices.caughtUp()
		}
		h.untold, h.touched = false, false
		h.mu.Unlock()
		release()
		if err != nil {
			return s.fail("close", path, err)
		}
		if told != nil {
			select {
			case <-told:
			case <-cancel:
			}
		}
	}
	return fuse.OK
}

// Fsync implements fuse.RawFileSystem: whatever was changed is committed.
func (s *server) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	switch h := s.handles.get(in.Fh).(type) {
	case *scratchHandle:
		defer s.share(h.entry.becomes)()
		p, _ := h.entry.where()
		if st := s.flushPromoted(h); !st.Ok() {
			return st
		}
		return s.fail("fsync", p, h.file.Sync())
	case *writer:
		defer s.share(h.name)()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.reader {
			return fuse.OK
		}
		h.untold = true
		h.by = holder{h.fh, in.Pid}
		return s.fail("fsync", h.name(), s.save(h.work))
	}
	return fuse.OK
}

// release is the last close of a handle. Its errors reach nobody but
// .ovscfgfs/errors: what could fail was committed before, except what only
// the last close can know (a file left empty).
func (s *server) release(fh uint64) {
	// It is open until what it had is stored.
	defer s.handles.remove(fh)
	switch h := s.handles.get(fh).(type) {
	case *scratchHandle:
		defer s.share(h.entry.becomes)()
		s.flushPromoted(h)
		h.close()
	case *stream:
		h.close()
	case *writer:
		if h.reader {
			return
		}
		defer s.share(h.name)()
		s.layer.mu.Lock()
		h.opens--
		last := h.opens == 0
		s.layer.mu.Unlock()
		if last {
			h.mu.Lock()
			path := h.name()
			h.by = holder{h.fh, h.opener}
			s.fail("close", path, s.save(h.work))
			if h.created {
				s.drop(h.work)
			}
			h.mu.Unlock()
		}
		s.layer.removeWork(h.inode, h.work)
		if h.counted {
			h.inode.write(-1)
		}
	}
}
