package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// forgetLeftovers removes the empty directories of this mount that lie in what others
// have removed with the keys of b: they went with it, and must not come back
// with its name. It returns the keys with a name that a request is working on.
func (s *server) forgetLeftovers(b batch) (deferred []string) {
	if s.layer == nil || !s.layer.files.HasDirectories() {
		return nil
	}
	t := s.store.Tree()
	done := ""
	for _, keys := range b.keys {
		for _, key := range keys {
			path, ok := t.PathOf(key)
			if !ok || done != "" && isBelow(path, done) {
				continue
			}
			dir, claimed := s.lost(t, path)
			switch {
			case claimed:
				deferred = append(deferred, key)
			case dir != "":
				done = dir
				s.forgetEmpty(dir)
			}
		}
	}
	return deferred
}

// forgetEmpty forgets the empty directories of this mount below dir, unless that has come back.
func (s *server) forgetEmpty(dir string) {
	gone := func() bool { return !s.hasDirectory(dir) }
	for _, p := range s.layer.files.ForgetEmpty(dir, gone) {
		s.layer.forgetScratch(p)
	}
}

// lost returns the first directory on the way to path that is shown no more, "" if
// all are. claimed: a request is at work on it, on one that it is in, or on what is in it and may be on its way elsewhere.
func (s *server) lost(t *mapping.Tree, path string) (dir string, claimed bool) {
	at, i := t.Root(), s.table.root
	for k := range len(path) {
		if path[k] != '/' {
			continue
		}
		dir := path[:k]
		_, name := splitPath(dir)
		if i != nil && s.table.claimed(i, name) {
			return "", true
		}
		if i != nil {
			i = s.table.child(i, name)
		}
		n, ok := at.Lookup(name)
		if ok && !n.IsDir() || !ok && !s.layer.files.Made(dir) {
			if i != nil && s.table.claimedWithin(i) {
				return "", true
			}
			return dir, false
		}
		at = n
	}
	return "", false
}

// meetsLocals has the kernel look again for what this mount has in a directory that
// others have moved to another name: it may know that it was not in it before.
func (s *server) meetsLocals(dir *inode) {
	if s.overlay.empty() {
		return
	}
	path, ok := s.table.path(dir)
	if !ok {
		return
	}
	for name := range s.overlay.list(path) {
		if dir.allow(name) {
			s.notices.replace(dir, name)
		}
	}
}
