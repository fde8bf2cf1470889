package fs

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/fs/scratch"
)

// scratchEntry is a file or directory of this mount only. There is one for
// each that an inode stands for.
type scratchEntry struct {
	layer *layer
	typ   uint32 // S_IFMT; another type at the same path is another entry

	// The rest is guarded by layer.mu.
	path string
	gone bool // it has no name any more
	// became is the path of the tree that it was renamed to while it was open; it
	// follows what is there, and is "" once that is gone.
	became string
	open   []*scratchHandle
	// refused is why a file that waited is not there any more.
	refused error
	set     attrs // what was asked for explicitly and goes with it into the tree
}

var _ local = (*scratchEntry)(nil)

func (e *scratchEntry) isDir() bool { return isDirMode(e.typ) }

// yields: what is in etcd wins over a scratch file. A local directory becomes
// the one of the tree.
func (e *scratchEntry) yields() bool { return !e.isDir() }

// where returns its path and, for one without a name, a file that is open on it.
func (e *scratchEntry) where() (p string, f *scratch.File) {
	e.layer.mu.RLock()
	defer e.layer.mu.RUnlock()
	if e.gone && len(e.open) > 0 {
		f = e.open[0].file
	}
	return e.path, f
}

// becomes is the path that a close of it stores to, or its own.
func (e *scratchEntry) becomes() string {
	e.layer.mu.RLock()
	defer e.layer.mu.RUnlock()
	if e.became != "" {
		return e.became
	}
	return e.path
}

func (e *scratchEntry) stat() (st syscall.Stat_t, err error) {
	for {
		p, f := e.where()
		if f == nil {
			return e.layer.files.Lstat(p)
		}
		// Who has it open may close it at this moment; another may have it open too.
		if st, err = f.Stat(); !errors.Is(err, os.ErrClosed) {
			return st, err
		}
	}
}

func (e *scratchEntry) attributes(a *fuse.Attr) {
	st, err := e.stat()
	if err != nil || st.Mode&syscall.S_IFMT != e.typ {
		// Unlinked, or replaced at this moment.
		*a = fuse.Attr{Mode: e.typ}
		return
	}
	a.FromStat(&st)
}

func (e *scratchEntry) xattr(name string) ([]byte, bool) {
	p, _ := e.where()
	buf := make([]byte, 1<<16) // the kernel's limit for one attribute
	n, err := e.layer.files.Getxattr(p, name, buf)
	if err != nil {
		return nil, false
	}
	return buf[:n], true
}

func (e *scratchEntry) xattrs() []string {
	p, _ := e.where()
	buf := make([]byte, 1<<16)
	n, err := e.layer.files.Listxattr(p, buf)
	if err != nil {
		return nil
	}
	var names []string
	for start, k := 0, 0; k < n; k++ {
		if buf[k] == 0 {
			names = append(names, string(buf[start:k]))
			start = k + 1
		}
	}
	return names
}

// isBeingWritten reports whether someone who has it open for writing has not closed it. The last
// close(2) returns before the kernel sends RELEASE, so that is not waited for.
func (e *scratchEntry) isBeingWritten() bool {
	e.layer.mu.RLock()
	defer e.layer.mu.RUnlock()
	return slices.ContainsFunc(e.open, func(h *scratchHandle) bool { return h.writes && !h.closed })
}

func isDirMode(mode uint32) bool { return mode&syscall.S_IFMT == syscall.S_IFDIR }

// scratchHandle is an open scratch file.
type scratchHandle struct {
	entry  *scratchEntry
	file   *scratch.File
	add    bool // O_APPEND
	writes bool // open for writing

	// written since the last close or fsync, and closed since the last write; guarded by entry.layer.mu.
	written, closed bool
}

var _ openFile = (*scratchHandle)(nil)

func (h *scratchHandle) read(_ <-chan struct{}, buf []byte, offset int64) ([]byte, error) {
	n, err := h.file.ReadAt(buf, offset)
	return buf[:n], err
}

func (h *scratchHandle) size() (int64, bool) { return 0, false }

// openScratch registers f as open on e.
func (l *layer) openScratch(e *scratchEntry, f *scratch.File, flags uint32) *scratchHandle {
	h := &scratchHandle{entry: e, file: f, add: flags&syscall.O_APPEND != 0, writes: writes(flags)}
	l.mu.Lock()
	e.open = append(e.open, h)
	l.mu.Unlock()
	return h
}

// noteClosed: who has it open has closed a descriptor of it. There may be others.
func (h *scratchHandle) noteClosed() {
	l := h.entry.layer
	l.mu.Lock()
	h.closed = true
	l.mu.Unlock()
}

func (h *scratchHandle) close() {
	l := h.entry.layer
	l.mu.Lock()
	h.entry.open = slices.DeleteFunc(slices.Clone(h.entry.open), func(o *scratchHandle) bool { return o == h })
	if len(h.entry.open) == 0 {
		delete(l.promoted, h.entry)
	}
	l.mu.Unlock()
	h.file.Close()
}
