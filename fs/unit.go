package fs

import (
	"slices"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Units are directories that are made and removed as one, with what is in them.
// Its methods are pure, and called from any number of goroutines.
type Units interface {
	// Begin returns what mkdir makes at a path, also where the name is one of
	// scratch files; nil for an ordinary directory. empty: who makes it is about to fill it.
	Begin(path string, empty bool) mapping.Edit
	// Remove returns how rmdir removes what is at a path, whether it is empty or
	// not; nil for a directory that has to be empty.
	Remove(path string) mapping.Edit
	// First are the names that come first in a directory's listing, so that who
	// removes what is listed begins with them.
	First(dir string) []string
}

// noUnits: directories are ordinary.
type noUnits struct{}

func (noUnits) Begin(string, bool) mapping.Edit { return nil }
func (noUnits) Remove(string) mapping.Edit      { return nil }
func (noUnits) First(string) []string           { return nil }

// begins reports whether mkdir at path makes a unit. A directory that is moved there
// stays in the tree, also where the name is one of scratch files.
func (s *server) begins(path string) bool { return s.opt.Units.Begin(path, false) != nil }

// copiers are programs that take a directory which they have made for empty: what they
// find in it they report as an error (seen with strace).
var copiers = map[string]bool{
	"cp": true,
	"mv": true, // from another file system
}

// clear removes what only this mount has in a unit that is to be removed.
func (s *server) clear(dir string) error {
	for _, f := range s.layer.files.List(dir) {
		path := join(dir, f.Name)
		remove := s.layer.files.Remove
		if isDirMode(f.Mode) {
			if err := s.clear(path); err != nil {
				return err
			}
			remove = s.layer.files.Rmdir
		}
		if err := remove(path); err != nil {
			return err
		}
		s.layer.forgetScratch(path)
	}
	return nil
}

// firsts moves names to the front of a listing that is sorted by cookies.
func firsts(entries []listed, names []string) {
	for k := range entries {
		if i := slices.Index(names, entries[k].name); i >= 0 {
			entries[k].cookie = cookieFirst + uint64(i)
		}
	}
}
