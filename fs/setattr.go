package fs

import (
	"bytes"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// SetAttr implements fuse.RawFileSystem. A size set through an open file
// changes that file's content; one set by path is committed at once.
//
// What is answered may not be kept: the kernel takes it for the newest even if a notice was sent after it
// (fuse_do_setattr compares no attr_version, as is done for GETATTR and LOOKUP).
func (s *server) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	if s.opt.ReadOnly {
		return fuse.EROFS
	}
	if i.apart {
		return s.fail("setattr", s.path(i), past())
	}
	defer s.shareInode(i)()
	path := s.path(i)
	var h openFile
	if fh, ok := in.GetFh(); ok {
		h = s.handles.get(fh)
	}
	if size, ok := in.GetSize(); ok {
		if err := s.truncate(i, path, h, int64(size)); err != nil {
			return s.fail("truncate", path, err)
		}
	}
	set := ask(in)
	counted, err := s.touch(i, path, in)
	if err != nil {
		return s.fail("touch", path, err)
	}
	if counted {
		set.atime, set.mtime = nil, nil // those of its new content
	}
	if err := s.setOwn(i, path, set); err != nil {
		return s.fail("setattr", path, err)
	}
	_, st := s.attributes(i, &out.Attr)
	if size, ok := in.GetSize(); ok && !st.Ok() {
		// It was done, and what is stored may be a directory now: a raw text that begins like a document.
		// The kernel, told ESTALE, would do it again, and fail.
		s.fill(i, mapping.Node{}, &out.Attr)
		setSize(&out.Attr, int64(size))
		st = fuse.OK
	}
	if h != nil {
		if size, ok := h.size(); ok {
			setSize(&out.Attr, size)
		}
	}
	return st
}

func (s *server) truncate(i *inode, path string, h openFile, size int64) error {
	switch h := h.(type) {
	case *writer:
		return h.truncate(path, size)
	case *scratchHandle:
		h.wrote(true)
		return h.file.Truncate(size)
	}
	k, l := s.table.what(i)
	switch l := l.(type) {
	case *work:
		return (&writer{work: l}).truncate(path, size)
	case *scratchEntry:
		return s.layer.files.Truncate(path, size)
	}
	if k == kindControl {
		return mapping.Errorf(mapping.NotPermitted, path, "is written by the mount only")
	}
	w := &work{s: s, inode: i, path: path}
	if k == kindView {
		_, w.view, _ = mapping.ViewOf(s.table.nameOf(i))
	}
	w.reset(bytes.Clone(s.contentAt(path, w.view)))
	if err := w.roomFor(path, size); err != nil {
		return err
	}
	w.draft.truncate(size)
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.save(w)
}

func (h *writer) truncate(path string, size int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.roomFor(path, size); err != nil {
		return err
	}
	h.draft.truncate(size)
	h.failed, h.refused = false, nil
	return nil
}

// setOwn sets what is kept on this mount only.
func (s *server) setOwn(i *inode, path string, set attrs) error {
	if set.empty() {
		return nil
	}
	k, l := s.table.what(i)
	switch l := l.(type) {
	case *work:
		s.layer.mu.Lock()
		l.set.add(&set)
		s.layer.mu.Unlock()
		return nil
	case *scratchEntry:
		return s.setScratch(l, set)
	}
	if k != kindEntry {
		return nil // views and control files: nothing is kept
	}
	for _, w := range s.layer.worksOf(i) {
		w.mu.Lock()
		if w.dirty() {
			// Also after the commit, which makes another content of it.
			s.layer.mu.Lock()
			w.set.add(&set)
			s.layer.mu.Unlock()
		}
		w.mu.Unlock()
	}
	s.setAttrs(path, set)
	return nil
}

func (s *server) setScratch(e *scratchEntry, set attrs) error {
	files := s.layer.files
	p, _ := e.where()
	if set.mode != nil {
		if err := files.Chmod(p, *set.mode); err != nil {
			return err
		}
	}
	if set.uid != nil || set.gid != nil {
		uid, gid := -1, -1
		if set.uid != nil {
			uid = int(*set.uid)
		}
		if set.gid != nil {
			gid = int(*set.gid)
		}
		if err := files.Chown(p, uid, gid); err != nil {
			return err
		}
	}
	if set.atime != nil || set.mtime != nil {
		if err := files.Utimens(p, set.atime, set.mtime); err != nil {
			return err
		}
	}
	s.layer.mu.Lock()
	e.set.add(&set)
	s.layer.mu.Unlock()
	return nil
}
