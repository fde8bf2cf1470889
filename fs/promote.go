package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// A scratch file that was renamed into the tree while it was open has two
// lives: who wrote it goes on writing to the scratch file, which has no name
// any more. What is written so is committed at the next close or fsync.

// promote notes that e was renamed to path, a name of the tree, or came into it there.
func (l *layer) promote(e *scratchEntry, path string) {
	l.demote(path) // what was there before
	l.mu.Lock()
	defer l.mu.Unlock()
	e.became = path
	if len(e.open) > 0 {
		l.promoted[e] = true
	}
}

// demote: what is at path and below is removed or overwritten, so that what is still written to
// it goes nowhere.
func (l *layer) demote(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.promoted {
		if isBelow(e.became, path) {
			e.became = ""
			delete(l.promoted, e)
		}
	}
}

func (h *scratchHandle) wrote(yes bool) (before bool) {
	l := h.entry.layer
	l.mu.Lock()
	defer l.mu.Unlock()
	before, h.written = h.written, yes
	h.closed = h.closed && !yes
	return before
}

// flushPromoted commits what was written to h after it was renamed into the tree.
func (s *server) flushPromoted(h *scratchHandle) fuse.Status {
	s.layer.mu.RLock()
	path := h.entry.became
	s.layer.mu.RUnlock()
	if !h.wrote(false) || path == "" {
		return fuse.OK
	}
	content, err := s.scratchContent(h.entry)
	if err == nil {
		done := s.echoes.ownChange(path)
		err = s.commit(mapping.Write(path, content, mapping.WriteOptions{}))
		done()
	}
	return s.fail("close", path, err)
}

// scratchContent reads a scratch file that is to be a value.
func (s *server) scratchContent(e *scratchEntry) ([]byte, error) {
	p, f := e.where()
	if f == nil {
		var err error
		if f, err = s.layer.files.OpenFile(p, false); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size > int64(s.opt.RequestLimit) {
		return nil, mapping.Errorf(mapping.TooLarge, p, "has %d bytes, and etcd takes requests of %d (its --max-request-bytes)", st.Size, s.opt.RequestLimit)
	}
	b := make([]byte, st.Size)
	n, err := f.ReadAt(b, 0)
	return b[:n], err
}
