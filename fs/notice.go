package fs

import (
	"math"
	"sync"

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
	replaced  map[place]struct{} // names of which an older answer may be on its way
	pushes    []*inode
	waiters   []waiter
	rounds    []chan struct{} // closed after the next round of work
	calmers   []waiter
	atWork    uint64 // the birth of what was put off and is looked at again now
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
	// born is the upTo that what was put off has come with; 0 if nothing was.
	born uint64
	// shown are the publications one by one, for the echoes.
	shown []change
}

type waiter struct {
	upTo uint64
	done chan struct{}
}

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
	for _, c := range w.rounds {
		close(c)
	}
	for _, x := range w.calmers {
		close(x.done)
	}
	w.waiters, w.calmers, w.rounds = nil, nil, nil
}

func (w *notices) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// publish queues the changes of keys from old to now. It does not block.
func (w *notices) publish(old, now *mapping.Tree, keys []string) {
	w.mu.Lock()
	w.entered++
	w.requeueLocked(batch{old: old, keys: [][]string{keys}, changes: 1, upTo: w.entered, shown: w.s.echoes.shown(old, now, keys)})
	w.mu.Unlock()
	w.signal()
}

// requeueLocked adds b to what is to be worked on.
func (w *notices) requeueLocked(b batch) {
	if p := &w.published; p.old == nil || b.upTo < p.upTo {
		p.old = b.old
	}
	w.published.keys = append(w.published.keys, b.keys...)
	w.published.changes += b.changes
	w.published.shown = append(w.published.shown, b.shown...)
	w.published.upTo = max(w.published.upTo, b.upTo)
	if p := &w.published; p.born == 0 || b.born > 0 && b.born < p.born {
		p.born = b.born
	}
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

// replace has the worker make the kernel forget a name that was answered with another
// inode, or none, than the kernel has a reference on. An older answer with that one may
// reach the kernel after the newer one: READDIRPLUS is not in order with LOOKUP.
func (w *notices) replace(dir *inode, name string) {
	w.mu.Lock()
	if w.replaced == nil {
		w.replaced = make(map[place]struct{})
	}
	w.replaced[place{dir, name}] = struct{}{}
	w.mu.Unlock()
	w.signal()
}

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

// workedOff returns a channel that is closed when all is done that was queued
// before the call: what was published, and what is to be compared. What is put off
// is not waited for. The rule of caughtUp holds.
func (w *notices) workedOff() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	if w.closed {
		close(c)
		return c
	}
	w.rounds = append(w.rounds, c)
	w.signal()
	return c
}

// doneCount is how many changes the kernel was told of.
func (w *notices) doneCount() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

// publishedCount is the number of changes published so far.
func (w *notices) publishedCount() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entered
}

// idle reports that there is nothing left to tell.
func (w *notices) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.working && w.published.changes == 0 &&
		len(w.checks)+len(w.relists)+len(w.replaced)+len(w.pushes)+len(w.later) == 0
}

// calm returns a channel that is closed when no notice for what was published
// before the call waits for a reader, nor for a request that is at work on a
// name. A request may wait for it as for caughtUp, after that.
func (w *notices) calm() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	if w.closed || w.putOffLocked() > w.entered {
		close(c)
	} else {
		w.calmers = append(w.calmers, waiter{w.entered, c})
	}
	return c
}

// putOffLocked is the birth of the oldest that was put off.
func (w *notices) putOffLocked() uint64 {
	oldest := uint64(math.MaxUint64)
	for _, born := range []uint64{w.atWork, w.published.born} {
		if born > 0 {
			oldest = min(oldest, born)
		}
	}
	for _, r := range w.later {
		oldest = min(oldest, r.born)
	}
	return oldest
}

// calmLocked lets go of those who wait for nothing more.
func (w *notices) calmLocked() {
	if len(w.calmers) > 0 {
		w.calmers = releaseWaiters(w.calmers, w.putOffLocked()-1)
	}
}
