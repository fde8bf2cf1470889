package scratch

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// Remove removes the file at p.
func (s *Store) Remove(p string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.lstat(p)
	if err != nil {
		return err
	}
	if err := syscall.Unlink(s.host(p)); err != nil {
		return err
	}
	s.gone(p, &st)
	s.prune(path.Dir(p))
	return nil
}

// Rmdir removes the empty directory at p.
func (s *Store) Rmdir(p string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made.has(p) {
		return syscall.ENOENT
	}
	if _, err := s.unshown(p); err != nil {
		return err
	}
	if err := s.removeBelow(p); err != nil {
		return err
	}
	s.removed(p)
	if err := s.made.remove(p); err != nil {
		return err
	}
	s.prune(path.Dir(p))
	return nil
}

// unshown returns what the host has in a directory that is empty to who looks:
// mirrors of directories that the tree no longer shows, with what lay in those.
// ENOTEMPTY if something in it is shown.
func (s *Store) unshown(dir string) ([]os.DirEntry, error) {
	list, err := os.ReadDir(s.host(dir))
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if _, err := s.lstat(path.Join(dir, d.Name())); err == nil {
			return nil, syscall.ENOTEMPTY
		}
	}
	return list, nil
}

// removeBelow removes all that the host has at and below p.
func (s *Store) removeBelow(p string) error {
	_ = filepath.WalkDir(s.host(p), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				s.used.Add(-info.Size())
			}
		}
		return nil // what cannot be counted is removed or reported below
	})
	for dir := range s.index {
		if below(dir, p) {
			delete(s.index, dir)
		}
	}
	for dir := range s.made.paths {
		if dir != p && below(dir, p) {
			delete(s.made.paths, dir) // written with the next change
		}
	}
	return os.RemoveAll(s.host(p))
}

// prune removes mirrors that hold nothing any more.
func (s *Store) prune(dir string) {
	for ; dir != "." && dir != "/" && !s.made.has(dir); dir = path.Dir(dir) {
		if syscall.Rmdir(s.host(dir)) != nil {
			return
		}
	}
}

// gone accounts for a removed or replaced entry.
func (s *Store) gone(p string, st *syscall.Stat_t) {
	s.removed(p)
	if st.Mode&syscall.S_IFMT == syscall.S_IFREG && st.Nlink == 1 {
		s.used.Add(-st.Size)
	}
}
