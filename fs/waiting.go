package fs

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// A copy of a document (cp -a, tar) makes a directory, fills it, and says last
// that it is a document. Until then it is a directory of keys, in which no key
// can have the name of some fields: with a slash, doubled, cut. Such an entry
// waits: it is a local file, which comes into the tree in the change that makes
// its directory a document, or once its whole name is told. A file waits only
// if it was made with O_EXCL and has been given a type before it is closed, as
// these tools do; else its close is refused, and nothing is left of it.

// waiting is an entry that waits.
type waiting struct {
	path      string
	dir       bool
	typ       mapping.Type // "" of a directory that has not been told one
	text      []byte
	noNewline bool
	content   []byte
	// scratch: its name is one of scratch files, but it has been given a type,
	// as copies do. It is a field if a text says so.
	scratch bool
}

// keyless reports whether a new entry at p would have to wait.
func (s *server) keyless(t *mapping.Tree, p string) bool {
	return strings.Contains(p, "%") && mapping.Keyless(t, p, s.segments(p))
}

// segments is what is known of the cut names in a path: copies tell it by an
// attribute of the entry.
func (s *server) segments(p string) mapping.Segments {
	var known mapping.Segments
	for dir := p; strings.Contains(dir, "%~"); {
		parent, name := splitPath(dir)
		if e := s.layer.scratch(dir); e != nil {
			if whole, ok := e.xattr(xattrName); ok && mapping.SegmentOf(name, string(whole)) {
				known = known.With(name, string(whole))
			}
		}
		dir = parent
	}
	return known
}

// waits reports whether the scratch entry at p is one that waits.
func (s *server) waits(e *scratchEntry, p string) bool {
	return !e.isDir() && strings.Contains(p, "%") && !s.layer.isScratch(s.store.Tree(), p)
}

// waitingIn returns what waits at and below dir, directories before what is in them,
// and what is known of cut names there.
func (s *server) waitingIn(dir string, withScratch bool) ([]waiting, mapping.Segments, error) {
	known := s.segments(dir)
	t := s.store.Tree()
	var list []waiting
	for _, d := range s.layer.files.Below(dir) {
		for _, entry := range s.layer.files.List(d) {
			p := path.Join(d, entry.Name)
			w := waiting{path: p, dir: isDirMode(entry.Mode)}
			e := s.layer.remember(p, entry.Mode)
			switch {
			case !w.dir && entry.Mode&syscall.S_IFMT != syscall.S_IFREG:
				continue
			case w.dir && s.inTree(p):
				continue // it came into the tree by way of its parent
			}
			// A scratch file that is still written is none that was copied.
			if w.scratch = s.layer.isScratch(t, p); w.scratch && (!withScratch || !w.dir && e.isBeingWritten()) {
				continue
			}
			for name, whole := range s.segments(p) {
				known = known.With(name, whole)
			}
			if typ, ok := e.xattr(xattrType); ok {
				w.typ = mapping.Type(typ)
			}
			w.text, _ = e.xattr(xattrText)
			newline, _ := e.xattr(xattrNewline)
			w.noNewline = string(newline) == newlineAdded
			if w.scratch && !w.dir && w.typ == "" {
				continue
			}
			if !w.dir {
				var err error
				if w.content, err = s.scratchContent(e); err != nil {
					return nil, nil, err
				}
			}
			list = append(list, w)
		}
	}
	slices.SortFunc(list, byPlace)
	return withoutEmpty(list), known, nil
}

// withoutEmpty drops directories that nobody has said anything of, and that
// nothing waits in: a tool goes on to make them part of what it copies.
func withoutEmpty(list []waiting) []waiting {
	var kept []waiting
	for _, w := range slices.Backward(list) {
		if !w.dir || w.typ != "" || len(kept) > 0 && isBelow(kept[len(kept)-1].path, w.path) {
			kept = append(kept, w)
		}
	}
	slices.Reverse(kept)
	return kept
}

func (s *server) inTree(p string) bool {
	_, ok := s.store.Tree().Lookup(p)
	return ok
}

// byPlace sorts parents before children and the elements of an array by number.
func byPlace(a, b waiting) int {
	x, y := strings.Split(a.path, "/"), strings.Split(b.path, "/")
	return slices.CompareFunc(x, y, func(a, b string) int {
		n, err := strconv.Atoi(a)
		m, other := strconv.Atoi(b)
		if err == nil && other == nil {
			return cmp.Compare(n, m)
		}
		return cmp.Compare(a, b)
	})
}

// setName tells what the cut name of an entry stands for. What waits for it comes into the tree.
func (s *server) setName(i *inode, p, whole string) error {
	_, name := splitPath(p)
	if !mapping.SegmentOf(name, whole) {
		return mapping.Errorf(mapping.Invalid, p, "is not the cut name of that")
	}
	var is []byte
	if _, l := s.table.what(i); l != nil {
		if _, ok := l.(*scratchEntry); !ok {
			return nil // a file that the tree knows the place of
		}
		if err := s.layer.files.Setxattr(p, xattrName, []byte(whole), 0); err != nil {
			return err
		}
		is, _ = l.xattr(xattrType)
	}
	if i.dir == nil || s.keyless(s.store.Tree(), p) {
		return nil
	}
	list, known, err := s.waitingIn(p, true)
	if err != nil {
		return err
	}
	return s.settleNamed(p, mapping.Type(is), list, known)
}

// closeWaiting is the end of writing a file that waits.
func (s *server) closeWaiting(h *scratchHandle) error {
	e := h.entry
	s.layer.mu.RLock()
	p, over := e.path, e.gone || e.became != ""
	s.layer.mu.RUnlock()
	if over || !s.waits(e, p) {
		return nil
	}
	if _, ok := e.xattr(xattrType); !ok {
		if err := s.layer.files.Remove(p); err != nil {
			return nil // somebody else was first
		}
		s.layer.forgetScratch(p)
		if i := s.inodeAt(p); i != nil {
			s.table.detach(i)
		}
		err := mapping.Errorf(mapping.Invalid, p, "no key can have this name, only a field of a document: make the directory one first (setfattr -n user.type -v object), or copy with attributes")
		s.layer.mu.Lock()
		e.refused = err
		s.layer.mu.Unlock()
		return err
	}
	if known := s.segments(p); len(known) > 0 && !mapping.Keyless(s.store.Tree(), p, known) {
		dir, _ := splitPath(p)
		list, known, err := s.waitingIn(dir, false)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(w waiting) bool { return w.path != p })
		return s.takeIn(p, list, mapping.Together(edits(list, known)...))
	}
	s.problems.hint(p, "waits on this mount until its directory is a document (setfattr -n user.type -v object): no key can have this name")
	return nil
}
