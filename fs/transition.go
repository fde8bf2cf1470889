package fs

import (
	"cmp"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// retry is an inode that is looked at again, because a reply that makes it
// known to the kernel is still on its way there.
type retry struct {
	inode *inode
	tries int
	due   time.Time
	// born is how many changes were published when it was put off first.
	born uint64
	// all: of a directory, all that the kernel has of it.
	all bool
	// watched: somebody will hear of the change, and read the inode if somebody
	// has read what it was.
	watched bool
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

// compare looks at a leaf: if the kernel's size and pages are of another
// content than the newest, it is told to drop them.
func (w *notices) compare(i *inode) {
	i.mu.Lock()
	i.queued = false
	i.mu.Unlock()
	w.compareAgain(retry{inode: i})
}

// maxReread is how often a notice is repeated at once because the kernel was
// given something to keep while it was sent.
const maxReread = 100

func (w *notices) compareAgain(r retry) {
	i := r.inode
	if r.all {
		w.compareAll(i)
		return
	}
	if i.dir != nil {
		w.kernel.InodeNotify(i.id, -1, 0)
		return
	}
	for range maxReread {
		again, later := w.move(i, r.watched)
		if !again && !later {
			return
		}
		if later {
			break
		}
	}
	w.putOff(r)
}

// putOff has something tried again after a pause.
func (w *notices) putOff(r retry) {
	r.due = time.Now().Add(min(retryAfter<<min(r.tries, 10), maxRetryAfter))
	r.tries++
	w.mu.Lock()
	r.born = cmp.Or(r.born, w.entered, 1)
	w.later = append(w.later, r)
	w.mu.Unlock()
}

// move tells the kernel to drop what it has of a leaf whose content changed, and
// gives it the new one if the leaf is watched. again: the kernel was given
// something meanwhile; later: the kernel will only know the inode when a reply
// that is on its way has arrived, or a reader is given time.
func (w *notices) move(i *inode, watched bool) (again, later bool) {
	n, ok := w.s.node(i, w.s.tree(i))
	i.mu.Lock()
	if !i.foreign && (!ok || !w.s.fits(i, n) || !i.told.Valid() || i.cleared || i.told.Same(n)) {
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
	store := watched && i.paged && ok && !i.foreign && i.writers == 0 && storable(i.told, n)
	i.changing, i.reread, i.foreign = true, false, false
	i.mu.Unlock()

	st := w.kernel.InodeNotify(i.id, 0, 0)

	known := w.s.table.referred(i)
	i.mu.Lock()
	switch {
	case st == fuse.ENOENT && known:
		i.mu.Unlock()
		return false, true
	case i.reread:
		i.mu.Unlock()
		return true, false
	case store && st.Ok():
		// The attributes that the kernel has are dropped, and no page is left of the
		// old content: what it is answered from here on is the new one.
		i.told, i.cleared = n, false
		i.mu.Unlock()
		w.kernel.InodeNotifyStoreCache(i.id, 0, n.Content())
		i.mu.Lock()
	default:
		i.cleared, i.paged = true, false
		w.fadeLater(i)
	}
	i.changing = false
	i.mu.Unlock()
	w.s.echoes.moved(i)
	return false, false
}

// storable reports whether the kernel's page can be filled with n where it had
// told: a notice makes what the kernel takes for the size longer, never shorter,
// and a page that is not whole then is read again.
func storable(told, n mapping.Node) bool {
	return told.Valid() && n.Size() >= max(told.Size(), 1) && n.Size() <= onePage
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

// compareAll looks at a directory of which an answer was computed from a tree
// that is no longer the newest.
func (w *notices) compareAll(i *inode) {
	t, moves := w.s.tree(i), w.s.table.moves.Load()
	n, ok := w.s.node(i, t)
	if !ok && (w.s.table.claimedAbove(i) || w.s.table.moves.Load() != moves) {
		w.putOff(retry{inode: i, all: true}) // the tree shows its new path before the table
		return
	}
	if !ok || !n.IsDir() {
		return
	}
	k := &walk{w: w, s: w.s, old: t, now: t}
	again := false
	for _, c := range w.s.table.childrenOf(i) {
		name := w.s.table.nameOf(c)
		child, is := n.Lookup(name)
		switch {
		case k.local(c) || w.s.table.claimed(i, name) || w.s.table.claimedWithin(c):
		case !is:
			again = !k.vanished(i, c, name) || again
		case !w.s.fits(c, child):
			if w.s.detachGone(i, c, name) {
				w.kernel.EntryNotify(i.id, name)
			} else {
				again = true
			}
		case c.dir == nil:
			w.compareAgain(retry{inode: c})
		}
	}
	w.kernel.EntryNotify(i.id, noName)
	w.kernel.InodeNotify(i.id, 0, 0)
	if again {
		w.putOff(retry{inode: i, all: true})
	}
}
