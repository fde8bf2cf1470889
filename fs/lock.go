package fs

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// Locker keeps locks on files by their names. Its methods are safe for concurrent use.
type Locker interface {
	// Lock grants want, which takes the place of what its owner had there. With wait it waits
	// for that until ctx ends. Its errors are *mapping.Error: Locked when others are in the way,
	// Canceled, NoLocks, Denied.
	Lock(ctx context.Context, file lock.File, want lock.Lock, wait bool) error
	// Unlock gives back what an owner has between start and end, if anything.
	Unlock(file lock.File, owner, start, end uint64)
	// Test returns a lock that is in the way of want, its PID 0 if it is not of this machine.
	Test(ctx context.Context, file lock.File, want lock.Lock) (by lock.Lock, ok bool, err error)
	// Fence returns the key that must be there for owner's locks on a file to count (mapping.Plan.Present),
	// "" if he has none or they need none. It is LockLost when they have ended without his doing.
	Fence(file lock.File, owner uint64) (key string, err error)
}

// GetLk implements fuse.RawFileSystem: F_GETLK of fcntl(2).
func (s *server) GetLk(cancel <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	f := s.locks.refer(s, i)
	defer s.locks.done(f)
	by, found, err := f.keeper.Test(fuseContext(cancel), f.file(in), wanted(in))
	if err != nil {
		return s.lockFailed(i, err)
	}
	out.Lk = in.Lk
	out.Lk.Typ = syscall.F_UNLCK
	if found {
		out.Lk = fuse.FileLock{Start: by.Start, End: by.End, Typ: syscall.F_RDLCK, Pid: by.PID}
		if by.Exclusive {
			out.Lk.Typ = syscall.F_WRLCK
		}
	}
	return fuse.OK
}

// SetLk implements fuse.RawFileSystem: flock(2) and fcntl(2) that do not wait, and unlocking.
func (s *server) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return s.setLock(cancel, in, false)
}

// SetLkw implements fuse.RawFileSystem: the same, waiting. Each request has a goroutine of its own
// in go-fuse, and the kernel holds no lock for this one, so that it is in nobody's way.
func (s *server) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return s.setLock(cancel, in, true)
}

func (s *server) setLock(cancel <-chan struct{}, in *fuse.LkIn, wait bool) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	f := s.locks.refer(s, i)
	defer s.locks.done(f)
	if in.Lk.Typ == syscall.F_UNLCK {
		// What was written under the lock is to be seen by who gets it next.
		st := s.saveUnlocked(in)
		f.keeper.Unlock(f.file(in), in.Owner, in.Lk.Start, in.Lk.End)
		if in.Lk.Start == 0 && in.Lk.End >= lock.Last {
			s.locks.drop(f, func(c *heldLock) bool { return c.kind == kindOfLock(in) && c.owner == in.Owner })
		}
		return st
	}
	ctx := fuseContext(cancel)
	if err := f.keeper.Lock(ctx, f.file(in), wanted(in), wait); err != nil {
		return s.lockFailed(i, err)
	}
	s.locks.add(f, heldLock{kind: kindOfLock(in), owner: in.Owner, fh: in.Fh, pid: in.Lk.Pid})
	if err := s.catchUp(ctx, i, f, in.Fh); err != nil {
		f.keeper.Unlock(f.file(in), in.Owner, in.Lk.Start, in.Lk.End)
		return s.lockFailed(i, err)
	}
	return fuse.OK
}

// lockFailed answers what kept a lock from being granted. That someone else has it is no
// failure worth words.
func (s *server) lockFailed(i *inode, err error) fuse.Status {
	switch kind := mapping.KindOf(err); kind {
	case mapping.Locked, mapping.Canceled:
		return fuse.Status(errnos[kind])
	}
	return s.fail("lock", s.path(i), err)
}

func kindOfLock(in *fuse.LkIn) lock.Kind {
	if in.LkFlags&fuse.FUSE_LK_FLOCK != 0 {
		return lock.Whole
	}
	return lock.Ranges
}

func wanted(in *fuse.LkIn) lock.Lock {
	return lock.Lock{Owner: in.Owner, PID: in.Lk.Pid, Start: in.Lk.Start, End: in.Lk.End, Exclusive: in.Lk.Typ == syscall.F_WRLCK}
}

// saveUnlocked commits what was written through the handle that is unlocked.
func (s *server) saveUnlocked(in *fuse.LkIn) fuse.Status {
	h, ok := s.handles.get(in.Fh).(*writer)
	if !ok || h.reader {
		return fuse.OK
	}
	defer s.share(h.name)()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.changed {
		return fuse.OK
	}
	h.untold = true
	h.by = holder{in.Fh, in.Pid}
	return s.fail("unlock", h.name(), s.save(h.work))
}

// catchUp has who got a lock see all that was written by those who had it before:
// this mount's tree, what the kernel has of it, and what the handle itself shows.
func (s *server) catchUp(ctx context.Context, i *inode, f *lockedFile, fh uint64) error {
	if f.keeper != s.locks.cluster {
		return nil
	}
	if _, err := s.store.Barrier(ctx); err != nil {
		if mapping.KindOf(err) == mapping.Canceled {
			return err
		}
		return mapping.Errorf(mapping.NoLocks, "", "the lock was granted, and given back because etcd does not tell what it guards: %w", err)
	}
	h := s.handles.get(fh)
	if h == nil {
		// Its reader is not given time any more.
		i.mu.Lock()
		i.opened = s.clock() - uint32(grace.Milliseconds())
		i.mu.Unlock()
		s.notices.check(i)
	}
	select {
	case <-s.notices.workedOff():
	case <-ctx.Done():
		return mapping.Errorf(mapping.Canceled, "", "the wait for the lock was interrupted")
	}
	defer s.shareInode(i)()
	switch h := h.(type) {
	case nil:
		i.fade()
	case *pinned:
		if n, ok := s.node(i, s.tree(i)); ok && !n.IsDir() {
			h.renew(n)
		}
	case *writer:
		h.mu.Lock()
		if !h.dirty() && !h.created && !h.gone && h.view == 0 {
			h.reset(s.contentAt(h.name(), 0))
			h.seen = false
		}
		h.mu.Unlock()
	}
	return nil
}
