package fs

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// controlHistory is the directory in .ovscfgfs that has the tree of each
// revision of the store, by its number. It lists none of them.
const controlHistory = "history"

const (
	// idle is how long the tree of a revision is kept after its last use.
	idle = time.Minute
	// maxKept is how many are kept; the least recently used goes first.
	maxKept = 16
)

// history keeps the trees of revisions that are in use. One that is let go is
// read again when someone comes back: what the kernel has of it stays, as a
// revision never changes. Safe for concurrent use.
type history struct {
	s *server

	mu     sync.Mutex
	kept   map[int64]*revision
	timer  *time.Timer
	closed bool
}

// revision is the source of one revision's tree.
type revision struct {
	history *history
	number  int64
	top     *top

	reading sync.Mutex // held while the tree is read, before history.mu
	tree    *mapping.Tree
	used    time.Time // these two are guarded by history.mu
}

func newHistory(s *server) *history {
	return &history{s: s, kept: make(map[int64]*revision)}
}

// isHistory reports whether i is the directory .ovscfgfs/history.
func (s *server) isHistory(i *inode) bool {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	return i.kind == kindControl && i.dir != nil && i.name == controlHistory
}

// lookupRevision answers for a name in .ovscfgfs/history.
func (s *server) lookupRevision(cancel <-chan struct{}, parent *inode, name string, out *fuse.EntryOut) fuse.Status {
	number, err := strconv.ParseInt(name, 10, 64)
	if err != nil || number < 1 || strconv.FormatInt(number, 10) != name {
		return fuse.ENOENT
	}
	r := s.history.revision(number)
	tree, err := r.get(fuseContext(cancel))
	if err != nil {
		return s.fail("lookup", pathOfRevision(name), err)
	}
	i := s.table.plant(parent, name, r.top)
	out.NodeId = i.id
	out.EntryValid = forever
	out.AttrValid = s.entryAttributes(i, tree.Root(), tree, &out.Attr)
	return fuse.OK
}

func pathOfRevision(name string) string { return controlName + "/" + controlHistory + "/" + name }

// revision returns the source of a revision, which has not been asked yet if
// it is new.
func (h *history) revision(number int64) *revision {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.kept[number]; r != nil {
		return r
	}
	r := &revision{history: h, number: number}
	r.top = &top{source: r, fixed: true}
	return r
}

// Tree implements source. Why there is none is in .ovscfgfs/errors.
func (r *revision) Tree() *mapping.Tree {
	tree, err := r.get(context.Background())
	if err != nil {
		h := r.history
		h.s.fail("read", pathOfRevision(strconv.FormatInt(r.number, 10)), err)
		return nil
	}
	return tree
}

func (r *revision) get(ctx context.Context) (*mapping.Tree, error) {
	if tree := r.use(); tree != nil {
		return tree, nil
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	if tree := r.use(); tree != nil {
		return tree, nil
	}
	tree, err := r.history.s.store.At(ctx, r.number)
	if err != nil {
		return nil, err
	}
	r.history.keep(r, tree)
	return tree, nil
}

// use returns the tree if it is kept.
func (r *revision) use() *mapping.Tree {
	r.history.mu.Lock()
	defer r.history.mu.Unlock()
	r.used = time.Now()
	return r.tree
}

// keep keeps the tree of r, and lets another one go if there are too many.
func (h *history) keep(r *revision, tree *mapping.Tree) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	r.tree, r.used = tree, time.Now()
	h.kept[r.number] = r
	if len(h.kept) > maxKept {
		var oldest *revision
		for _, o := range h.kept {
			if oldest == nil || o.used.Before(oldest.used) {
				oldest = o
			}
		}
		h.dropLocked(oldest)
	}
	if h.timer == nil {
		h.timer = time.AfterFunc(idle, h.sweep)
	}
}

// sweep lets go of the trees that nobody has used for a while.
func (h *history) sweep() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.sweepLocked(time.Now().Add(-idle))
	if len(h.kept) > 0 {
		h.timer.Reset(idle)
	} else {
		h.timer = nil
	}
}

// sweepLocked lets go of the trees that were last used before t.
func (h *history) sweepLocked(t time.Time) {
	for _, r := range h.kept {
		if r.used.Before(t) {
			h.dropLocked(r)
		}
	}
}

// dropLocked lets a tree go, with what the inodes remember of it.
func (h *history) dropLocked(r *revision) {
	r.tree = nil
	delete(h.kept, r.number)
	h.s.table.unresolve(r.top)
}

// close lets everything go.
func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.timer != nil {
		h.timer.Stop()
	}
	clear(h.kept)
}

// unresolve has the directories below a top forget their nodes, which keep a
// tree alive.
func (tb *table) unresolve(t *top) {
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	parent := tb.root.childLocked(controlName).childLocked(controlHistory)
	if parent == nil {
		return
	}
	for i := range parent.dir.children.all() {
		if i.dir.top == t {
			unresolve(i)
		}
	}
}

func unresolve(i *inode) {
	i.dir.resolved.Store(nil)
	for c := range i.dir.children.all() {
		if c.dir != nil {
			unresolve(c)
		}
	}
}
