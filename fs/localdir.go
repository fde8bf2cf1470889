package fs

import (
	"errors"
	"slices"
	"syscall"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// settling prepares a change that may put a first key into local directories
// on the way to path. The function it returns is to be called after the
// commit: it makes those that the tree shows now entries of the tree, under
// the inodes that they have.
func (s *server) settling(path string) func() {
	if s.layer.files.Empty() {
		return func() {}
	}
	t := s.store.Tree()
	var dirs []string
	for dir, _ := splitPath(path); dir != ""; dir, _ = splitPath(dir) {
		if _, ok := t.Lookup(dir); ok {
			break
		}
		dirs = append(dirs, dir)
	}
	var releases []func()
	for _, dir := range dirs {
		parent, name := splitPath(dir)
		releases = append(releases, s.claim(parent, name))
	}
	return func() {
		t := s.store.Tree()
		// From the top down: below a local directory nothing of the tree is found.
		for _, dir := range slices.Backward(dirs) {
			if n, ok := t.Lookup(dir); ok && n.IsDir() {
				s.becomeEntry(dir)
			}
		}
		for _, release := range releases {
			release()
		}
	}
}

// becomeEntry makes a local directory one of the tree.
func (s *server) becomeEntry(dir string) {
	if i := s.inodeAt(dir); i != nil {
		if k, _ := s.table.what(i); k == kindLocal {
			s.table.convert(i, kindEntry, nil)
		}
	}
	s.layer.files.Settle(dir)
	s.layer.forgetScratch(dir)
}

// keeping prepares a removal after which directories of keys on the way to
// path may have no key left. Where rm and rmdir are concerned they are still
// there, so this mount keeps them as local directories. The function it
// returns is to be called after the commit.
func (s *server) keeping(path string) func() {
	t := s.store.Tree()
	var dirs []string
	for dir, _ := splitPath(path); dir != ""; dir, _ = splitPath(dir) {
		n, ok := t.Lookup(dir)
		if !ok {
			continue
		}
		if n.Type() != mapping.Directory || n.Len() > 1 {
			break
		}
		dirs = append(dirs, dir)
	}
	if len(dirs) == 0 {
		return func() {}
	}
	var releases []func()
	for _, dir := range slices.Backward(dirs) {
		parent, name := splitPath(dir)
		releases = append(releases, s.claim(parent, name))
		// Before the commit: there is no moment at which nothing has the name.
		if err := s.keep(dir); err != nil && !errors.Is(err, syscall.EEXIST) {
			s.log.Warn("an emptied directory cannot be kept", "path", dir, "error", err)
		}
	}
	s.layer.changed()
	return func() {
		t := s.store.Tree()
		for _, dir := range dirs {
			if _, ok := t.Lookup(dir); ok {
				s.layer.files.Settle(dir)
				s.layer.forgetScratch(dir)
			} else if inLeaf(t, dir) {
				// Nobody could see it, and it would be back when the leaf goes.
				if err := s.layer.files.Rmdir(dir); err == nil {
					s.layer.forgetScratch(dir)
				}
			} else if i := s.inodeAt(dir); i != nil {
				if e := s.layer.scratch(dir); e != nil {
					s.table.convert(i, kindLocal, e)
				}
			}
		}
		for _, release := range releases {
			release()
		}
	}
}

// keep makes a local directory of one of the tree.
func (s *server) keep(dir string) error {
	l := s.layer
	mkdir := func() error { return l.files.Mkdir(dir, s.opt.DirMode, s.opt.UID, s.opt.GID) }
	err := mkdir()
	if !errors.Is(err, syscall.ENOTDIR) || l.files.Remove(dir) != nil {
		return err
	}
	l.forgetScratch(dir) // a file that the directory had hidden
	return mkdir()
}

// inLeaf reports whether what path would be in is a leaf.
func inLeaf(t *mapping.Tree, path string) bool {
	for dir, _ := splitPath(path); dir != ""; dir, _ = splitPath(dir) {
		if n, ok := t.Lookup(dir); ok {
			return !n.IsDir()
		}
	}
	return false
}
