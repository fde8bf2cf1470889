package fs

import (
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// kernel is how notices reach the kernel (*fuse.Server). Each call may wait for
// requests that the kernel has sent and that are not answered yet.
type kernel interface {
	InodeNotify(node uint64, off, length int64) fuse.Status
	InodeNotifyStoreCache(node uint64, offset int64, data []byte) fuse.Status
	EntryNotify(parent uint64, name string) fuse.Status
	DeleteNotify(parent, child uint64, name string) fuse.Status
}

// notices is the queue of what the kernel is to be told, and the one goroutine
// that tells it. The queue coalesces and never drops: it holds keys and
// inodes, and what is to be said about them is found out when it is their turn.
type notices struct {
	s      *server
	kernel kernel

	mu        sync.Mutex
	published batch
	checks    []*inode
	relists   []*inode
	pushes    []*inode
	waiters   []waiter
	later     []retry
	fading    []retry // in the order of their time
	entered   uint64  // counts calls of Published
	done      uint64  // of these, how many are told
	working   bool
	closed    bool

	wake    chan struct{}
	stop    chan struct{}
	stopped chan struct{}
}

// batch is one or more published changes that have not been worked on.
type batch struct {
	old     *mapping.Tree
	keys    [][]string
	changes int
	upTo    uint64
}

type waiter struct {
	upTo uint64
	done chan struct{}
}

// retry is an inode that is looked at again, because a reply that makes it
// known to the kernel is still on its way there.
type retry struct {
	inode *inode
	tries int
	due   time.Time
}

// retryAfter is the first pause before something is tried again; it doubles up
// to maxRetryAfter.
const (
	retryAfter    = time.Millisecond
	maxRetryAfter = time.Second
)

// fadeAfter is how long the content that the kernel has dropped is kept for a
// read that it sent before.
const fadeAfter = 100 * time.Millisecond

func newNotices(s *server) *notices {
	return &notices{
		s:       s,
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// start begins to work. k is used by the worker only.
func (w *notices) start(k kernel) {
	w.kernel = k
	go w.run()
}

// close ends the worker and lets go of all who wait. The kernel must answer
// its pending calls: the mount must be gone.
func (w *notices) close() {
	close(w.stop)
	<-w.stopped
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, x := range w.waiters {
		close(x.done)
	}
	w.waiters = nil
}

func (w *notices) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// publish queues the changes of keys since old. It does not block.
func (w *notices) publish(old *mapping.Tree, keys []string) {
	w.mu.Lock()
	w.entered++
	w.requeueLocked(batch{old: old, keys: [][]string{keys}, changes: 1, upTo: w.entered})
	w.mu.Unlock()
	w.signal()
}

// requeueLocked adds b to what is to be worked on.
func (w *notices) requeueLocked(b batch) {
	if p := &w.published; p.old == nil || b.old.Revision() < p.old.Revision() {
		p.old = b.old
	}
	w.published.keys = append(w.published.keys, b.keys...)
	w.published.changes += b.changes
	w.published.upTo = max(w.published.upTo, b.upTo)
}

// check has the worker compare what the kernel has of i with the tree.
func (w *notices) check(i *inode) {
	i.mu.Lock()
	defer i.mu.Unlock()
	w.checkLocked(i)
}

// checkLocked is check for those who hold i.mu.
func (w *notices) checkLocked(i *inode) {
	if i.queued {
		return
	}
	i.queued = true
	w.add(&w.checks, i)
}

// relist has the worker look at all that the kernel has of a directory.
func (w *notices) relist(i *inode) { w.add(&w.relists, i) }

// pushSiblings has the worker give the kernel the contents of the small leaves
// beside i.
func (w *notices) pushSiblings(i *inode) { w.add(&w.pushes, i) }

func (w *notices) add(list *[]*inode, i *inode) {
	w.mu.Lock()
	*list = append(*list, i)
	w.mu.Unlock()
	w.signal()
}

// caughtUp returns a channel that is closed when the kernel was told of all that
// was published before the call. A request may wait for it only if the kernel
// holds no lock of a directory or a page for it.
func (w *notices) caughtUp() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	if w.closed || w.done >= w.entered {
		close(c)
	} else {
		w.waiters = append(w.waiters, waiter{w.entered, c})
	}
	return c
}

// run is the worker.
func (w *notices) run() {
	defer close(w.stopped)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
		case <-timer.C:
		}
		w.setWorking(true)
		w.retryDue()
		for w.step() {
		}
		if pause, ok := w.rest(); ok {
			timer.Reset(pause)
		}
	}
}

// step takes what is queued and works on it; it reports whether there is more.
func (w *notices) step() bool {
	w.mu.Lock()
	b, checks, relists := w.published, w.checks, w.relists
	w.published, w.checks, w.relists = batch{}, nil, nil
	var push *inode
	if n := len(w.pushes); n > 0 {
		push, w.pushes = w.pushes[0], w.pushes[1:]
	}
	w.mu.Unlock()

	var deferred []string
	if b.changes > 0 {
		deferred = newWalk(w, b).run()
	}
	for _, i := range checks {
		w.compare(i)
	}
	for _, i := range relists {
		w.compareAll(i)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	if b.changes > 0 {
		w.done = max(w.done, b.upTo)
		w.waiters = releaseWaiters(w.waiters, w.done)
	}
	busy := w.published.changes > 0 || len(w.checks) > 0 || len(w.relists) > 0
	if len(deferred) > 0 {
		// A request is at work on these names; it is tried again after a pause,
		// if nothing else brings the worker here before.
		w.requeueLocked(batch{old: b.old, keys: [][]string{deferred}, changes: b.changes + 1})
	}
	if push != nil && !busy {
		w.mu.Unlock()
		w.push(push)
		w.mu.Lock()
	} else if push != nil {
		w.pushes = append(w.pushes, push)
	}
	return busy || len(w.pushes) > 0 || len(w.checks) > 0 || len(w.relists) > 0
}

func releaseWaiters(list []waiter, done uint64) []waiter {
	kept := list[:0]
	for _, x := range list {
		if x.upTo <= done {
			close(x.done)
		} else {
			kept = append(kept, x)
		}
	}
	return kept
}

// retryDue puts what was put off back into the queue.
func (w *notices) retryDue() {
	now := time.Now()
	w.mu.Lock()
	var due, later []retry
	for _, r := range w.later {
		if r.due.After(now) {
			later = append(later, r)
		} else {
			due = append(due, r)
		}
	}
	w.later = later
	fade := 0
	for fade < len(w.fading) && !w.fading[fade].due.After(now) {
		fade++
	}
	faded := w.fading[:fade:fade]
	w.fading = w.fading[fade:]
	w.mu.Unlock()
	for _, r := range due {
		w.compareAgain(r)
	}
	for _, r := range faded {
		r.inode.fade()
	}
}

// compare looks at a leaf: if the kernel's size and pages are of another
// content than the newest, it is told to drop them.
func (w *notices) compare(i *inode) {
	i.mu.Lock()
	i.queued = false
	i.mu.Unlock()
	w.compareAgain(retry{inode: i})
}

// maxReread is how often a notice is repeated at once because the old content
// was read again while it was sent.
const maxReread = 100

func (w *notices) compareAgain(r retry) {
	i := r.inode
	if i.dir != nil {
		w.kernel.InodeNotify(i.id, -1, 0)
		return
	}
	for range maxReread {
		again, later := w.move(i)
		if !again && !later {
			return
		}
		if later {
			break
		}
	}
	r.due = time.Now().Add(min(retryAfter<<min(r.tries, 10), maxRetryAfter))
	r.tries++
	w.mu.Lock()
	w.later = append(w.later, r)
	w.mu.Unlock()
}

// move tells the kernel to drop what it has of a leaf whose content changed.
// again: the old content was read meanwhile; later: the kernel will only know
// the inode when a reply that is on its way has arrived, or a reader is given time.
func (w *notices) move(i *inode) (again, later bool) {
	n, ok := w.s.node(i, w.s.tree(i))
	i.mu.Lock()
	if !i.foreign && (!ok || n.IsDir() || !i.told.Valid() || i.cleared || i.told.Same(n)) {
		i.changing = false
		i.mu.Unlock()
		return false, false
	}
	if w.s.fresh(i) {
		i.postponed = true
		i.mu.Unlock()
		return false, true
	}
	i.postponed = false
	i.changing, i.reread, i.foreign = true, false, false
	i.mu.Unlock()

	st := w.kernel.InodeNotify(i.id, 0, 0)

	known := w.s.table.referred(i)
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case st == fuse.ENOENT && known:
		return false, true
	case i.reread:
		return true, false
	}
	i.cleared, i.changing, i.paged = true, false, false
	w.fadeLater(i)
	return false, false
}

// publishedCount is the number of changes published so far.
func (w *notices) publishedCount() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entered
}

// rest ends a round of work and returns after which pause the next one is due,
// if not before.
func (w *notices) rest() (pause time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working = false
	switch {
	case len(w.later) > 0 || w.published.changes > 0:
		return retryAfter, true
	case len(w.fading) > 0:
		return max(time.Until(w.fading[0].due), retryAfter), true
	}
	return 0, false
}

func (w *notices) setWorking(working bool) {
	w.mu.Lock()
	w.working = working
	w.mu.Unlock()
}

// idle reports that there is nothing left to tell.
func (w *notices) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.working && w.published.changes == 0 &&
		len(w.checks)+len(w.relists)+len(w.pushes)+len(w.later) == 0
}

// fadeLater lets go of told after a while; i.mu is held.
func (w *notices) fadeLater(i *inode) {
	w.mu.Lock()
	w.fading = append(w.fading, retry{inode: i, due: time.Now().Add(fadeAfter)})
	w.mu.Unlock()
}

// fade lets go of a content that the kernel has dropped.
func (i *inode) fade() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cleared {
		i.told, i.cleared = mapping.Node{}, false
	}
}

// putOff reports whether some notice waits for a reader.
func (w *notices) putOff() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.later) > 0
}
