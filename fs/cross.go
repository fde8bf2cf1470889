package fs

import (
	"syscall"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// renameScratch moves within what only this mount has.
func (s *server) renameScratch(from, to *target, exchange bool) error {
	l := s.layer
	if err := l.files.Rename(from.path, to.path, exchange); err != nil {
		return err
	}
	if exchange {
		l.forgetScratch(from.path)
		l.forgetScratch(to.path)
		s.swapInodes(from, to)
		return nil
	}
	if to.exists() {
		l.forgetScratch(to.path)
	}
	l.moved(from.path, to.path)
	s.moveInode(from, to)
	return nil
}

// renameIn gives a scratch file the name of an entry of the tree: its content
// is written there. Type and place of what was there are kept.
func (s *server) renameIn(e *scratchEntry, from, to *target) error {
	if to.isDir() {
		return syscall.EISDIR
	}
	if e.typ == syscall.S_IFLNK {
		return s.renameLink(e, from, to)
	}
	content, err := s.scratchContent(e)
	if err != nil {
		return err
	}
	if err := s.replace(to, content, from.local); err != nil {
		return err
	}
	l := s.layer
	if err := l.files.Remove(from.path); err != nil {
		s.log.Warn("a scratch file stays behind after its rename", "path", from.path, "error", err)
	}
	l.promote(e, to.path)
	l.mu.Lock()
	set := e.set
	l.mu.Unlock()
	l.forgetScratch(from.path)
	s.setAttrs(to.path, set)
	s.arrived(from, to)
	return nil
}

// replace writes content to what is at t, whatever that is; by is what its
// attributes come from.
func (s *server) replace(t *target, content []byte, by local) error {
	w := &work{s: s, path: t.path, view: t.view, like: s.layer.shapeOf(t.path)}
	if s.layer.holdsView(t.path) {
		_, w.view, _ = mapping.ViewOf(t.name)
	}
	if v, ok := by.xattr(xattrType); ok && mapping.Type(v) != mapping.Directory {
		w.typ = mapping.Type(v)
	}
	if v, ok := by.xattr(xattrNewline); ok && string(v) == newlineAdded {
		w.noNewline = true
	}
	if v, ok := by.xattr(xattrText); ok {
		w.text = v
	}
	if v, ok := by.xattr(xattrName); ok {
		w.whole = string(v)
	}
	w.field = w.view == 0 && mapping.InDocument(t.tree, t.path)
	w.buf, w.changed = content, true
	if err := s.store.Writable(); err != nil {
		return err
	}
	if err := w.roomFor(t.path, int64(len(content))); err != nil {
		return err
	}
	release := s.claimTarget(t)
	defer release()
	settle := s.settling(t.path)
	defer settle()
	if err := s.commit(w.edit(t.path)); err != nil {
		return err
	}
	s.problems.clear(t.path)
	return nil
}

// arrived makes the inode of from, which is not of the tree, the one of what
// it was renamed to.
func (s *server) arrived(from, to *target) {
	if w := to.pending(); w != nil {
		w.abandon()
		s.layer.dropPending(w)
	}
	k := kindEntry
	if to.view != 0 || s.layer.holdsView(to.path) {
		k = kindView
	}
	s.layer.release(to.path)
	s.crossed(from, to, k, nil)
}

// crossed moves the inode of from over the border of the tree to the name to.
func (s *server) crossed(from, to *target, k kind, l local) {
	old := s.table.child(to.parent, to.name)
	if i := s.table.child(from.parent, from.name); i != nil {
		s.table.arrive(i, to.parent, to.name, k, l)
		s.notices.check(i)
	}
	if old != nil {
		s.abandon(old)
	}
}

// renameOut gives a leaf of the tree a scratch name: a copy stays here, and
// the removal is held back, because a new file of that name is likely to follow.
func (s *server) renameOut(from, to *target) error {
	if err := s.store.Writable(); err != nil {
		return err
	}
	if err := s.copyOut(from, to, from.node.Content()); err != nil {
		return err
	}
	s.hold(from.path, false)
	s.leave(from, to)
	return nil
}

func (s *server) copyOut(from, to *target, content []byte) error {
	l := s.layer
	if to.exists() {
		if to.isDir() {
			return syscall.EISDIR
		}
		if err := l.files.Remove(to.path); err != nil {
			return err
		}
		l.forgetScratch(to.path)
	}
	f, err := l.files.Create(to.path, s.opt.FileMode, s.opt.UID, s.opt.GID)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(content, 0, false); err != nil {
		_ = l.files.Remove(to.path) // nothing of it is known yet
		return err
	}
	if t := from.node.Seen(); !t.IsZero() {
		_ = l.files.Utimens(to.path, &t, &t) // only shown
	}
	return nil
}

// leave makes the inode of an entry that of its scratch copy.
func (s *server) leave(from, to *target) {
	s.layer.demote(from.path)
	s.layer.changed()
	s.crossed(from, to, kindLocal, s.layer.remember(to.path, syscall.S_IFREG))
	if i := s.table.child(to.parent, to.name); i != nil {
		// Not before: who opens it meanwhile looks once more what it is.
		s.abandon(i)
	}
}

// renameView moves a view to a scratch name, as editors do for a backup: it is
// a copy, and the view is back with the next file of its name, or soon.
func (s *server) renameView(from, to *target, toScratch, exchange bool) error {
	if !toScratch || exchange {
		return crossing(from, "a view cannot be renamed; copy it")
	}
	target, format, _ := mapping.ViewOf(from.name)
	dir, _ := splitPath(from.path)
	n, ok := from.tree.Lookup(join(dir, target))
	if !ok {
		return syscall.ENOENT
	}
	content, err := mapping.Render(n, format)
	if err != nil {
		return err
	}
	if err := s.copyOut(from, to, content); err != nil {
		return err
	}
	s.hold(from.path, true)
	s.leave(from, to)
	return nil
}

// renamePending gives a file that is not in the tree yet another name.
func (s *server) renamePending(w *work, from, to *target, toScratch, exchange bool) error {
	if exchange || toScratch {
		return crossing(from, "is still open and not stored; close it first, or copy it")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if to.exists() || to.hidden {
		if to.isDir() {
			return syscall.EISDIR
		}
		content := append([]byte(nil), w.buf...)
		if err := s.replace(to, content, noXattrs{w}); err != nil {
			return err
		}
		// Who has it open goes on with what is in the tree now.
		s.layer.dropPending(w)
		w.created, w.view = false, to.view
		w.settle(content, s.contentAt(to.path, to.view))
		s.arrived(from, to)
		return nil
	}
	if err := mapping.Check(to.tree, to.path, nil, mapping.WriteOptions{}); err != nil {
		return err
	}
	s.layer.moved(from.path, to.path)
	s.moveInode(from, to)
	return nil
}

// noXattrs are the attributes of a work whose lock is held.
type noXattrs struct{ *work }

func (n noXattrs) xattr(name string) ([]byte, bool) {
	switch {
	case name == xattrType && n.typ != "":
		return []byte(n.typ), true
	case name == xattrNewline && n.noNewline:
		return []byte(newlineAdded), true
	case name == xattrText && n.text != nil:
		return n.text, true
	}
	return nil, false
}
