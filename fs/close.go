package fs

import "github.com/hanwen/go-fuse/v2/fuse"

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

// Release implements fuse.RawFileSystem.
func (s *server) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	if isPlain(in.Fh) {
		s.closeReader(in.NodeId)
	} else {
		s.release(in.Fh)
	}
	s.locks.closed(in.NodeId, in.Fh)
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
