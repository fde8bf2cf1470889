package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Lookup implements fuse.RawFileSystem.
func (s *server) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	parent := s.table.get(in.NodeId)
	if parent == nil || parent.dir == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	if len(name) > nameMax {
		return s.fail("lookup", join(s.path(parent), name), tooLong(name))
	}
	if s.isHistory(parent) {
		return s.lookupRevision(cancel, parent, name, out)
	}
	if s.isTransactions(parent) {
		return s.transactions.lookup(name, out)
	}
	for {
		// An answer that is kept for ever must be that of the newest tree, and of the
		// directory's path, at a moment after it was noted: else the worker may have looked before. And
		// below a directory that was local nothing of the tree was looked for.
		t, moves := s.tree(parent), s.table.moves.Load()
		k, _ := s.table.what(parent)
		if k == kindLocal && s.table.surface(parent, s.hasDirectory) {
			k = kindEntry
		}
		st, busy := s.lookup(t, parent, name, out)
		if busy != nil {
			if !settled(busy, cancel) {
				return fuse.EINTR
			}
			continue
		}
		if now, _ := s.table.what(parent); now == k && s.tree(parent) == t && s.table.moves.Load() == moves {
			if st == fuse.Status(errnos[mapping.NotDirectory]) {
				return s.noDirectory(parent, in.Pid)
			}
			return st
		}
		if st.Ok() && out.NodeId != 0 {
			s.table.forget(out.NodeId, 1)
		}
		*out = fuse.EntryOut{}
	}
}

// hasDirectory reports whether the newest tree has a directory at path.
func (s *server) hasDirectory(path string) bool {
	n, ok := s.store.Tree().Lookup(path)
	return ok && n.IsDir()
}

// nameMax is the longest name that is shown.
const nameMax = 255

func tooLong(name string) error {
	return mapping.Errorf(mapping.NameTooLong, "", "the name has %d bytes, and none is longer than %d", len(name), nameMax)
}

// lookup answers with what t has at name in parent. busy: a request is about to change that, and
// nothing was answered (see underway).
func (s *server) lookup(t *mapping.Tree, parent *inode, name string, out *fuse.EntryOut) (st fuse.Status, busy <-chan struct{}) {
	k, _ := s.table.what(parent)
	if k == kindControl || parent == s.table.root && name == controlName && s.within == nil {
		return s.lookupControl(parent, name, out), nil
	}
	dir, isEntry := s.node(parent, t)
	if !dir.IsDir() && k == kindEntry {
		if busy := s.table.underway(parent); busy != nil {
			return 0, busy
		}
	}
	if isEntry && !dir.IsDir() {
		return fuse.Status(errnos[mapping.NotDirectory]), nil
	}
	n, found := dir.Lookup(name)
	if !s.overlay.empty() {
		if l, hidden := s.overlaid(parent, name); l != nil && (!found || hidden) {
			return fuse.OK, s.answerSettled(parent, name, kindLocal, localShape(l), l, func(i *inode) { s.localEntry(i, l, out) })
		} else if hidden {
			return fuse.ENOENT, nil
		}
	}
	if found {
		return fuse.OK, s.answerSettled(parent, name, kindEntry, s.shapeOf(n), nil, func(i *inode) { s.treeEntry(i, n, t, out) })
	}
	if _, _, ok := mapping.ViewOf(name); ok {
		// Whether there is a view depends on more than one name: not kept.
		if i := s.referView(parent, dir, name); i != nil {
			return s.answer(i, out), nil
		}
		return fuse.ENOENT, nil
	}
	if !isEntry {
		return fuse.ENOENT, nil // a local directory: its entries come and go without notices
	}
	parent.deny(name)
	if s.table.child(parent, name) != nil {
		s.notices.replace(parent, name) // the worker may find it as it was
	}
	out.EntryValid = forever // NodeId 0: absent, and may be kept
	return fuse.OK, nil
}

// answerEntry answers name with a node of a recent tree.
func (s *server) answerEntry(parent *inode, name string, n mapping.Node, t *mapping.Tree, out *fuse.EntryOut) *inode {
	i := s.table.refer(parent, name, kindEntry, s.shapeOf(n), nil)
	s.treeEntry(i, n, t, out)
	return i
}

// treeEntry fills in the answer with i, which is that node of the tree.
func (s *server) treeEntry(i *inode, n mapping.Node, t *mapping.Tree, out *fuse.EntryOut) {
	out.NodeId = i.id
	out.EntryValid = forever
	out.AttrValid = s.entryAttributes(i, n, t, &out.Attr)
}

// answerSettled refers to what has name in parent and fills in the answer, unless an inode of another kind
// has it that a request is about to move.
func (s *server) answerSettled(parent *inode, name string, k kind, of shape, l local, fill func(*inode)) (busy <-chan struct{}) {
	i, busy := s.table.referSettled(parent, name, k, of, l)
	if busy == nil {
		fill(i)
	}
	return busy
}

// afterChange answers what is asked of i again, after each change under way of its name or of one above, as long as
// that does not find it: it may be on its way to where it is looked for.
func (s *server) afterChange(i *inode, cancel <-chan struct{}, answer func() fuse.Status) fuse.Status {
	for {
		st := answer()
		if st != fuse.ENOENT && st != fuse.Status(errnos[mapping.Stale]) {
			return st
		}
		busy := s.table.underway(i)
		if busy == nil {
			return st
		}
		if !settled(busy, cancel) {
			return fuse.EINTR
		}
	}
}

// settled waits for busy, and reports false if the request was interrupted.
func settled(busy, cancel <-chan struct{}) bool {
	select {
	case <-busy:
		return true
	case <-cancel:
		return false
	}
}

// answerLocal answers name with a file of this mount only.
func (s *server) answerLocal(parent *inode, name string, l local, out *fuse.EntryOut) *inode {
	i := s.table.refer(parent, name, kindLocal, localShape(l), l)
	s.localEntry(i, l, out)
	return i
}

// localEntry fills in the answer with i, which is that file of this mount only.
func (s *server) localEntry(i *inode, l local, out *fuse.EntryOut) {
	out.NodeId = i.id
	l.attributes(&out.Attr)
	out.Ino = i.ino.Load()
	out.Blksize = blockSize
}

// answer answers with an inode that is referred to already and has attributes
// that are not kept.
func (s *server) answer(i *inode, out *fuse.EntryOut) fuse.Status {
	_, st := s.attributes(i, &out.Attr)
	if !st.Ok() {
		s.table.forget(i.id, 1)
		return st
	}
	out.NodeId = i.id
	return fuse.OK
}

// overlaid asks the overlay about a name.
func (s *server) overlaid(parent *inode, name string) (local, bool) {
	path, ok := s.table.path(parent)
	if !ok {
		return nil, false
	}
	return s.overlay.find(path, name)
}
