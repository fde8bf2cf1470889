package fs

import (
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Rename implements fuse.RawFileSystem. What moves between the tree and
// scratch names is a write or a removal; see renameIn and renameOut.
func (s *server) Rename(_ <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	defer s.takePaths(in, oldName, newName)()
	from, st := s.target(in.NodeId, oldName)
	if !st.Ok() {
		return st
	}
	to, st := s.target(in.Newdir, newName)
	if !st.Ok() {
		return st
	}
	if st := checkRename(from, to, in.Flags); !st.Ok() || from.path == to.path {
		return st
	}
	return s.failMove("rename", from.path, to.path, s.rename(from, to, in.Flags))
}

// checkRename is what the flags ask for.
func checkRename(from, to *target, flags uint32) fuse.Status {
	switch {
	case flags&^(unix.RENAME_NOREPLACE|unix.RENAME_EXCHANGE) != 0:
		return fuse.EINVAL
	case !from.exists():
		return fuse.ENOENT
	case to.exists() && flags&unix.RENAME_NOREPLACE != 0:
		return fuse.Status(syscall.EEXIST)
	case !to.exists() && flags&unix.RENAME_EXCHANGE != 0:
		return fuse.ENOENT
	}
	return fuse.OK
}

func (s *server) rename(from, to *target, flags uint32) error {
	exchange := flags&unix.RENAME_EXCHANGE != 0
	toScratch := to.scratch() != nil || !to.exists() && s.layer.isScratch(to.tree, to.path)
	if e := to.scratch(); e != nil && e.isDir() && from.scratch() == nil && !s.layer.isScratch(to.tree, to.path) {
		toScratch = false // a directory of keys, only that no key is in it yet
	}
	if from.node.IsDir() && s.begins(to.path) {
		toScratch = false // of the tree, whatever its name
	}
	if from.view != 0 {
		return s.renameView(from, to, toScratch, exchange)
	}
	if w := from.pending(); w != nil {
		return s.renamePending(w, from, to, toScratch, exchange)
	}
	if e := from.scratch(); e != nil {
		// A local directory, or what is in a scratch one, goes to another such.
		if toScratch || e.isDir() && !to.exists() && !s.layer.isScratch(from.tree, from.path) {
			if err := s.placeFor(e, to); err != nil {
				return err
			}
			return s.renameScratch(from, to, exchange)
		}
		if exchange {
			return crossing(from, "a scratch file and an entry of the tree are not exchanged: rename one after the other")
		}
		if e.isDir() {
			return crossing(from, "a directory that is only on this mount becomes no part of the tree by a rename; copy it")
		}
		return s.renameIn(e, from, to)
	}
	if toScratch {
		if exchange {
			return crossing(from, "an entry of the tree and a scratch file are not exchanged: rename one after the other")
		}
		if from.isDir() {
			return crossing(from, "a directory of the tree cannot become a scratch one; copy it")
		}
		return s.renameOut(from, to)
	}
	if to.view != 0 || to.pending() != nil {
		return crossing(from, "the target is computed or not stored yet; copy it")
	}
	return s.renameEntry(from, to, flags)
}

// placeFor refuses a local directory where none can be: in a document.
func (s *server) placeFor(e *scratchEntry, to *target) error {
	if !e.isDir() || to.exists() || s.layer.isScratch(to.tree, to.path) {
		return nil
	}
	switch _, err := mapping.Mkdir(to.path)(to.tree); {
	case err == nil:
		return crossing(to, "a directory that is only on this mount becomes no part of a document by a rename; make it there")
	case errors.Is(err, mapping.ErrLocalDirectory), mapping.KindOf(err) == mapping.NotFound:
		return nil
	default:
		return err
	}
}

func crossing(t *target, why string) error {
	return mapping.Errorf(mapping.CrossDevice, t.path, "%s", why)
}

// renameEntry moves within the tree.
func (s *server) renameEntry(from, to *target, flags uint32) error {
	if err := s.store.Writable(); err != nil {
		return err
	}
	l := s.layer
	s.expireBelow(from.path)
	var how mapping.RenameFlags
	if flags&unix.RENAME_NOREPLACE != 0 && !to.hidden {
		how |= mapping.NoReplace
	}
	exchange := flags&unix.RENAME_EXCHANGE != 0
	if exchange {
		how |= mapping.Exchange
	}
	if to.isDir() && to.local != nil {
		if err := s.giveWay(from, to, how); err != nil {
			return err
		}
	}
	if !exchange && from.isDir() && to.node.Valid() && to.isDir() && s.holdsLocal(to.path) {
		return syscall.ENOTEMPTY
	}
	releaseFrom := s.claimTarget(from)
	defer releaseFrom()
	releaseTo := s.claimTarget(to)
	defer releaseTo()
	keep, settle := s.keeping(from.path), s.settling(to.path)
	move := mapping.Rename(from.path, to.path, how)
	if mapping.InDocument(to.tree, to.path) {
		move = mapping.Within(to.path, move)
	}
	err := s.commit(move)
	keep()
	settle()
	if err != nil {
		return err
	}
	s.problems.clear(from.path)
	l.release(to.path)
	if exchange {
		if from.isDir() || to.isDir() {
			l.files.ExchangeMirror(from.path, to.path)
		}
		l.exchanged(from.path, to.path)
		s.swapInodes(from, to)
		return nil
	}
	if from.isDir() {
		l.files.MoveMirror(from.path, to.path)
	} else {
		s.clearBehind(from.path) // it does not go with the leaf
	}
	l.moved(from.path, to.path)
	s.moveInode(from, to)
	return nil
}

// giveWay removes the empty local directory at to for what is renamed to it, if
// that can be.
func (s *server) giveWay(from, to *target, how mapping.RenameFlags) error {
	switch {
	case how&mapping.Exchange != 0:
		return crossing(to, "a directory that is only on this mount has nothing to exchange")
	case !from.isDir():
		return syscall.EISDIR
	}
	if _, err := mapping.Rename(from.path, to.path, how)(s.store.Tree()); err != nil {
		return err
	}
	return s.rmdir(to)
}

// holdsLocal reports whether a directory of the tree has a file that is only on
// this mount. Empty directories that others made part of a document are not in the way.
func (s *server) holdsLocal(dir string) bool {
	return len(below(s.layer, s.layer.pending, dir)) > 0 || s.layer.files.HasFile(dir)
}

func (s *server) moveInode(from, to *target) {
	if old := s.table.child(to.parent, to.name); old != nil {
		s.abandon(old)
	}
	if i := s.table.child(from.parent, from.name); i != nil {
		s.table.move(i, to.parent, to.name)
	}
}

func (s *server) swapInodes(from, to *target) {
	a, b := s.table.child(from.parent, from.name), s.table.child(to.parent, to.name)
	switch {
	case a != nil && b != nil:
		s.table.exchange(a, b)
	case a != nil:
		s.table.move(a, to.parent, to.name)
	case b != nil:
		s.table.move(b, from.parent, from.name)
	}
}
