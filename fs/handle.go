package fs

import (
	"sync"
	"sync/atomic"
)

// openFile is what an open file handle stands for.
type openFile interface {
	// read returns the bytes at offset, at most len(buf); it may use buf.
	read(cancel <-chan struct{}, buf []byte, offset int64) ([]byte, error)
	// size is the size of a content that only this handle has.
	size() (int64, bool)
}

// handles are the open files that need more than their inode. Every other open file
// has the number 0, or one of its own from plainHandle on, where locks are to end with it.
type handles struct {
	plain atomic.Uint64
	mu    sync.RWMutex
	last  uint64
	open  map[uint64]openFile
}

func (h *handles) add(f openFile) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = make(map[uint64]openFile)
	}
	h.last++
	h.open[h.last] = f
	if w, ok := f.(*writer); ok {
		w.fh = h.last
	}
	return h.last
}

// plainHandle is the first number of those that stand for nothing but themselves.
const plainHandle = 1 << 62

func isPlain(fh uint64) bool { return fh == 0 || fh >= plainHandle }

func (h *handles) get(fh uint64) openFile {
	if isPlain(fh) {
		return nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.open[fh]
}

func (h *handles) remove(fh uint64) openFile {
	if isPlain(fh) {
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
