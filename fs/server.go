package fs

import (
	"log/slog"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// server answers the kernel's requests. The operations lie in files named
// after them; what is not there is answered ENOSYS by the embedded default.
type server struct {
	fuse.RawFileSystem
	opt      Options
	store    Store
	log      *slog.Logger
	table    *table
	notices  *notices
	echoes   *echoes // nil when no events are raised
	mute     string  // why not
	problems *problems
	control  *control
	computed computed
	history  *history
	// transactions are those of a mount; within is the one that this server shows, if it shows one.
	transactions *transactions
	within       *transaction
	times        times
	listings     listings
	walks        walks
	handles      handles
	paths        *pathLocks
	locks        locks
	overlay      overlay
	streams      streams
	// layer is the overlay of a writable mount; nil on a read-only one.
	layer     *layer
	temporary string // what the layer lies in and goes with the mount
}

var _ fuse.RawFileSystem = (*server)(nil)

func newServer(o Options) *server {
	o.setDefaults()
	s := &server{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		opt:           o,
		store:         o.Store,
		log:           o.Logger,
		table:         newTable(),
		paths:         newPathLocks(),
		problems:      newProblems(),
		overlay:       noOverlay{},
	}
	s.table.root.dir.top = &top{source: o.Store}
	s.locks.on, s.locks.cluster = o.Locks != nil && !o.ReadOnly, o.Locks
	s.control = newControl(s)
	s.history = newHistory(s)
	s.transactions = newTransactions(s)
	s.notices = newNotices(s)
	s.table.replaced = s.notices.replace
	s.echoes, s.mute = newEchoes(s)
	return s
}

// String is the name of the filesystem's type.
func (s *server) String() string { return "ovscfgfs" }

// Forget implements fuse.RawFileSystem.
func (s *server) Forget(nodeid, nlookup uint64) {
	s.table.forget(nodeid, nlookup)
	if s.opt.ReadOnly && s.table.get(nodeid) == nil {
		s.computed.forget(nodeid)
	}
}

// node returns the node that i shows in t; not ok if there is none, because i
// is detached, was removed, or is not of the tree. The kind of entry may have
// changed: callers compare IsDir.
func (s *server) node(i *inode, t *mapping.Tree) (mapping.Node, bool) {
	type step struct {
		dir  *directory
		name string
	}
	var buf [32]step
	steps := buf[:0]
	if t == nil {
		return mapping.Node{}, false
	}
	mark := t.Mark()
	n := t.Root()

	s.table.mu.RLock()
	moves := s.table.moves.Load()
	for j := i; j.dir == nil || j.dir.top == nil; j = j.parent {
		if j.parent == nil || j.kind != kindEntry {
			s.table.mu.RUnlock()
			return mapping.Node{}, false
		}
		if j.dir != nil {
			if r := j.dir.resolved.Load(); r != nil && r.tree == mark && r.moves == moves {
				n = r.node
				break
			}
		}
		steps = append(steps, step{j.dir, j.name})
	}
	s.table.mu.RUnlock()

	for k := len(steps) - 1; k >= 0; k-- {
		var ok bool
		if n, ok = n.Lookup(steps[k].name); !ok {
			return mapping.Node{}, false
		}
		if d := steps[k].dir; d != nil && n.IsDir() {
			d.resolved.Store(&resolved{mark, moves, n})
		}
	}
	return n, true
}

// path returns the shown path of i for messages.
func (s *server) path(i *inode) string {
	if p, ok := s.table.path(i); ok {
		return p
	}
	return i.name
}
