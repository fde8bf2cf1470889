package fs

import (
	"slices"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// edits are the changes that bring the list into the tree.
func edits(list []waiting, known mapping.Segments) []mapping.Edit {
	var all []mapping.Edit
	for len(list) > 0 {
		w, below := list[0], 1
		o := mapping.WriteOptions{Type: w.typ, Text: w.text, NoNewline: w.noNewline, Segments: known}
		switch {
		case !w.dir:
			all = append(all, mapping.Write(w.path, w.content, o))
		case w.isDocument() && w.text != nil:
			for below < len(list) && isBelow(list[below].path, w.path) {
				below++
			}
			all = append(all, mapping.RestoreText(w.path, w.text, copiedTo(w.path, list[1:below]), known))
		case w.isDocument():
			all = append(all, mapping.Write(w.path, emptyDocument(w.typ), o))
		}
		list = list[below:]
	}
	return all
}

func (w *waiting) isDocument() bool {
	return w.dir && (w.typ == mapping.Object || w.typ == mapping.Array)
}

// copiedTo is the list as what a text of p is compared with.
func copiedTo(p string, list []waiting) map[string]mapping.Copied {
	asObjects(list)
	copied := map[string]mapping.Copied{}
	for _, w := range list {
		copied[strings.TrimPrefix(w.path, p+"/")] = mapping.Copied{Type: w.typ, Content: w.content, Maybe: w.scratch}
	}
	return copied
}

// asObjects: in a document, a directory of which nobody has said what it is is an object.
func asObjects(list []waiting) {
	for k := range list {
		if w := &list[k]; w.dir && w.typ == "" {
			w.typ = mapping.Object
		}
	}
}

func emptyDocument(is mapping.Type) []byte {
	if is == mapping.Array {
		return []byte("[]")
	}
	return []byte("{}")
}

// settleAs makes the directory at p a document, with what waits in it.
func (s *server) settleAs(p string, to mapping.Type, list []waiting, known mapping.Segments) error {
	asObjects(list)
	// What only the text of the whole can tell the place of goes on waiting for it.
	list = slices.DeleteFunc(list, func(w waiting) bool {
		for name := range strings.SplitSeq(w.path[len(p)+1:], "/") {
			if !mapping.NamesField(name, known) {
				return true
			}
		}
		return false
	})
	return s.takeIn(p, list, func(t *mapping.Tree) (mapping.Plan, error) {
		first := mapping.SetType(p, to)
		if _, ok := t.Lookup(p); !ok {
			first = mapping.Write(p, emptyDocument(to), mapping.WriteOptions{Type: to, Segments: known})
		}
		return mapping.Together(append([]mapping.Edit{first}, edits(list, known)...)...)(t)
	})
}

// restoreText makes the directory at p the document of a text, if that is what it
// and what waits in it hold, and reports whether.
func (s *server) restoreText(p string, text []byte, list []waiting, known mapping.Segments) (bool, error) {
	edit := mapping.RestoreText(p, text, copiedTo(p, list), known)
	if plan, err := edit(s.store.Tree()); err != nil || plan.Empty() {
		return false, err
	}
	return true, s.takeIn(p, list, edit)
}

// takeIn commits a change that brings what waits at and below p into the tree.
func (s *server) takeIn(p string, list []waiting, edit mapping.Edit) error {
	if err := s.store.Writable(); err != nil {
		return err
	}
	for _, w := range list {
		dir, name := splitPath(w.path)
		defer s.claim(dir, name)()
	}
	settle := s.settling(p + "/.")
	defer settle()
	if err := s.commit(edit); err != nil {
		return err
	}
	t := s.store.Tree()
	for _, w := range list {
		n, ok := t.Lookup(w.path)
		switch {
		case !ok || n.IsDir() != w.dir:
		case w.dir:
			s.becomeEntry(w.path)
		default:
			s.becomeLeaf(w.path)
		}
	}
	s.layer.changed()
	return nil
}

// becomeLeaf makes a file that waited the leaf which the tree has now.
func (s *server) becomeLeaf(p string) {
	l := s.layer
	l.mu.Lock()
	var set attrs
	e := l.known[p]
	if e != nil {
		set = e.set
	}
	l.mu.Unlock()
	if e != nil {
		l.promote(e, p)
	}
	if err := l.files.Remove(p); err != nil {
		s.log.Warn("a file stays behind after it came into the tree", "path", p, "error", err)
	}
	if i := s.inodeAt(p); i != nil {
		s.table.convert(i, kindEntry, nil)
		s.notices.check(i)
	}
	l.forgetScratch(p)
	s.problems.clear(p)
	s.setAttrs(p, set)
}

// settleNamed brings what waits in a directory of keys into the tree, whose name is whole by now.
func (s *server) settleNamed(p string, is mapping.Type, list []waiting, known mapping.Segments) error {
	if is == mapping.Object || is == mapping.Array {
		return s.settleAs(p, is, list, known)
	}
	// What no key can be called goes on waiting for the type of its directory.
	document := "" // the last of the list that is one
	list = slices.DeleteFunc(list, func(w waiting) bool {
		if document != "" && isBelow(w.path, document) {
			return false
		}
		if w.scratch || mapping.Keyless(s.store.Tree(), w.path, known) {
			return true
		}
		if w.isDocument() {
			document = w.path
		}
		return false
	})
	if len(list) == 0 {
		return nil
	}
	return s.takeIn(p, list, mapping.Together(edits(list, known)...))
}
