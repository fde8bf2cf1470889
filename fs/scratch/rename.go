package scratch

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Rename moves the file or directory at from, replacing a file or an empty
// directory at to.
func (s *Store) Rename(from, to string, exchange bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.lstat(from); err != nil {
		return err
	}
	target, err := s.lstat(to)
	replaced := err == nil
	if err := s.mirror(path.Dir(to)); err != nil {
		return err
	}
	if !exchange {
		if err := s.makeWay(to, target.Mode, replaced); err != nil {
			return err
		}
	}
	var flags uint
	if exchange {
		flags = unix.RENAME_EXCHANGE
	}
	if err := unix.Renameat2(unix.AT_FDCWD, s.host(from), unix.AT_FDCWD, s.host(to), flags); err != nil {
		return err
	}
	if replaced && !exchange {
		s.gone(to, &target)
	}
	if !exchange {
		s.removed(from)
		s.added(to)
	}
	s.index.rename(from, to, exchange)
	if err := s.made.rename(from, to, exchange); err != nil {
		return err
	}
	s.prune(path.Dir(from))
	return nil
}

// makeWay removes, as Rmdir does, what the host has at to of directories that the
// tree no longer shows: what it has there and shows is another file or an empty directory.
func (s *Store) makeWay(to string, mode uint32, shown bool) error {
	if !shown {
		return s.removeBelow(to)
	}
	if mode&syscall.S_IFMT != syscall.S_IFDIR {
		return nil
	}
	list, err := s.unshown(to)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := s.removeBelow(path.Join(to, d.Name())); err != nil {
			return err
		}
	}
	return nil
}

// MoveMirror takes along what lies in a directory of the tree that was renamed,
// to a name that nothing shown was in: what is left there is removed. If it
// cannot be taken along, no empty directory stays behind for that.
func (s *Store) MoveMirror(from, to string) {
	if s.Empty() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.lstat(to); err == nil {
		s.removed(to)
	}
	delete(s.made.paths, to) // written again at the next change
	err := s.removeBelow(to)
	if err == nil {
		err = s.mirror(path.Dir(to))
	}
	if err == nil {
		err = unix.Renameat2(unix.AT_FDCWD, s.host(from), unix.AT_FDCWD, s.host(to), 0)
	}
	if err != nil {
		s.forgetEmpty(from)
		return
	}
	if s.made.has(from) {
		s.removed(from)
		s.added(to)
	}
	s.index.rename(from, to, false)
	_ = s.made.rename(from, to, false) // written again at the next change
}

// ForgetEmpty removes the directories below p that nothing is in, and returns those of
// them that were made here. It does nothing if p was made here too, or unless gone reports that
// the tree does not show p. Nothing is made here between that and the removal.
func (s *Store) ForgetEmpty(p string, gone func() bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made.has(p) || !gone() {
		return nil
	}
	forgotten := s.forgetEmpty(p)
	if len(forgotten) > 0 {
		_ = s.made.save() // written again at the next change
	}
	return forgotten
}

// forgetEmpty removes the directories at and below p that nothing is in, also mirrors.
// It returns those that were not only mirrors.
func (s *Store) forgetEmpty(p string) (forgotten []string) {
	var dirs []string
	_ = filepath.WalkDir(s.host(p), func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, at)
		}
		return nil // what cannot be looked into stays
	})
	for _, at := range slices.Backward(dirs) { // from the bottom up
		if syscall.Rmdir(at) != nil {
			continue
		}
		if dir := path.Join(p, filepath.ToSlash(strings.TrimPrefix(at, s.host(p)))); s.made.has(dir) {
			s.removed(dir)
			delete(s.made.paths, dir) // written again at the next change
			forgotten = append(forgotten, dir)
		}
	}
	return forgotten
}

// ExchangeMirror swaps what lies in two directories of the tree that were exchanged.
func (s *Store) ExchangeMirror(a, b string) {
	if s.Empty() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.prune(a)
	defer s.prune(b)
	if s.mirror(a) != nil || s.mirror(b) != nil {
		return
	}
	if unix.Renameat2(unix.AT_FDCWD, s.host(a), unix.AT_FDCWD, s.host(b), unix.RENAME_EXCHANGE) == nil {
		switch {
		case s.made.has(a) && !s.made.has(b):
			s.removed(a)
			s.added(b)
		case s.made.has(b) && !s.made.has(a):
			s.removed(b)
			s.added(a)
		}
		s.index.rename(a, b, true)
		_ = s.made.rename(a, b, true) // written again at the next change
	}
}
