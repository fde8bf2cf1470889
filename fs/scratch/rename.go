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
	if !replaced && !exchange {
		// As Rmdir: mirrors of directories that the tree no longer shows are not in the way.
		if err := s.removeBelow(to); err != nil {
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

// MoveMirror takes along what lies in a directory of the tree that was renamed,
// and forgets empty directories that were behind what it has replaced. Another
// entry that is in the way stays.
func (s *Store) MoveMirror(from, to string) {
	if s.Empty() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetEmpty(to)
	if s.mirror(path.Dir(to)) != nil {
		return
	}
	if unix.Renameat2(unix.AT_FDCWD, s.host(from), unix.AT_FDCWD, s.host(to), 0) == nil {
		if s.made.has(from) {
			s.removed(from)
			s.added(to)
		}
		s.index.rename(from, to, false)
		_ = s.made.rename(from, to, false) // written again at the next change
	}
}

// forgetEmpty removes the directories at and below p that nothing is in, also
// mirrors, which would be in the way.
func (s *Store) forgetEmpty(p string) {
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
		}
	}
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
