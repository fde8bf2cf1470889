package fs

import (
	"slices"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// owes reports whether the kernel keeps a name until the echo removes it.
func (it *echoed) owes() bool {
	return it.op == echo.Unlink || it.op == echo.Rmdir || it.op == echo.Rename || it.op == echo.Exchange
}

// maxEchoWait is how long the barrier waits for removals that are to be repeated: a
// helper may be stopped, or the mount be so busy that it is not its turn.
const maxEchoWait = 10 * time.Second

// echoWaiter waits for the removals and renames that were queued before it.
type echoWaiter struct {
	before uint64
	left   int
	done   chan struct{}
}

// settled notes that an item that was queued is done, or was given up.
func (e *echoes) settled(it *echoed, done bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if done {
		e.done++
	}
	if !it.owes() {
		return
	}
	e.owing--
	e.waiters = slices.DeleteFunc(e.waiters, func(w *echoWaiter) bool {
		if it.turn > w.before {
			return false
		}
		if w.left--; w.left == 0 {
			close(w.done)
		}
		return w.left == 0
	})
}

// caughtUp returns a channel that is closed when the kernel keeps no name that
// an echo that is queued by now is to remove.
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
		e.waiters = append(e.waiters, &echoWaiter{e.turn, e.owing, c})
	}
	return c
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
		if e.stays(it) {
			return // it had come back before the kernel was to drop it: it is the same one
		}
		// What has come back since is another inode: this one is dead for good.
		if st := k.DeleteNotify(it.dir.id, it.child.id, it.name); !st.Ok() && st != fuse.ENOENT {
			k.EntryNotify(it.dir.id, it.name)
		}
	case echo.Exchange:
		for _, at := range []place{it.place, it.to} {
			if i := e.s.table.child(at.dir, at.name); i != nil {
				if n, ok := e.s.node(i, tree); !ok || !e.s.fits(i, n) {
					e.s.table.detach(i)
				}
			}
			k.EntryNotify(at.dir.id, at.name)
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
	if it.expected != nil {
		e.s.table.forget(it.expected.id, 0)
	}
}
