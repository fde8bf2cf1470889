package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// write counts who has i open for writing.
func (i *inode) write(n int32) {
	i.mu.Lock()
	i.writers += n
	i.mu.Unlock()
}

// Write implements fuse.RawFileSystem. What makes a one-line leaf whole is
// committed at once, because the shell looks at errors of write and not at
// those of close; so is refused what no later write can mend.
func (s *server) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	switch h := s.handles.get(in.Fh).(type) {
	case *scratchHandle:
		s.layer.mu.RLock()
		err := h.entry.refused
		s.layer.mu.RUnlock()
		var n int
		if err == nil {
			n, err = h.file.WriteAt(data, int64(in.Offset), h.add)
		}
		if err != nil {
			p, _ := h.entry.where()
			return 0, s.fail("write", p, err)
		}
		h.wrote(true)
		return uint32(n), fuse.OK
	case *writer:
		defer s.share(h.name)()
		if err := h.write(data, int64(in.Offset), in.Pid); err != nil {
			return 0, s.fail("write", h.name(), err)
		}
		return uint32(len(data)), fuse.OK
	}
	return 0, fuse.EBADF
}

func (h *writer) write(data []byte, off int64, pid uint32) error {
	w := h.work
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by = holder{h.fh, pid}
	before := int64(len(w.buf))
	if h.add {
		off = before
	}
	path := w.name()
	if w.refused != nil {
		return w.refused
	}
	if err := w.roomFor(path, max(before, off+int64(len(data)))); err != nil {
		w.refused = err
		w.s.rollBack(w, path)
		return err
	}
	w.draft.write(data, off, h.add)
	w.failed = false
	if w.view != 0 || w.gone {
		return nil
	}
	t := w.s.store.Tree()
	n, ok := t.Lookup(path)
	if !ok || n.IsDir() {
		if err := w.placeable(t, path); err != nil {
			w.refused = err
			w.s.rollBack(w, path)
			return err
		}
	}
	sequential := off <= before && off+int64(len(data)) == int64(len(w.buf))
	if sequential && w.typ == "" && !fits(w.willBe(t, path, n), w.buf) {
		// The words are those of the refused commit.
		err := mapping.Check(t, path, w.buf, mapping.WriteOptions{})
		if err != nil {
			w.refused = err
			w.s.rollBack(w, path)
			return err
		}
	}
	if w.created && (ok || w.typ != "" || w.like != nil) {
		return nil // it may be more than its first line
	}
	if (ok || w.created) && w.line(data, off) && mapping.OneLine(t, path) {
		h.untold = true
		err := w.s.save(w)
		if mapping.KindOf(err) == mapping.Invalid {
			w.refused = err
		}
		return err
	}
	return nil
}

// placeable refuses what no later write can mend: others have put something at path, or above it, that leaves no
// place for the leaf.
func (w *work) placeable(t *mapping.Tree, path string) error {
	_, err := w.within(path, mapping.Write(path, nil, mapping.WriteOptions{Segments: w.segments(path)}))(t)
	return err
}

// willBe is the type that w's content is to have, as far as it is known: that
// of the node n at path, and of a new field text.
func (w *work) willBe(t *mapping.Tree, path string, n mapping.Node) mapping.Type {
	if n.Valid() {
		if w.created {
			return mapping.Raw // held: it may come to be of another type
		}
		return n.Type()
	}
	dir, _ := splitPath(path)
	if d, ok := t.Lookup(dir); ok && d.Type() != mapping.Directory {
		return mapping.String
	}
	return mapping.Raw
}

// roomFor refuses a size that no commit could have.
func (w *work) roomFor(path string, size int64) error {
	limit := int64(w.s.opt.RequestLimit)
	total := size
	if n, ok := w.s.store.Tree().Lookup(path); ok && !n.IsDir() {
		if kv, ok := n.KV(); ok {
			total += max(0, int64(len(kv.Value))-n.Size())
		}
	}
	if total <= limit {
		return nil
	}
	return mapping.Errorf(mapping.TooLarge, path, "would make a value of %d bytes, and etcd takes requests of %d (its --max-request-bytes)", total, limit)
}
