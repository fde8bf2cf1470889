package scratch

import (
	"path"
	"syscall"
)

// index counts the entries of each directory that has any, so that asking
// about the others costs no look at the host. The root is ".".
type index map[string]int

// added notes an entry; mu is held.
func (s *Store) added(p string) {
	s.index[path.Dir(p)]++
	s.empty.Store(false)
}

// removed notes that an entry is gone; mu is held.
func (s *Store) removed(p string) {
	dir := path.Dir(p)
	if s.index[dir]--; s.index[dir] <= 0 {
		delete(s.index, dir)
	}
	s.empty.Store(len(s.index) == 0)
}

// rename moves what is counted at and below from.
func (x index) rename(from, to string, exchange bool) {
	moved := index{}
	for dir, n := range x {
		switch {
		case below(dir, from):
			delete(x, dir)
			moved[to+dir[len(from):]] = n
		case below(dir, to):
			delete(x, dir)
			if exchange {
				moved[from+dir[len(to):]] = n
			}
		}
	}
	for dir, n := range moved {
		x[dir] = n
	}
}

// Below lists the directories that have entries, at and below dir, in no order.
func (s *Store) Below(dir string) []string {
	if s.Empty() {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []string
	for d := range s.index {
		if dir == "" || below(d, dir) {
			list = append(list, d)
		}
	}
	return list
}

// HasFile reports whether a file is in dir, or in a directory in it that is shown.
func (s *Store) HasFile(dir string) bool {
	for _, e := range s.List(dir) {
		if e.Mode&syscall.S_IFMT != syscall.S_IFDIR || s.HasFile(path.Join(dir, e.Name)) {
			return true
		}
	}
	return false
}
