package fs

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// locks knows through which handles the processes of this mount have locks, so that
// these end with them. Safe for concurrent use; mu is taken after all other locks and held
// across no call.
type locks struct {
	on      bool
	cluster Locker // nil where nothing is shared: in transactions
	local   localLocks

	count atomic.Int64 // of held
	mu    sync.Mutex
	files map[uint64]*lockedFile // by the inode's number
}

// lockedFile is an inode that someone has a lock on or asks for one.
type lockedFile struct {
	id     uint64
	name   string
	keeper Locker
	users  int
	held   []heldLock
}

// heldLock says who has locks of a kind on a file.
type heldLock struct {
	kind  lock.Kind
	owner uint64
	fh    uint64 // through which the last was taken
	pid   uint32
}

// refer returns what is known of an inode. Its name is that of the first lock until
// the last one ends: a rename does not move a lock.
func (l *locks) refer(s *server, i *inode) *lockedFile {
	name, shared := s.lockName(i)
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[i.id]
	if f == nil {
		f = &lockedFile{id: i.id, name: name, keeper: &l.local}
		if shared {
			f.keeper = l.cluster
		}
		if l.files == nil {
			l.files = map[uint64]*lockedFile{}
		}
		l.files[i.id] = f
	}
	f.users++
	return f
}

func (l *locks) done(f *lockedFile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.users--
	l.forgetLocked(f)
}

func (l *locks) forgetLocked(f *lockedFile) {
	if f.users == 0 && len(f.held) == 0 {
		delete(l.files, f.id)
	}
}

func (l *locks) add(f *lockedFile, h heldLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range f.held {
		if f.held[k].kind == h.kind && f.held[k].owner == h.owner {
			f.held[k] = h
			return
		}
	}
	f.held = append(f.held, h)
	l.count.Add(1)
}

// drop forgets the locks that are meant, and returns them.
func (l *locks) drop(f *lockedFile, meant func(*heldLock) bool) (dropped []heldLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []heldLock
	for k := range f.held {
		if meant(&f.held[k]) {
			dropped = append(dropped, f.held[k])
		} else {
			kept = append(kept, f.held[k])
		}
	}
	f.held = kept
	l.count.Add(-int64(len(dropped)))
	return dropped
}

// end gives back the locks on an inode that are meant: a handle or a process closes it.
func (l *locks) end(id uint64, meant func(*heldLock) bool) {
	if l.count.Load() == 0 {
		return
	}
	l.mu.Lock()
	f := l.files[id]
	if f == nil {
		l.mu.Unlock()
		return
	}
	f.users++
	l.mu.Unlock()
	for _, h := range l.drop(f, meant) {
		f.keeper.Unlock(lock.File{Name: f.name, Kind: h.kind}, h.owner, 0, lock.Last)
	}
	l.done(f)
}

// closing gives back what fcntl(2) has locked for a process that closes one of its descriptors of
// the file. (The kernel does not say so for handles that are open for reading only.)
func (l *locks) closing(id, owner uint64) {
	l.end(id, func(h *heldLock) bool { return h.kind == lock.Ranges && h.owner == owner })
}

// closed gives back all that was locked through an open file that is no more.
func (l *locks) closed(id, fh uint64) {
	l.end(id, func(h *heldLock) bool { return h.fh == fh })
}

func (f *lockedFile) file(in *fuse.LkIn) lock.File {
	return lock.File{Name: f.name, Kind: kindOfLock(in)}
}

// lockName is what an inode is called by all mounts; not shared if it is
// something that only this one has.
func (s *server) lockName(i *inode) (name string, shared bool) {
	k, l := s.table.what(i)
	w, pending := l.(*work)
	if s.locks.cluster == nil || i.apart || k != kindEntry && !(pending && w.view == 0) {
		return strconv.FormatUint(i.id, 10), false
	}
	path, ok := s.table.path(i)
	if !ok {
		return strconv.FormatUint(i.id, 10), false // it has no name any more
	}
	// The shown path below the prefix says which key it is and which field of it.
	return join(s.store.Tree().Settings().Prefix, path), true
}

// holder is who makes a change.
type holder struct {
	fh  uint64
	pid uint32 // of a thread of the process
}

// fences returns what must be in etcd for the locks of h to count, LockLost
// if one of them does not any more: those taken through its handle, and those on
// files that its process has open.
func (l *locks) fences(h holder) ([]string, error) {
	if l.count.Load() == 0 {
		return nil, nil
	}
	var ours []*lockedFile
	held := map[*lockedFile][]heldLock{}
	l.mu.Lock()
	for _, f := range l.files {
		if f.keeper == l.cluster && len(f.held) > 0 {
			ours = append(ours, f)
			held[f] = append([]heldLock(nil), f.held...)
		}
	}
	l.mu.Unlock()
	if len(ours) == 0 {
		return nil, nil
	}
	var keys []string
	for _, f := range ours {
		for _, c := range held[f] {
			if c.fh != h.fh || h.fh == 0 {
				continue
			}
			key, err := f.keeper.Fence(lock.File{Name: f.name, Kind: c.kind}, c.owner)
			if err != nil {
				return nil, err
			}
			if key != "" {
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}

// fenced is an edit that is refused once the locks of who makes it are lost.
func (s *server) fenced(h holder, e mapping.Edit) (mapping.Edit, error) {
	keys, err := s.locks.fences(h)
	if err != nil || len(keys) == 0 {
		return e, err
	}
	return func(t *mapping.Tree) (mapping.Plan, error) {
		plan, err := e(t)
		if err == nil && !plan.Empty() {
			plan.Present = append(plan.Present[:len(plan.Present):len(plan.Present)], keys...)
		}
		return plan, err
	}, nil
}
