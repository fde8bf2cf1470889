package fs

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// lane is one thread of the helper, with what it is to repeat.
type lane struct {
	e      *echoes
	thread atomic.Uint32 // of the running helper
	// current is what the thread was asked for, several only of content changes
	// (echo.Touch); nil between two requests.
	current atomic.Pointer[[]*echoed]
	queue   []*echoed // guarded by echoes.mu
	wake    chan struct{}
}

// enqueue puts items into the lanes' queues.
func (e *echoes) enqueue(items []*echoed) {
	if len(items) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, it := range items {
		e.enqueueLocked(it)
	}
}

// enqueueLocked queues it, or makes it one with what is queued for the name.
func (e *echoes) enqueueLocked(it *echoed) {
	last := e.last[it.place]
	isTouch := it.op == echo.Touch || it.op == echo.TouchClose
	if last != nil && isTouch && last.op != echo.Unlink && last.op != echo.Rmdir && last.op != echo.Rename {
		// It has not been repeated yet: whoever looks upon it sees the newest.
		if it.op == echo.TouchClose && last.op == echo.Touch {
			last.op = echo.TouchClose
		}
		return
	}
	l := e.laneOf(it)
	if it.owes() {
		e.owing++
	}
	l.queue = append(l.queue, it)
	e.last[it.place] = it
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (e *echoes) laneOf(it *echoed) *lane {
	n := len(e.lanes) - 1
	if it.crossing || it.op == echo.Rename && it.to.dir != it.dir {
		return e.lanes[n]
	}
	order := it.dir
	if it.order != nil {
		order = it.order
	}
	return e.lanes[order.id%uint64(n)]
}

// mostTouches is how many content changes the helper is asked for at a time: to
// wake it, and to be woken by it, takes as long as the change.
const mostTouches = 64

// next takes the first item off the lane's queue, with those behind it if all
// are content changes.
func (l *lane) next() []*echoed {
	e := l.e
	e.mu.Lock()
	defer e.mu.Unlock()
	var batch []*echoed
	for len(l.queue) > 0 {
		it := l.queue[0]
		if len(batch) > 0 && (it.op != echo.Touch || batch[0].op != echo.Touch || len(batch) == mostTouches) {
			break
		}
		batch = append(batch, it)
		l.queue[0] = nil
		l.queue = l.queue[1:]
		if e.last[it.place] == it {
			delete(e.last, it.place)
		}
	}
	return batch
}

// run has the helper's thread do what is queued, until the helper has ended.
func (l *lane) run(thread *echo.Lane, ended <-chan struct{}) {
	for {
		batch := l.next()
		if len(batch) == 0 {
			select {
			case <-l.wake:
				continue
			case <-ended:
				return
			}
		}
		if batch = slices.DeleteFunc(batch, l.e.hold); len(batch) == 0 {
			continue
		}
		l.current.Store(&batch)
		done, err := l.repeat(thread, batch)
		l.current.Store(nil)
		for k, it := range batch {
			if err != nil {
				l.e.giveUp(it)
			}
			l.e.met(it)
			l.e.settled(it, k < done)
		}
		if err == echo.ErrDead {
			return
		}
	}
}

// owes reports whether the kernel keeps a name until the echo removes it.
func (it *echoed) owes() bool {
	return it.op == echo.Unlink || it.op == echo.Rmdir || it.op == echo.Rename
}

// settled notes that an item that was queued is done, or was given up.
func (e *echoes) settled(it *echoed, done bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if done {
		e.done++
	}
	if it.owes() {
		e.owing--
	}
	if e.owing == 0 {
		for _, c := range e.waiters {
			close(c)
		}
		e.waiters = nil
	}
}

// caughtUp returns a channel that is closed when the kernel keeps no name that
// an echo is to remove.
func (e *echoes) caughtUp() <-chan struct{} {
	c := make(chan struct{})
	if e == nil {
		close(c)
		return c
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.owing == 0 {
		close(c)
	} else {
		e.waiters = append(e.waiters, c)
	}
	return c
}

// repeat has the thread do a batch and returns how many of it were done.
func (l *lane) repeat(thread *echo.Lane, batch []*echoed) (done int, err error) {
	it := batch[0]
	if len(batch) == 1 {
		err = thread.Do(echo.Request{Op: it.op, Path: l.e.pathOf(it.place, it.path), To: l.e.pathOf(it.to, it.toPath)})
		if err == nil {
			done = 1
		}
		return done, err
	}
	paths := make([]string, len(batch))
	for k, it := range batch {
		paths[k] = l.e.pathOf(it.place, it.path)
	}
	return thread.TouchAll(paths)
}

// pathOf is where a name is now; path if its directory has none any more.
func (e *echoes) pathOf(p place, path string) string {
	if p.dir == nil {
		return path
	}
	if dir, ok := e.s.table.path(p.dir); ok {
		return join(dir, p.name)
	}
	return path
}

// hold puts an item off whose notice has not been sent: a watcher that reads
// upon an event must read the new content.
func (e *echoes) hold(it *echoed) bool {
	if it.op != echo.Touch && it.op != echo.TouchClose || it.view {
		return false
	}
	i := e.s.table.child(it.dir, it.name)
	if i == nil || i.dir != nil {
		return false
	}
	n, ok := e.s.node(i, e.s.store.Tree())
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.foreign && (!ok || !i.told.Valid() || i.cleared || i.told.Same(n)) {
		return false
	}
	e.mu.Lock()
	if len(e.waiting) == 0 {
		e.waitDue = time.Now().Add(waitCheck)
	}
	e.waiting[i] = it
	e.mu.Unlock()
	e.signal()
	return true
}

// moved says that the kernel has dropped what it had of i.
func (e *echoes) moved(i *inode) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if it := e.waiting[i]; it != nil {
		delete(e.waiting, i)
		e.enqueueLocked(it)
	}
}

// giveUp brings the kernel by notices to where the echo would have brought it.
func (e *echoes) giveUp(it *echoed) {
	k := e.s.notices.kernel
	tree := e.s.store.Tree()
	switch it.op {
	case echo.Touch, echo.TouchClose:
	case echo.Unlink, echo.Rmdir:
		if it.child == nil {
			k.EntryNotify(it.dir.id, it.name)
			return
		}
		if e.s.table.child(it.dir, it.name) == it.child {
			return // it had come back before the kernel was to drop it: it is the same one
		}
		// What has come back since is another inode: this one is dead for good.
		if st := k.DeleteNotify(it.dir.id, it.child.id, it.name); !st.Ok() && st != fuse.ENOENT {
			k.EntryNotify(it.dir.id, it.name)
		}
	case echo.Rename:
		if i := e.s.table.child(it.dir, it.name); i != nil {
			if _, back := tree.Lookup(e.pathOf(it.place, it.path)); !back {
				e.s.table.detach(i)
			}
		}
		k.EntryNotify(it.dir.id, it.name)
		k.EntryNotify(it.to.dir.id, it.to.name)
	default:
		k.EntryNotify(it.dir.id, it.name)
	}
}

// giveUpAll is giveUp for all that is queued: no helper is there to do it.
func (e *echoes) giveUpAll() {
	e.mu.Lock()
	var list []*echoed
	for _, l := range e.lanes {
		list = append(list, l.queue...)
		l.queue = nil
	}
	clear(e.last)
	clear(e.waiting)
	e.unsure = nil
	e.mu.Unlock()
	for _, it := range list {
		e.giveUp(it)
		e.met(it)
		e.settled(it, false)
	}
}

// met lets go of a directory that was expected and that the kernel has not
// looked up.
func (e *echoes) met(it *echoed) {
	if it.expected {
		e.s.table.forget(it.to.dir.id, 0)
	}
}

// hand queues what was planned, after the notices.
func (p *echoPlan) hand() {
	if p == nil {
		return
	}
	if p.e.watched.Load() == nil {
		// The helper has ended meanwhile.
		for _, it := range p.order() {
			p.e.giveUp(it)
			p.e.met(it)
		}
		return
	}
	p.e.enqueue(p.order())
	p.e.signal()
}

// shows returns the node that an item announces, if the newest tree has one of
// its kind there, and that tree.
func (e *echoes) shows(path string, isDir bool) (mapping.Node, *mapping.Tree, bool) {
	t := e.s.store.Tree()
	n, ok := t.Lookup(path)
	return n, t, ok && n.IsDir() == isDir
}
