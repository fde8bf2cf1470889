package fs

import "sync"

// openFile is what an open file handle stands for.
type openFile interface {
	// read returns the bytes at offset, at most len(buf); it may use buf.
	read(cancel <-chan struct{}, buf []byte, offset int64) ([]byte, error)
	// size is the size of a content that only this handle has.
	size() (int64, bool)
}

// handles are the open files that need more than their inode. Number 0 is
// every other open file.
type handles struct {
	mu   sync.RWMutex
	last uint64
	open map[uint64]openFile
}

func (h *handles) add(f openFile) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = make(map[uint64]openFile)
	}
	h.last++
	h.open[h.last] = f
	return h.last
}

func (h *handles) get(fh uint64) openFile {
	if fh == 0 {
		return nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.open[fh]
}

func (h *handles) remove(fh uint64) openFile {
	if fh == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.open[fh]
	delete(h.open, fh)
	return f
}

func (h *handles) size(fh uint64) (int64, bool) {
	if f := h.get(fh); f != nil {
		return f.size()
	}
	return 0, false
}
