package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Unlink implements fuse.RawFileSystem.
func (s *server) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	defer s.shareName(in.NodeId, name)()
	t, st := s.target(in.NodeId, name)
	if !st.Ok() {
		return st
	}
	switch {
	case !t.exists():
		return fuse.ENOENT
	case t.isDir():
		return fuse.Status(syscall.EISDIR)
	}
	return s.fail("unlink", t.path, s.unlink(t, !s.isLink(t.node) && replacers[program(in.Pid)]))
}

// unlink removes what is at t, which is no directory. hold: something of that
// name is likely to follow.
func (s *server) unlink(t *target, hold bool) error {
	if w := t.pending(); w != nil && w.withdraw() {
		return nil
	}
	if e := t.scratch(); e != nil {
		if err := s.layer.files.Remove(t.path); err != nil {
			return err
		}
		s.layer.forgetScratch(t.path)
		s.detach(t)
		return nil
	}
	if t.view != 0 {
		return s.removeView(t, hold)
	}
	if err := s.store.Writable(); err != nil {
		return err
	}
	if hold {
		s.hold(t.path, false)
		s.detach(t)
		return nil
	}
	if err := s.remove(t.path); err != nil {
		return err
	}
	s.layer.forgetAttrs(t.path)
	s.detach(t)
	return nil
}

// withdraw ends a file that is not in the tree yet. It reports false if it got
// there meanwhile.
func (w *work) withdraw() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.created {
		return false
	}
	w.gone = true
	w.s.layer.dropPending(w)
	w.s.table.detach(w.inode)
	return true
}

func (s *server) removeView(t *target, hold bool) error {
	if hold {
		s.hold(t.path, true)
		s.detach(t)
		return nil
	}
	target, format, _ := mapping.ViewOf(t.name)
	dir, _ := splitPath(t.path)
	path := join(dir, target)
	settle := s.keeping(path)
	defer settle()
	i := s.inodeAt(path)
	if err := s.commit(mapping.RemoveView(path, format)); err != nil {
		return err
	}
	if i != nil {
		// The kernel asks before it goes on with the directory. The notice that it is gone
		// needs the lock that the kernel holds for this request; one of attributes needs none.
		s.table.doubt(i)
		s.notices.kernel.InodeNotify(i.id, -1, 0)
	}
	return nil
}

// detach takes what the kernel knew at t out of the table: its name is gone.
// What is still written to it goes nowhere.
func (s *server) detach(t *target) {
	s.layer.demote(t.path)
	if i := s.table.child(t.parent, t.name); i != nil {
		s.abandon(i)
		s.table.detach(i)
	}
}

func (s *server) abandon(i *inode) {
	for _, w := range s.layer.worksOf(i) {
		w.abandon()
	}
}

// Rmdir implements fuse.RawFileSystem.
func (s *server) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	defer s.shareName(in.NodeId, name)()
	t, st := s.target(in.NodeId, name)
	switch {
	case !st.Ok():
		return st
	case !t.exists():
		return fuse.ENOENT
	case !t.isDir():
		return fuse.Status(syscall.ENOTDIR)
	}
	// What was unlinked in it and is held back is gone for who asks.
	s.expireBelow(t.path)
	if t, st = s.target(in.NodeId, name); !st.Ok() {
		return st
	}
	return s.fail("rmdir", t.path, s.rmdir(t))
}

func (s *server) rmdir(t *target) error {
	l := s.layer
	if len(below(l, l.pending, t.path)) > 0 {
		return syscall.ENOTEMPTY
	}
	if t.node.Valid() {
		remove := s.opt.Units.Remove(t.path)
		if remove == nil {
			if len(l.files.List(t.path)) > 0 {
				return syscall.ENOTEMPTY
			}
			remove = mapping.RemoveDir(t.path)
		}
		if err := s.store.Writable(); err != nil {
			return err
		}
		release := s.claimTarget(t)
		defer release()
		settle := s.keeping(t.path)
		defer settle()
		if err := s.commit(remove); err != nil {
			return err
		}
		if err := s.clear(t.path); err != nil {
			return err
		}
		// It was a local directory, or a scratch file, before others made it one of the tree.
		s.clearBehind(t.path)
	} else if err := l.files.Rmdir(t.path); err != nil {
		return err
	}
	l.forgetScratch(t.path)
	l.forgetAttrs(t.path)
	s.detach(t)
	return nil
}
