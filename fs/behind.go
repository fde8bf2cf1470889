package fs

// clearBehind removes what only this mount has at a path whose entry of the tree was removed or
// renamed: nobody could see it, and who did that wants nothing there. A file in a
// directory is kept, and so is the directory.
func (s *server) clearBehind(path string) {
	l := s.layer
	e := l.scratch(path)
	if e == nil {
		return
	}
	remove := l.files.Remove
	if e.isDir() {
		for _, f := range l.files.List(path) {
			if isDirMode(f.Mode) {
				s.clearBehind(join(path, f.Name))
			}
		}
		remove = l.files.Rmdir
	}
	if err := remove(path); err == nil {
		l.forgetScratch(path)
	}
}
