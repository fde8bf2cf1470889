package fs

import (
	"bytes"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// newlineAdded is the value of xattrNewline.
const newlineAdded = "added"

// types are the values that user.type can be set to.
var types = map[mapping.Type]bool{
	mapping.Object: true, mapping.Array: true, mapping.String: true, mapping.Number: true,
	mapping.Boolean: true, mapping.Null: true, mapping.Raw: true, mapping.Directory: true,
}

// SetXAttr implements fuse.RawFileSystem. Setting user.type converts what is
// there; on a file that is being written it holds for the commit to come.
func (s *server) SetXAttr(_ <-chan struct{}, in *fuse.SetXAttrIn, name string, data []byte) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	if s.opt.ReadOnly {
		return fuse.EROFS
	}
	if i.apart {
		return s.fail("setxattr", s.path(i), past())
	}
	st, tell := s.setXAttr(i, in.Flags, name, data)
	if tell {
		// Who asked goes on with a directory. The kernel holds the lock of the file
		// alone.
		s.awaitNotices()
	}
	return st
}

// setXAttr reports tell if the kernel is to be told of it before the answer.
func (s *server) setXAttr(i *inode, flags uint32, name string, data []byte) (st fuse.Status, tell bool) {
	defer s.shareInode(i)()
	k, l := s.table.what(i)
	path := s.path(i)
	if e, ok := l.(*scratchEntry); ok && (!e.isDir() || s.layer.isScratch(s.store.Tree(), path)) {
		p, _ := e.where()
		return fuse.ToStatus(s.layer.files.Setxattr(p, name, data, int(flags))), false
	}
	value := string(data)
	switch {
	case k == kindControl || k == kindView:
	case name == xattrType:
		if !types[mapping.Type(value)] {
			return s.fail("setxattr", path, mapping.Errorf(mapping.Invalid, path, "%q is no type; the types are object, array, string, number, boolean, null, raw and directory", value)), false
		}
		tell, err := s.setType(i, path, mapping.Type(value))
		return s.fail("setxattr", path, err), tell
	case name == xattrNewline && value == newlineAdded && i.dir == nil:
		return s.fail("setxattr", path, s.setNewline(i, path)), false
	case name == xattrName:
		return s.fail("setxattr", path, s.setName(i, path, value)), false
	case name == xattrText:
		return s.fail("setxattr", path, s.setText(i, path, bytes.Clone(data))), false
	}
	return fuse.Status(errnos[mapping.NotSupported]), false
}

// writing calls f with each change in the making of i, under its lock, and
// reports whether there is one.
func (s *server) writing(i *inode, f func(*work)) (any bool) {
	list := s.layer.worksOf(i)
	if _, l := s.table.what(i); l != nil {
		if w, ok := l.(*work); ok {
			list = append(list, w)
		}
	}
	for _, w := range list {
		w.mu.Lock()
		if w.dirty() || w.created {
			any = true
			f(w)
		}
		w.mu.Unlock()
	}
	return any
}

// setType reports whether a file is a directory now.
func (s *server) setType(i *inode, path string, to mapping.Type) (reshaped bool, err error) {
	if s.writing(i, func(w *work) { w.typ = to }) {
		return false, nil
	}
	t := s.store.Tree()
	if s.keyless(t, path) {
		return false, s.layer.files.Setxattr(path, xattrType, []byte(to), 0)
	}
	n, ok := t.Lookup(path)
	if to == mapping.Object || to == mapping.Array {
		list, known, err := s.waitingIn(path, false)
		if err == nil && len(list) > 0 {
			err = s.settleAs(path, to, list, known)
		}
		if err != nil || len(list) > 0 {
			return false, err
		}
	}
	if ok && n.Type() == to {
		return false, nil
	}
	if err := s.store.Writable(); err != nil {
		return false, err
	}
	if !ok {
		switch to {
		case mapping.Directory:
			return false, nil
		case mapping.Object:
			return false, s.makeDocument(path, []byte("{}"), mapping.SetType(path, to))
		case mapping.Array:
			return false, s.makeDocument(path, []byte("[]"), mapping.SetType(path, to))
		}
		return false, mapping.Errorf(mapping.Invalid, path, "a directory can be an object, an array or a plain directory, not a %s", to)
	}
	if err := s.commit(mapping.SetType(path, to)); err != nil {
		return false, err
	}
	return i.dir == nil && (to == mapping.Object || to == mapping.Array), nil
}

// makeDocument stores an empty local directory as a document, or changes the one of the tree that
// it is by then: the last close of an empty file in it stores that after close(2) has returned.
func (s *server) makeDocument(path string, text []byte, change mapping.Edit) error {
	dir, name := splitPath(path)
	release := s.claim(dir, name)
	defer release()
	// The path itself is one of the directories that settle: it is below itself.
	settle := s.settling(path + "/.")
	defer settle()
	edit := mapping.Write(path, text, mapping.WriteOptions{Text: text, MustNotExist: true, Segments: s.segments(path)})
	return s.commit(func(t *mapping.Tree) (mapping.Plan, error) {
		if n, ok := t.Lookup(path); ok && n.Type() == mapping.Directory {
			return change(t)
		}
		return edit(t)
	})
}

// setNewline says of a raw value that the newline at its end is not stored.
func (s *server) setNewline(i *inode, path string) error {
	if s.writing(i, func(w *work) { w.noNewline = true }) {
		return nil
	}
	n, ok := s.store.Tree().Lookup(path)
	if !ok || n.Type() != mapping.Raw {
		return mapping.Errorf(mapping.NotSupported, path, "only raw values are stored without the newline they are shown with")
	}
	if n.Newline() {
		return nil
	}
	content := n.Content()
	return s.commit(mapping.Write(path, content, mapping.WriteOptions{NoNewline: true, Base: content, HasBase: true}))
}

// setText gives what is copied the spelling that it had where it comes from, as
// far as it means the same.
func (s *server) setText(i *inode, path string, text []byte) error {
	if s.writing(i, func(w *work) { w.text = text }) {
		return nil
	}
	if err := s.store.Writable(); err != nil {
		return err
	}
	t := s.store.Tree()
	if s.keyless(t, path) {
		return s.layer.files.Setxattr(path, xattrText, text, 0)
	}
	n, ok := t.Lookup(path)
	if i.dir != nil {
		list, known, err := s.waitingIn(path, true)
		if err != nil {
			return err
		}
		if restored, err := s.restoreText(path, text, list, known); restored || err != nil || len(list) > 0 && !list[0].scratch {
			return err
		}
	}
	switch {
	case !ok: // an empty local directory: rsync -X sets attributes before the contents come
		return s.makeDocument(path, text, mapping.SetText(path, text))
	case n.IsDir():
		return s.commit(mapping.SetText(path, text))
	}
	content := n.Content()
	return s.commit(mapping.Write(path, content, mapping.WriteOptions{Text: text, Base: content, HasBase: true}))
}

// RemoveXAttr implements fuse.RawFileSystem, for scratch files.
func (s *server) RemoveXAttr(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	if i := s.table.get(in.NodeId); i != nil {
		defer s.shareInode(i)()
		_, l := s.table.what(i)
		if e, ok := l.(*scratchEntry); ok {
			p, _ := e.where()
			return fuse.ToStatus(s.layer.files.Removexattr(p, name))
		}
	}
	return fuse.Status(errnos[mapping.NotSupported])
}
