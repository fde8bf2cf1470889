package fs

import (
	"slices"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// A change is stored under the path that the kernel's inode has when it begins. If that is renamed
// meanwhile, or a directory above, the change would bring the old name back, and what it
// makes would be shown where the tree has none. (The last close of an empty file stores it
// after close(2) has returned, so that this takes no two programs: touch d/f; mv d e.) So who stores
// something shares its path, as many at once as there are, and a rename has its two paths, with all below them, alone.

// pathLocks are the paths that requests are at work on. They are taken at the beginning of a request, before
// all other locks, once, and never while one waits for the kernel: a rename waits with
// the locks that the kernel holds for it.
type pathLocks struct {
	mu sync.Mutex
	// changed: one of the rest has become less.
	changed sync.Cond
	shared  map[string]int
	// alone are those of the renames under way, wanted those of the ones that wait: nothing new goes
	// before them.
	alone, wanted []moving
}

// moving is the two paths of a rename.
type moving [2]string

func newPathLocks() *pathLocks {
	l := &pathLocks{shared: map[string]int{}}
	l.changed.L = &l.mu
	return l
}

// share keeps a path, and so all above it, from being renamed until release is called.
func (l *pathLocks) share(path string) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	below := func(m moving) bool { return isBelow(path, m[0]) || isBelow(path, m[1]) }
	for slices.ContainsFunc(l.alone, below) || slices.ContainsFunc(l.wanted, below) {
		l.changed.Wait()
	}
	l.shared[path]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.shared[path]--; l.shared[path] == 0 {
			delete(l.shared, path)
		}
		l.changed.Broadcast()
	}
}

// take has two paths and all below them alone until release is called.
func (l *pathLocks) take(m moving) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted = append(l.wanted, m)
	for !l.freeLocked(m) {
		l.changed.Wait()
	}
	l.wanted = without(l.wanted, m)
	l.alone = append(l.alone, m)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.alone = without(l.alone, m)
		l.changed.Broadcast()
	}
}

func (l *pathLocks) freeLocked(m moving) bool {
	for path := range l.shared {
		if isBelow(path, m[0]) || isBelow(path, m[1]) {
			return false
		}
	}
	for _, other := range l.alone {
		for _, a := range m {
			for _, b := range other {
				if isBelow(a, b) || isBelow(b, a) {
					return false
				}
			}
		}
	}
	return true
}

func without(list []moving, m moving) []moving {
	if k := slices.Index(list, m); k >= 0 {
		return slices.Delete(list, k, k+1)
	}
	return list
}

// share shares the path that a function tells, which it goes on to tell until release is called.
func (s *server) share(path func() string) (release func()) {
	for {
		at := path()
		release := s.paths.share(at)
		if path() == at {
			return release
		}
		release()
	}
}

// shareInode shares the path of an inode, shareName that of a name in a directory.
func (s *server) shareInode(i *inode) (release func()) {
	return s.share(func() string { return s.path(i) })
}

func (s *server) shareName(dir uint64, name string) (release func()) {
	i := s.table.get(dir)
	if i == nil {
		return func() {}
	}
	return s.share(func() string { return join(s.path(i), name) })
}

// takePaths has the paths of a rename alone.
func (s *server) takePaths(in *fuse.RenameIn, oldName, newName string) (release func()) {
	from, to := s.table.get(in.NodeId), s.table.get(in.Newdir)
	if from == nil || to == nil {
		return func() {}
	}
	paths := func() moving { return moving{join(s.path(from), oldName), join(s.path(to), newName)} }
	for {
		at := paths()
		release := s.paths.take(at)
		if paths() == at {
			return release
		}
		release()
	}
}
