package fs

import (
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// work is a change in the making: what one open file description has written
// and the tree does not have yet. All who have a file open that is not in the
// tree at all share one.
type work struct {
	s *server

	mu sync.Mutex
	draft
	// view is the format if the file is a view.
	view mapping.Format
	// typ, noNewline and text are what attributes set on the file while it was open.
	typ       mapping.Type
	noNewline bool
	text      []byte
	// written is what the last commit made the content: with what others have appended.
	written []byte
	whole   string // what its cut name stands for
	// created: nothing has its name in the tree, so that even an empty content
	// has to be written. exclusive: with O_EXCL, so nothing may.
	created, exclusive bool
	// field: it is, or is to be, a part of a document.
	field bool
	// failed: what was created could not be committed, and nothing was written since.
	failed bool
	// refused is why a write did not fit. Who goes on writing without a new
	// beginning, as bash does line by line, gets it again: the rest is not the whole.
	refused error
	// truncated: with O_TRUNC, so that nothing of base is left to go on from.
	truncated bool
	// touches are those of a counter that is not in the tree yet; touched: one
	// that is was, and the kernel may not have heard of it (server.touch).
	touches int64
	touched bool
	// gone: the name was removed or taken over here; the content goes nowhere.
	gone  bool
	inode *inode
	// by is who made the last change.
	by holder

	// The rest is guarded by layer.mu.
	path  string // as long as inode is not attached
	opens int
	like  *mapping.Shape
	set   attrs
	begun time.Time
	timer *time.Timer // of a file made by mknod
}

var _ local = (*work)(nil)

func (w *work) isDir() bool { return false }

// yields: what someone else makes of that name meanwhile is overwritten.
func (w *work) yields() bool { return false }

func (w *work) attributes(a *fuse.Attr) {
	*a = fuse.Attr{Mode: fuse.S_IFREG | w.s.opt.FileMode, Nlink: 1}
	a.Uid, a.Gid = w.s.opt.UID, w.s.opt.GID
	l := w.s.layer
	l.mu.RLock()
	defer l.mu.RUnlock()
	if _, name := splitPath(w.path); mapping.Secret(name, nil) {
		a.Mode = fuse.S_IFREG | w.s.opt.FileMode&0o600
	}
	setTimes(a, w.begun)
	w.set.apply(a)
	setSize(a, w.draft.size.Load())
}

func (w *work) xattr(name string) ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return noXattrs{w}.xattr(name)
}

func (w *work) xattrs() []string {
	var names []string
	for _, name := range []string{xattrType, xattrNewline, xattrText} {
		if _, ok := w.xattr(name); ok {
			names = append(names, name)
		}
	}
	return names
}

// name returns the shown path that a commit of w goes to.
func (w *work) name() string {
	if p, ok := w.s.table.path(w.inode); ok {
		return p
	}
	l := w.s.layer
	l.mu.RLock()
	defer l.mu.RUnlock()
	return w.path
}

// abandon makes w's content go nowhere.
func (w *work) abandon() {
	w.mu.Lock()
	w.gone = true
	w.mu.Unlock()
}

// writer is one open file description that may write to an entry of the tree,
// to a view, or to a file that is to be one.
type writer struct {
	*work
	fh      uint64
	add     bool   // O_APPEND
	opener  uint32 // the thread that opened it
	reader  bool   // of a file that is not in the tree yet
	counted bool   // in inode.writers
	// told is false while the kernel may not have heard of what was committed.
	untold bool // guarded by work.mu
}

var _ openFile = (*writer)(nil)

func (h *writer) read(_ <-chan struct{}, buf []byte, offset int64) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// Copied, because a write may change it before the answer is sent.
	return buf[:copy(buf, h.draft.read(offset, len(buf)))], nil
}

func (h *writer) size() (int64, bool) { return h.draft.size.Load(), true }
