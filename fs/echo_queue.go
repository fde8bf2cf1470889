package fs

import (
	"time"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

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

// enqueue puts items into the lanes' queues, and has the lanes go on with them.
func (e *echoes) enqueue(items []*echoed) {
	if len(items) == 0 {
		return
	}
	e.mu.Lock()
	for _, it := range items {
		e.enqueueLocked(it)
	}
	e.mu.Unlock()
	e.proceed()
}

// enqueueLocked queues it, or makes it one with what is queued for the name.
func (e *echoes) enqueueLocked(it *echoed) {
	last := e.last[it.slot()]
	isTouch := it.op == echo.Touch || it.op == echo.TouchClose
	if last != nil && isTouch && !last.owes() {
		// It has not been repeated yet: whoever looks upon it sees the newest.
		if it.op == echo.TouchClose && last.op == echo.Touch {
			last.op = echo.TouchClose
		}
		return
	}
	l := e.laneOf(it)
	if it.owes() {
		e.owing++
		e.turn++
		it.turn = e.turn
	}
	l.queue = append(l.queue, it)
	e.last[it.slot()] = it
}

func (e *echoes) laneOf(it *echoed) *lane {
	n := len(e.lanes) - 1
	if it.crossing || (it.op == echo.Rename || it.op == echo.Exchange) && it.to.dir != it.dir {
		return e.lanes[n]
	}
	order := it.dir
	if it.order != nil {
		order = it.order
	}
	return e.lanes[order.id%uint64(n)]
}

// slot is what items are made one for.
type slot struct {
	place
	view *inode
}

// slot of a view is its inode's: a name may have had several.
func (it *echoed) slot() slot {
	if it.view {
		return slot{it.place, it.child}
	}
	return slot{it.place, nil}
}

// together reports whether an item can be asked for with others.
func (it *echoed) together() bool { return it.op == echo.Touch && !it.view }

// mostTouches is how many content changes the helper is asked for at a time: to
// wake it, and to be woken by it, takes as long as the change.
const mostTouches = 64

// next takes the first item off the lane's queue, with those behind it if all
// are content changes.
func (l *lane) next() []*echoed {
	e := l.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(l.queue) == 0 {
		return nil
	}
	var batch []*echoed
	for len(l.queue) > 0 {
		it := l.queue[0]
		if len(batch) > 0 && (!it.together() || !batch[0].together() || len(batch) == mostTouches) {
			break
		}
		batch = append(batch, it)
		l.queue[0] = nil
		l.queue = l.queue[1:]
		if e.last[it.slot()] == it {
			delete(e.last, it.slot())
		}
	}
	l.current.Store(&batch)
	return batch
}

// putBack puts items that next has returned back into the queue.
func (l *lane) putBack(items []*echoed) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	l.queue = append(items[:len(items):len(items)], l.queue...)
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
	it := e.waiting[i]
	if it != nil {
		delete(e.waiting, i)
		e.enqueueLocked(it)
	}
	e.mu.Unlock()
	if it != nil {
		e.proceed()
	}
}
