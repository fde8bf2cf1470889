package fs

import (
	"sync/atomic"
	"time"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// place is a name in a directory that the kernel knows.
type place struct {
	dir  *inode
	name string
}

// echoed is one change that is to be repeated.
type echoed struct {
	op echo.Op
	place
	path string
	// child is the inode that has, or had, the name; may be nil.
	child *inode
	// to and toPath are where a rename goes; over: something is replaced there.
	to     place
	toPath string
	over   bool
	// expected is a directory on the way that was not known to the kernel
	// (table.expect); nil if all were.
	expected *inode
	isDir    bool
	view     bool
	// was is the shape of what is removed, and top the name that it is at, or within,
	// which shows something of another kind now; none if that is gone.
	was shape
	top place
	// tries is how often more it is tried if the kernel knows already what came.
	tries int
	// looked: the helper has looked up what is removed, so that the kernel has that at the name.
	looked atomic.Bool
	// crossing: it is to be in order with the renames between directories.
	crossing bool
	// order is the directory whose changes it is to be in order with.
	order *inode
	// turn counts the removals and renames in the order in which they are queued.
	turn uint64
	// node is what the name, of a rename the new one, shows after the change;
	// invalid when it is gone and nothing of another kind is there. back is what the
	// old name shows after an exchange.
	node, back mapping.Node
}

// state is what path shows after the change.
func (it *echoed) state(path string) mapping.Node {
	if (it.op == echo.Rename || it.op == echo.Exchange) && path == it.path {
		return it.back
	}
	return it.node
}

// echoPlan is what is to be repeated of some changes, for who is watched.
type echoPlan struct {
	e *echoes
	w *watchSet
	// known is who was watched when the same changes were planned before: their
	// watchers have had their events.
	known *watchSet

	made, renamed, gone, touched []*echoed
	// owed are the names that the notices leave to the echo: the kernel keeps them
	// until it repeats their removal.
	owed map[place]bool
	// replaced are those of them that show something of another kind now.
	replaced map[place]bool
	// doubt: there may be watchers whom w does not know. loss: and the notices
	// take from the kernel what they watch.
	doubt, loss bool
}

func newEchoPlan(e *echoes, w, known *watchSet) *echoPlan {
	return &echoPlan{e: e, w: w, known: known, owed: make(map[place]bool), replaced: make(map[place]bool)}
}

// plan decides what of a batch is repeated, before its notices are sent.
func (e *echoes) plan(b batch) *echoPlan {
	if e == nil || len(b.shown) == 0 {
		return nil
	}
	w := e.watched.Load()
	if w == nil {
		return nil
	}
	p := newEchoPlan(e, w, nil)
	p.addAll(b.shown)
	if p.loss && e.rescan() {
		w = e.watched.Load()
		p = newEchoPlan(e, w, nil)
		p.addAll(b.shown)
	}
	if p.doubt || len(w.masks) > 0 && w.expired() {
		for _, c := range b.shown {
			e.doubt(c, w)
		}
	}
	return p
}

// maxSingly is how many publications are looked at one by one. Of more only
// the sum is repeated.
const maxSingly = 256

func (p *echoPlan) addAll(shown []change) {
	if len(shown) > maxSingly {
		sum := change{old: shown[0].old, now: shown[len(shown)-1].now}
		for _, c := range shown {
			sum.keys = append(sum.keys, c.keys...)
		}
		shown = []change{sum}
	}
	for _, c := range shown {
		p.add(c)
	}
}

// order returns the items in the order in which they are to be repeated.
func (p *echoPlan) order() []*echoed {
	list := append(p.made, p.renamed...)
	list = append(list, p.gone...)
	return append(list, p.touched...)
}

// owes reports whether the removal of a name is left to the echo.
func (p *echoPlan) owes(dir *inode, name string) bool {
	return p != nil && p.owed[place{dir, name}]
}

// watches reports whether a change of c in dir has a watcher.
func (p *echoPlan) watches(dir, c *inode) bool { return p != nil && p.w.hasEither(dir, c) }

// moves reports whether the kernel will be led to another name.
func (p *echoPlan) moves(dir *inode, name string) bool {
	if p.owes(dir, name) {
		for _, it := range p.renamed {
			if it.place == (place{dir, name}) || it.op == echo.Exchange && it.to == (place{dir, name}) {
				return true
			}
		}
	}
	return false
}

// expired reports whether it is to be looked up again who is watched.
func (w *watchSet) expired() bool { return time.Since(w.at) > maxWatchAge }

// leave takes from the table what an echo will remove from the kernel. What
// will be renamed stays until then.
func (p *echoPlan) leave(tb *table, dir, c *inode, name string) {
	if p.moves(dir, name) {
		return
	}
	for _, below := range tb.childrenOf(c) {
		p.leave(tb, c, below, tb.nameOf(below))
	}
	tb.detach(c)
}
