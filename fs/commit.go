package fs

import (
	"bytes"
	"context"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

// save commits what w has; w.mu is held. Nothing is committed if nothing was
// changed. After an error the change is dropped: the value in the tree is what
// it was, and a later close does not try again.
func (s *server) save(w *work) error {
	if w.gone || !w.dirty() && (!w.created || w.failed) {
		return nil
	}
	path := w.name()
	parent, name := splitPath(path)
	if w.created {
		defer s.claim(parent, name)()
	} else {
		defer s.echoes.ownChange(path)()
		w.inode.begin(w)
	}
	settle := s.settling(path)
	edit, err := s.fenced(w.by, w.edit(path))
	if err == nil {
		err = s.commit(edit)
	}
	settle()
	if err != nil {
		s.rollBack(w, path)
		return err
	}
	s.saved(w, path)
	return nil
}

// commit makes one change of the tree.
func (s *server) commit(e mapping.Edit) error {
	// Without a deadline of its own: the store has one, and knows what became of
	// what it had sent. A signal to the caller must not make the outcome unknown.
	return s.store.Commit(context.Background(), e)
}

// edit is w as a change of the tree.
func (w *work) edit(path string) mapping.Edit {
	content := bytes.Clone(w.buf)
	w.written = content
	if w.view != 0 {
		return w.viewEdit(path, content)
	}
	if w.touches > 0 && len(content) == 0 {
		return service.Touch(path, w.touches)
	}
	l := w.s.layer
	known := w.segments(path)
	l.mu.RLock()
	held := l.held[path] != nil
	o := mapping.WriteOptions{
		Type:         w.typ,
		Like:         w.like,
		NoNewline:    w.noNewline,
		Text:         w.text,
		Segments:     known,
		MustNotExist: w.exclusive && w.created && !held,
	}
	l.mu.RUnlock()
	if w.seen && !w.created {
		o.Base, o.HasBase = w.base, true
	}
	write := mapping.Write(path, content, o)
	if w.tail > 0 && !held {
		write = w.addition(path, content, o)
	}
	return w.within(path, write)
}

// within has an edit of a part of a document make no key of it.
func (w *work) within(path string, e mapping.Edit) mapping.Edit {
	if w.field {
		return mapping.Within(path, e)
	}
	return e
}

// segments is what is known of the cut names in the path of w.
func (w *work) segments(path string) mapping.Segments {
	known := w.s.segments(path)
	if _, name := splitPath(path); w.whole != "" {
		known = known.With(name, w.whole)
	}
	return known
}

// addition plans the end of content to be appended to what the leaf holds by
// then: two who append at once, also to a file that is new to both, lose
// nothing of each other. What others have removed holds nothing.
func (w *work) addition(path string, content []byte, o mapping.WriteOptions) mapping.Edit {
	o.Base, o.HasBase = nil, false
	base, tail := w.base, content[len(content)-w.tail:]
	return func(t *mapping.Tree) (mapping.Plan, error) {
		w.written = content
		switch n, ok := t.Lookup(path); {
		case !ok && !w.created:
			w.written = tail
		case ok && !n.IsDir() && !bytes.Equal(n.Content(), base):
			w.written = append(bytes.Clone(n.Content()), tail...)
		}
		return mapping.Write(path, w.written, o)(t)
	}
}

func (w *work) viewEdit(path string, content []byte) mapping.Edit {
	dir, name := splitPath(path)
	target, format, _ := mapping.ViewOf(name)
	if dir != "" {
		target = dir + "/" + target
	}
	var base, tail []byte
	if w.tail > 0 && !w.created {
		base, tail = w.base, content[len(content)-w.tail:]
	} else if w.seen {
		base = w.base
	}
	return func(t *mapping.Tree) (mapping.Plan, error) {
		content := content
		if base != nil || tail != nil {
			n, ok := t.Lookup(target)
			if !ok {
				return mapping.Plan{}, mapping.Errorf(mapping.Stale, path, "the directory of this view was removed by someone else")
			}
			now, err := mapping.Render(n, format)
			if err != nil {
				return mapping.Plan{}, err
			}
			switch same := bytes.Equal(now, base); {
			case tail != nil && !same:
				content = append(bytes.Clone(now), tail...)
			case tail == nil && !same && !bytes.Equal(now, content):
				return mapping.Plan{}, mapping.Errorf(mapping.Stale, path, "was changed by someone else since it was read; read it again")
			}
		}
		w.written = content
		return mapping.WriteView(target, format, content)(t)
	}
}

// saved makes w the unchanged content of what it was committed as.
func (s *server) saved(w *work, path string) {
	s.problems.clear(path)
	w.settle(w.written, s.contentAt(path, w.view))
	w.seen, w.typ, w.noNewline, w.text, w.touches = false, "", false, nil, 0
	s.layer.release(path)
	s.keepAttrs(path, w)
	if w.inode != nil && w.view == 0 && !w.created && !w.inode.isEmptied(w) {
		// stat tells the new size from now on. A notice of attributes alone waits
		// for nothing.
		s.wrote(w.inode)
		s.notices.kernel.InodeNotify(w.inode.id, -1, 0)
	}
	if w.created {
		w.created = false
		s.layer.dropPending(w)
		if w.view != 0 {
			s.table.convert(w.inode, kindView, nil)
		} else {
			s.table.convert(w.inode, kindEntry, nil)
		}
	}
}

// rollBack drops the change that w has. Who goes on writing begins anew.
func (s *server) rollBack(w *work, path string) {
	if w.created {
		w.reset(nil)
		w.failed = true
	} else {
		w.reset(s.contentAt(path, w.view))
	}
	if w.created || w.truncated {
		w.buf, w.own, w.other, w.spelt = nil, true, true, false
		w.draft.size.Store(0)
	}
	w.seen = false
}

// drop ends a file that never came into the tree; w.mu is held.
func (s *server) drop(w *work) {
	w.gone = true
	s.layer.dropPending(w)
	s.layer.release(w.path)
	s.table.detach(w.inode)
	s.relist(w.path)
}

// relist has the kernel forget a listing that the name at path was in, or
// comes back to, without a request of the kernel's own.
func (s *server) relist(path string) {
	dir, _ := splitPath(path)
	if i := s.inodeAt(dir); i != nil {
		s.notices.relist(i)
	}
}

// contentAt is what a reader of path sees, nil if there is nothing.
func (s *server) contentAt(path string, view mapping.Format) []byte {
	t := s.store.Tree()
	if view != 0 {
		dir, name := splitPath(path)
		d, _ := t.Lookup(dir)
		n, f, ok := viewIn(d, name)
		if !ok {
			return nil
		}
		content, err := mapping.Render(n, f)
		if err != nil {
			return nil
		}
		return content
	}
	n, ok := t.Lookup(path)
	if !ok || n.IsDir() {
		return nil
	}
	return n.Content()
}

// claim keeps the worker of the notices off a name while a request changes it,
// and has no events raised for that.
func (s *server) claim(dir, name string) (release func()) {
	if i := s.inodeAt(dir); i != nil && i.dir != nil {
		return s.claimIn(i, join(dir, name), name)
	}
	return s.echoes.ownChange(join(dir, name))
}

// claimTarget is claim for what a request names.
func (s *server) claimTarget(t *target) (release func()) { return s.claimIn(t.parent, t.path, t.name) }

func (s *server) claimIn(dir *inode, path, name string) (release func()) {
	unclaim, done := s.table.claim(dir, name), s.echoes.ownChange(path)
	return func() {
		unclaim()
		done()
	}
}

// inodeAt returns the inode that the kernel knows at a path, or nil.
func (s *server) inodeAt(path string) *inode {
	i := s.table.root
	for rest := path; rest != "" && i != nil; {
		name, after := rest, ""
		for k := range len(rest) {
			if rest[k] == '/' {
				name, after = rest[:k], rest[k+1:]
				break
			}
		}
		i, rest = s.table.child(i, name), after
	}
	return i
}
