package fs

import (
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// walk brings the kernel from a tree that was shown to the newest one, for a
// set of changed keys. It visits the inodes that the kernel knows on the paths
// of these keys, each once however many keys lie below it.
type walk struct {
	w        *notices
	s        *server
	old, now *mapping.Tree
	// several: trees between old and now were shown too, so that a name that is
	// in both may have been shown as absent.
	several bool
	top     *step
	// deferred are keys with a name that a request is working on.
	deferred []string
	// plan is what the echoes take over; may be nil.
	plan *echoPlan
}

// step is one shown path on which keys changed.
type step struct {
	below map[string]*step
	// keys end here.
	keys []string
}

func newWalk(w *notices, b batch, plan *echoPlan) *walk {
	k := &walk{w: w, s: w.s, old: b.old, now: w.s.store.Tree(), several: b.changes > 1, top: &step{}, plan: plan}
	for _, keys := range b.keys {
		for _, key := range keys {
			k.add(key)
		}
	}
	return k
}

func (k *walk) add(key string) {
	path, ok := k.now.PathOf(key)
	if !ok {
		return
	}
	at := k.top
	if path != "" {
		for name := range strings.SplitSeq(path, "/") {
			next := at.below[name]
			if next == nil {
				next = &step{}
				if at.below == nil {
					at.below = make(map[string]*step)
				}
				at.below[name] = next
			}
			at = next
		}
	}
	at.keys = append(at.keys, key)
}

// run does it and returns the keys to try again later.
func (k *walk) run() (deferred []string) {
	k.directory(k.s.table.root, k.old.Root(), k.now.Root(), k.top)
	return k.deferred
}

// directory compares what the kernel has of a known directory, which was old
// and is n. at is nil when all within may have changed.
func (k *walk) directory(i *inode, old, n mapping.Node, at *step) {
	if old == n && !k.several {
		return
	}
	var listed bool
	if name, ok := k.only(old, n, at); ok {
		listed = k.entry(i, name, old, n, nil)
	} else if at == nil || len(at.keys) > 0 || isValue(old) || isValue(n) {
		listed = k.whole(i, old, n, at)
	} else {
		for name, below := range at.below {
			if k.entry(i, name, old, n, below) {
				listed = true
			}
		}
	}
	switch {
	case listed:
		// The first notice waits for the listings that are being answered.
		k.w.kernel.EntryNotify(i.id, noName)
		k.w.kernel.InodeNotify(i.id, 0, 0)
	case !old.Seen().Equal(n.Seen()):
		k.w.kernel.InodeNotify(i.id, -1, 0)
	}
}

// only returns the one name in a directory that is to be compared, if that is known.
func (k *walk) only(old, n mapping.Node, at *step) (name string, ok bool) {
	if k.several || at != nil && len(at.below) > 0 {
		return "", false
	}
	return n.ChangedChild(old)
}

// noName is the name of no entry: a lone percent sign encodes nothing.
const noName = "%"

// isValue reports whether a directory is a key's value too: then a change of
// one of both can rename entries of the other.
func isValue(n mapping.Node) bool {
	_, ok := n.KV()
	return ok
}

// whole compares all that the kernel has of a directory.
func (k *walk) whole(i *inode, old, n mapping.Node, at *step) (listed bool) {
	for _, c := range k.s.table.childrenOf(i) {
		name := k.s.table.nameOf(c)
		var below *step
		if at != nil {
			below = at.below[name]
		}
		if k.entry(i, name, old, n, below) {
			listed = true
		}
	}
	names, any := i.denied()
	if any {
		for c := range n.Children() {
			if !k.known(i, c.Name()) {
				k.w.kernel.EntryNotify(i.id, c.Name())
			}
		}
	}
	for _, name := range names {
		if _, ok := n.Lookup(name); ok && !k.known(i, name) {
			k.appeared(i, name)
			listed = true
		}
	}
	return listed || k.several || namesDiffer(old, n)
}

func (k *walk) known(i *inode, name string) bool { return k.s.table.child(i, name) != nil }

// namesDiffer reports whether two directories list other names. It is content
// with the order in which they are stored.
func namesDiffer(old, n mapping.Node) bool {
	if old.Len() != n.Len() {
		return true
	}
	names := make([]string, 0, n.Len())
	for c := range n.Children() {
		names = append(names, c.Name())
	}
	at := 0
	for c := range old.Children() {
		if c.Name() != names[at] {
			return true
		}
		at++
	}
	return false
}

// entry compares one name in a known directory, and reports whether the
// listing may have changed. below is nil when all within may have changed.
func (k *walk) entry(dir *inode, name string, oldDir, newDir mapping.Node, below *step) (listed bool) {
	if k.s.table.claimed(dir, name) {
		k.postpone(dir, name, below)
		return true
	}
	c := k.s.table.child(dir, name)
	old, was := oldDir.Lookup(name)
	n, is := newDir.Lookup(name)
	if c != nil && is && !k.s.table.referred(c) {
		// Made for an echo (table.expect): the kernel has never heard of it.
		k.appeared(dir, name)
	}
	listed = was != is || was && k.s.shapeOf(old) != k.s.shapeOf(n) || k.several && below != nil && len(below.keys) > 0
	switch {
	case c == nil && is:
		k.appeared(dir, name)
	case c == nil:
	case k.local(c):
		if k.meets(dir, c, name, n, is) {
			k.directory(c, old, n, below)
		} else if !is {
			k.hollow(c)
		}
	case !is && k.s.table.claimedWithin(c):
		k.postpone(dir, name, below)
	case !is:
		if !k.vanished(dir, c, name) {
			k.postpone(dir, name, below)
		}
	case k.plan.moves(dir, name) && !k.s.fits(c, n):
		// It will be exchanged.
	case !k.s.fits(c, n) && k.plan.replaces(dir, name) && !k.s.table.claimedWithin(c):
		if k.s.isGone(dir, c, name) {
			k.plan.leave(k.s.table, dir, c, name)
		}
	case !k.s.fits(c, n):
		if k.s.detachGone(dir, c, name) {
			k.w.kernel.EntryNotify(dir.id, name)
		} else {
			k.postpone(dir, name, below)
		}
	case c.dir == nil:
		k.w.compareAgain(retry{inode: c, watched: k.plan.watches(dir, c)})
	default:
		k.directory(c, old, n, below)
	}
	return listed
}

// postpone leaves a name to a later walk: a request of this mount is changing
// it and tells the kernel itself.
func (k *walk) postpone(dir *inode, name string, below *step) {
	if below != nil {
		k.collect(below)
		return
	}
	// All within dir is compared: the key is that of dir's value.
	if n, ok := k.s.node(dir, k.now); ok {
		k.deferred = append(k.deferred, n.Key())
	}
}

func (k *walk) collect(at *step) {
	k.deferred = append(k.deferred, at.keys...)
	for _, below := range at.below {
		k.collect(below)
	}
}

// appeared drops a name that the kernel may hold as absent.
func (k *walk) appeared(dir *inode, name string) {
	if dir.allow(name) {
		k.w.kernel.EntryNotify(dir.id, name)
	}
}

// local reports whether an inode is not of the tree.
func (k *walk) local(c *inode) bool {
	kind, _ := k.s.table.what(c)
	return kind != kindEntry
}

// meets settles a name that something of this mount has and the tree may have
// too. It reports whether that is a directory of the tree now.
func (k *walk) meets(dir, c *inode, name string, n mapping.Node, is bool) (entered bool) {
	kind, l := k.s.table.what(c)
	switch {
	case !is:
	case kind == kindLocal && l == nil: // the kernel has forgotten it meanwhile
	case kind == kindEntry: // a lookup has made it one of the tree meanwhile
		return c.dir != nil && n.IsDir()
	case kind == kindLocal && l.isDir() && n.IsDir() && !l.yields():
		// The same directory, now for everyone: whoever is in it stays there.
		path, attached := k.s.table.path(c)
		return k.s.table.becomeEntry(c, claim{dir, name}, func() bool { return attached && k.s.hasDirectory(path) })
	case kind == kindLocal && !l.yields() && !l.isDir(): // a leaf takes the place of a directory
	default:
		k.s.table.detach(c)
		k.w.kernel.EntryNotify(dir.id, name)
	}
	return false
}

// vanished removes an entry and all that the kernel knows in it, the innermost
// first. It reports false, and does nothing, if the entry is there after all: a
// rename of this mount may have come to its end since the walk began.
func (k *walk) vanished(dir, c *inode, name string) bool {
	if !k.s.isGone(dir, c, name) {
		return false
	}
	if k.plan.owes(dir, name) {
		k.plan.leave(k.s.table, dir, c, name)
		return true
	}
	for _, below := range k.s.table.childrenOf(c) {
		k.vanished(c, below, k.s.table.nameOf(below))
	}
	if !k.s.detachGone(dir, c, name) {
		return false
	}
	if st := k.w.kernel.DeleteNotify(dir.id, c.id, name); !st.Ok() && st != fuse.ENOENT {
		k.w.kernel.EntryNotify(dir.id, name)
	}
	return true
}
