package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// A commit of what was written goes to the path that the file has when it begins.
// If that is renamed meanwhile, or a directory above, the commit would bring the old name
// back, and the file would be shown where the tree has none. The last close of an
// empty file commits it after close(2) has returned, so that this takes no two
// programs: touch d/f; mv d e.

// lockWorks holds up the commits of all that is open for writing at and in some
// inodes, until unlock is called. One that is under way is waited for.
func (s *server) lockWorks(tops []*inode) (unlock func()) {
	for {
		list := s.worksIn(tops)
		held := 0
		for held < len(list) && list[held].mu.TryLock() {
			held++
		}
		unlock := func() {
			for _, w := range list[:held] {
				w.mu.Unlock()
			}
		}
		if held == len(list) {
			return unlock
		}
		unlock() // another request may hold that one and wait for these
		list[held].await()
	}
}

// await waits until nobody is at work on w.
func (w *work) await() {
	w.mu.Lock()
	defer w.mu.Unlock()
}

// worksIn returns what is open for writing, or waits to be stored, at and in some inodes.
func (s *server) worksIn(tops []*inode) []*work {
	l := s.layer
	var list []*work
	seen := map[*work]bool{}
	add := func(w *work) {
		if !seen[w] {
			seen[w] = true
			list = append(list, w)
		}
	}
	for _, top := range tops {
		path, attached := s.table.path(top)
		l.mu.RLock()
		for i, works := range l.works {
			if s.table.within(i, top) {
				for _, w := range works {
					add(w)
				}
			}
		}
		for p, w := range l.pending { // also those that nobody has open
			if attached && isBelow(p, path) {
				add(w)
			}
		}
		l.mu.RUnlock()
	}
	return list
}

// movedDirectories returns the directories that a rename gives another name.
func (s *server) movedDirectories(in *fuse.RenameIn, oldName, newName string) (dirs []*inode) {
	if s.layer == nil {
		return nil
	}
	add := func(parent uint64, name string) {
		if p := s.table.get(parent); p != nil && p.dir != nil {
			if i := s.table.child(p, name); i != nil && i.dir != nil {
				dirs = append(dirs, i)
			}
		}
	}
	add(in.NodeId, oldName)
	if in.Flags&unix.RENAME_EXCHANGE != 0 {
		add(in.Newdir, newName)
	}
	return dirs
}
