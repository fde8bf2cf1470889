package fs

import (
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// forever is the timeout, in seconds, of what the kernel may keep until it is
// told otherwise.
const forever = 1 << 31

// blockSize is st_blksize, and the unit in which statfs counts.
const blockSize = 4096

// GetAttr implements fuse.RawFileSystem.
func (s *server) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	var valid uint64
	st := s.afterChange(i, cancel, func() (st fuse.Status) {
		valid, st = s.attributes(i, &out.Attr)
		return st
	})
	if st == fuse.Status(errnos[mapping.Stale]) && !s.table.tellStale(i, in.Pid) {
		st = s.nameless(i, &out.Attr)
	}
	out.AttrValid = valid
	if st.Ok() && in.Flags()&fuse.FUSE_GETATTR_FH != 0 {
		if size, ok := s.handles.size(in.Fh()); ok {
			setSize(&out.Attr, size)
			out.AttrValid = 0
		}
	}
	return st
}

// attributes fills in what stat shows of i, and how long in seconds the kernel
// may keep it.
func (s *server) attributes(i *inode, a *fuse.Attr) (valid uint64, st fuse.Status) {
	k, l := s.table.what(i)
	switch k {
	case kindLocal:
		l.attributes(a)
		if now, _ := s.table.what(i); now != k {
			return s.attributes(i, a) // it has come into the tree, and nothing local is left
		}
		a.Ino = i.ino.Load()
		a.Blksize = blockSize
		return 0, fuse.OK
	case kindControl:
		s.control.attributes(i, a)
		return 0, fuse.OK
	case kindView:
		return 0, s.viewAttributes(i, a)
	}
	t, moves := s.tree(i), s.table.moves.Load()
	n, ok := s.node(i, t)
	if !ok || !s.fits(i, n) {
		return 0, s.goneAttributes(i, a)
	}
	valid = s.entryAttributes(i, n, t, a)
	if s.tree(i) != t || s.table.moves.Load() != moves {
		s.notices.check(i)
	}
	return valid, fuse.OK
}

// entryAttributes fills in the attributes of i, whose node in a recent tree is n, and notes
// what the kernel is told. Without a tree n is what was there.
func (s *server) entryAttributes(i *inode, n mapping.Node, t *mapping.Tree, a *fuse.Attr) (valid uint64) {
	valid = forever
	if i.link {
		valid = 0 // its text, and so its size, changes when a directory is moved
	}
	if i.dir == nil && !i.link && !i.fixed {
		n, valid = s.tell(i, n, t)
	}
	s.fill(i, n, a)
	return valid
}

// goneAttributes answers for an inode whose name is gone, or shows something else.
func (s *server) goneAttributes(i *inode, a *fuse.Attr) fuse.Status {
	if attached, doubted := s.table.attached(i); attached || doubted {
		// Something else has the name, or nothing: the kernel looks it up again.
		return fuse.Status(errnos[mapping.Stale])
	}
	return s.nameless(i, a)
}

// nameless answers for an inode whose name is gone while it is still open: what the
// kernel was told last, with no link.
func (s *server) nameless(i *inode, a *fuse.Attr) fuse.Status {
	told := i.lastTold()
	if i.dir == nil && !told.Valid() {
		return fuse.ENOENT
	}
	s.fill(i, told, a)
	a.Nlink = 0
	return fuse.OK
}

// lastTold is the node whose attributes the kernel was told last; invalid if it has none.
func (i *inode) lastTold() mapping.Node {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.told
}

// tell notes that the kernel gets attributes of n, and returns the node whose
// attributes it gets, with their timeout. That is the old content as long as
// the kernel has pages of it (doc.go, rule 3), and else that of the newest tree: all are
// told what is noted here, until the worker compares.
func (s *server) tell(i *inode, n mapping.Node, t *mapping.Tree) (mapping.Node, uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for t != nil && (!i.told.Valid() || i.cleared) && s.tree(i) != t {
		i.mu.Unlock()
		t = s.tree(i)
		if newest, ok := s.node(i, t); ok && s.fits(i, newest) {
			n = newest
		}
		i.mu.Lock()
	}
	i.emptied = nil
	if !i.told.Valid() || i.cleared || i.told.Same(n) {
		i.told, i.cleared = n, false
		i.reread = true
		return n, forever
	}
	s.notices.checkLocked(i)
	return i.told, 0
}

// fill fills in the attributes of an inode that shows n.
func (s *server) fill(i *inode, n mapping.Node, a *fuse.Attr) {
	*a = fuse.Attr{Ino: i.ino.Load(), Nlink: 1, Blksize: blockSize}
	a.Uid, a.Gid = s.opt.UID, s.opt.GID
	if i.dir != nil {
		a.Mode = fuse.S_IFDIR | s.opt.DirMode
		a.Nlink = 2
	} else if i.link {
		a.Mode = syscall.S_IFLNK | 0o777
		if target, ok := s.opt.References.Link(n); ok {
			setSize(a, int64(len(linkText(s.path(i), target))))
		}
	} else {
		a.Mode = fuse.S_IFREG | s.fileMode(i, n)
		setSize(a, n.Size())
	}
	setTimes(a, n.Seen())
	s.override(i, n, a)
}

// fileMode is the mode of a leaf: that of a secret leaves out all but the owner.
func (s *server) fileMode(i *inode, n mapping.Node) uint32 {
	if n.Valid() && secret(n, s.parentName(i)) {
		return s.opt.FileMode & 0o600
	}
	return s.opt.FileMode
}

// secret reports whether a leaf's own name or content, or the name of the
// array that it is an element of, says that it is a secret.
func secret(n mapping.Node, parent string) bool {
	name := n.Name()
	if n.Index() >= 0 || name == ".value" {
		name = parent
	}
	return mapping.Secret(name, n.Content())
}

func (s *server) parentName(i *inode) string {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	if i.parent == nil {
		return ""
	}
	return i.parent.name
}

func setSize(a *fuse.Attr, size int64) {
	a.Size = uint64(size)
	a.Blocks = (a.Size + 511) / 512
}

func setTimes(a *fuse.Attr, t time.Time) {
	if t.IsZero() {
		return
	}
	a.SetTimes(&t, &t, &t)
}
