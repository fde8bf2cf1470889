package fs

import (
	"errors"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Create implements fuse.RawFileSystem. A file that is not scratch is shown on
// this mount only until its content is committed.
func (s *server) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	defer s.shareName(in.NodeId, name)()
	t, st := s.target(in.NodeId, name)
	if !st.Ok() {
		return st
	}
	if t.exists() {
		if in.Flags&syscall.O_EXCL != 0 {
			return fuse.Status(syscall.EEXIST)
		}
		return s.openExisting(t, in, out)
	}
	exclusive := in.Flags&syscall.O_EXCL != 0
	if s.layer.isScratch(t.tree, t.path) || exclusive && (s.keyless(t.tree, t.path) || s.layer.names.MatchOf(name, func() string { return program(in.Pid) })) {
		return s.createScratch(t, in, out)
	}
	w, err := s.newFile(t, exclusive)
	if err != nil {
		return s.fail("create", t.path, err)
	}
	w.opens = 1
	if mode := in.Mode & 0o7777; mode != s.opt.FileMode {
		w.set.mode = &mode
	}
	s.layer.addPending(w)
	w.inode = s.answerLocal(t.parent, name, w, &out.EntryOut)
	s.layer.addWork(w.inode, w)
	out.Fh = s.handles.add(&writer{work: w, opener: in.Pid, add: in.Flags&syscall.O_APPEND != 0})
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

// openExisting answers a CREATE whose name exists by now.
func (s *server) openExisting(t *target, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	if t.isDir() {
		return fuse.Status(syscall.EISDIR)
	}
	i := s.answerTarget(t, &out.EntryOut)
	if i == nil {
		return fuse.ENOENT
	}
	st := s.open(i, in.Flags, in.Pid, &out.OpenOut)
	if !st.Ok() {
		s.table.forget(i.id, 1)
	}
	return st
}

// answerTarget answers with the inode of what exists at t.
func (s *server) answerTarget(t *target, out *fuse.EntryOut) *inode {
	switch {
	case t.local != nil:
		return s.answerLocal(t.parent, t.name, t.local, out)
	case t.node.Valid():
		return s.answerEntry(t.parent, t.name, t.node, t.tree, out)
	}
	i := s.table.refer(t.parent, t.name, kindView, shapeFile, nil)
	if !s.answer(i, out).Ok() {
		return nil
	}
	return i
}

// newFile begins a file that is to be in the tree.
func (s *server) newFile(t *target, exclusive bool) (*work, error) {
	if err := s.store.Writable(); err != nil {
		return nil, err
	}
	w := &work{s: s, created: true, exclusive: exclusive, path: t.path, like: s.layer.shapeOf(t.path), begun: time.Now()}
	if s.layer.holdsView(t.path) {
		_, w.view, _ = mapping.ViewOf(t.name)
	} else if !t.hidden {
		// What can never be committed is refused now.
		if err := mapping.Check(t.tree, t.path, nil, mapping.WriteOptions{Segments: s.segments(t.path)}); err != nil {
			return nil, err
		}
	}
	w.field = w.view == 0 && mapping.InDocument(t.tree, t.path)
	w.reset(nil)
	return w, nil
}

func (s *server) createScratch(t *target, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	f, err := s.layer.files.Create(t.path, in.Mode, in.Uid, in.Gid)
	if err != nil {
		return s.fail("create", t.path, err)
	}
	s.layer.changed()
	e := s.layer.remember(t.path, syscall.S_IFREG)
	s.answerLocal(t.parent, t.name, e, &out.EntryOut)
	out.Fh = s.handles.add(s.layer.openScratch(e, f, in.Flags))
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

// Mknod implements fuse.RawFileSystem, for regular files.
func (s *server) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if in.Mode&syscall.S_IFMT != syscall.S_IFREG && in.Mode&syscall.S_IFMT != 0 {
		return fuse.EPERM
	}
	defer s.shareName(in.NodeId, name)()
	t, st := s.target(in.NodeId, name)
	switch {
	case !st.Ok():
		return st
	case t.exists():
		return fuse.Status(syscall.EEXIST)
	}
	if s.layer.isScratch(t.tree, t.path) || s.keyless(t.tree, t.path) {
		f, err := s.layer.files.Create(t.path, in.Mode, in.Uid, in.Gid)
		if err != nil {
			return s.fail("mknod", t.path, err)
		}
		f.Close()
		s.layer.changed()
		s.answerLocal(t.parent, name, s.layer.remember(t.path, syscall.S_IFREG), out)
		return fuse.OK
	}
	w, err := s.newFile(t, true)
	if err != nil {
		return s.fail("mknod", t.path, err)
	}
	s.layer.addPending(w)
	w.inode = s.answerLocal(t.parent, name, w, out)
	// There may be no close to commit it at. tar gives it attributes, and then
	// opens and writes it.
	s.layer.mu.Lock()
	w.timer = time.AfterFunc(s.opt.HoldRemovals, func() { s.saveUnopened(w) })
	s.layer.mu.Unlock()
	return fuse.OK
}

// saveUnopened commits a file that nobody has open.
func (s *server) saveUnopened(w *work) {
	defer s.share(w.name)()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.layer.mu.RLock()
	open := w.opens > 0
	s.layer.mu.RUnlock()
	if w.created && !w.gone && !open {
		path := w.name()
		if err := s.save(w); err != nil {
			s.fail("mknod", path, err)
			s.drop(w)
		}
	}
}

// Mkdir implements fuse.RawFileSystem. A directory of keys is local until a
// key is in it.
func (s *server) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	defer s.shareName(in.NodeId, name)()
	t, st := s.target(in.NodeId, name)
	switch {
	case !st.Ok():
		return st
	case t.exists() && t.view == 0 || t.hidden:
		return fuse.Status(syscall.EEXIST)
	}
	begin := s.opt.Units.Begin(t.path, copiers[program(in.Pid)])
	if begin == nil {
		if s.layer.isScratch(t.tree, t.path) || s.keyless(t.tree, t.path) {
			return s.mkdirLocal(t, in.Mode, in.Uid, in.Gid, out)
		}
		begin = mapping.Mkdir(t.path)
	}
	err := s.store.Writable()
	if err == nil {
		release := s.claimTarget(t)
		defer release()
		settle := s.settling(t.path)
		err = s.commit(begin)
		settle()
	}
	if errors.Is(err, mapping.ErrLocalDirectory) {
		return s.mkdirLocal(t, s.opt.DirMode, s.opt.UID, s.opt.GID, out)
	}
	if err != nil {
		return s.fail("mkdir", t.path, err)
	}
	tree := s.store.Tree()
	n, ok := tree.Lookup(t.path)
	if !ok || !n.IsDir() {
		return fuse.ENOENT // removed again by someone else
	}
	s.answerEntry(t.parent, name, n, tree, out)
	return fuse.OK
}

func (s *server) mkdirLocal(t *target, mode, uid, gid uint32, out *fuse.EntryOut) fuse.Status {
	if err := s.layer.files.Mkdir(t.path, mode, uid, gid); err != nil {
		return s.fail("mkdir", t.path, err)
	}
	s.layer.changed()
	s.answerLocal(t.parent, t.name, s.layer.remember(t.path, syscall.S_IFDIR), out)
	return fuse.OK
}

// Link implements fuse.RawFileSystem: there are no hard links. No words are
// kept of it, because perl -i, rsync and git try one first at each file.
func (s *server) Link(<-chan struct{}, *fuse.LinkIn, string, *fuse.EntryOut) fuse.Status {
	return fuse.Status(errnos[mapping.NotSupported])
}
