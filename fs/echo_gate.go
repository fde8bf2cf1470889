package fs

import (
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// gate is the server as the kernel's requests meet it when changes are
// repeated: those of the helper's threads are answered from what the lane was
// asked for. One that does not match is refused, and is never a user's.
type gate struct {
	fuse.RawFileSystem
	e *echoes
}

// stale refuses an echo that the newest tree does not bear out any more.
const stale = fuse.Status(syscall.ESTALE)

// of returns what the thread of a request was asked for, of several the one that
// it is about, if it is about one; mine: it is one of the helper's.
func (g gate) of(h *fuse.InHeader, about func(*echoed) bool) (it *echoed, mine bool) {
	lanes := g.e.threads.Load()
	if lanes == nil {
		return nil, false
	}
	for _, l := range *lanes {
		if l.thread.Load() == h.Pid {
			batch := l.current.Load()
			if batch == nil {
				return nil, true
			}
			return pick(*batch, about), true
		}
	}
	return nil, false
}

// pick returns the first of a batch for which about is true, or just the first.
func pick(batch []*echoed, about func(*echoed) bool) *echoed {
	if len(batch) > 1 {
		if k := slices.IndexFunc(batch, about); k >= 0 {
			return batch[k]
		}
	}
	return batch[0]
}

// first takes what stands alone: only content changes come in several.
func first(*echoed) bool { return true }

// named makes a test for the item of a name in a directory.
func (g gate) named(dir uint64, name string) func(*echoed) bool {
	return func(it *echoed) bool { return it.at(g.e.s.table, dir, name) }
}

// shown makes a test for the item of what has a name.
func (g gate) shown(id uint64) func(*echoed) bool {
	i := g.e.s.table.get(id)
	return func(it *echoed) bool { return i != nil && g.e.s.table.child(it.dir, it.name) == i }
}

// at reports whether a request names a place.
func (p place) at(tb *table, dir uint64, name string) bool {
	return p.dir != nil && p.dir.id == dir && p.name == name
}

// Lookup implements fuse.RawFileSystem.
func (g gate) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	it, mine := g.of(in, g.named(in.NodeId, name))
	if !mine {
		return g.RawFileSystem.Lookup(cancel, in, name, out)
	}
	s := g.e.s
	switch {
	case it == nil:
		return stale
	case it.at(s.table, in.NodeId, name):
		switch it.op {
		case echo.Touch, echo.TouchClose:
			if it.view {
				return g.viewed(it, out)
			}
			if n, ok := s.store.Tree().Lookup(g.e.pathOf(it.place, it.path)); ok && s.shapeOf(n) != s.shapeOf(it.node) {
				return stale // as under
			}
		case echo.Unlink, echo.Rmdir, echo.Rename:
			return g.leaving(it, out)
		case echo.Exchange:
			return g.asItWas(it.place, it.node, out)
		default:
			if _, _, ok := g.e.shows(g.e.pathOf(it.place, it.path), it.isDir); !ok {
				return stale
			}
			return fuse.ENOENT
		}
	case it.under(s.table, in.NodeId, name):
		return stale // the kernel has let go of it, and of all that was in it
	case it.op == echo.Exchange && it.to.at(s.table, in.NodeId, name):
		return g.asItWas(it.to, it.back, out)
	case it.op == echo.Rename && it.to.at(s.table, in.NodeId, name):
		if _, _, ok := g.e.shows(g.e.pathOf(it.to, it.toPath), it.isDir); !ok {
			return stale
		}
		if !it.over {
			return fuse.ENOENT
		}
	}
	return g.RawFileSystem.Lookup(cancel, in, name, out)
}

// shows returns the node that an item announces, if the newest tree has one of
// its kind there, and that tree.
func (e *echoes) shows(path string, isDir bool) (mapping.Node, *mapping.Tree, bool) {
	t := e.s.store.Tree()
	n, ok := t.Lookup(path)
	return n, t, ok && n.IsDir() == isDir
}

// leaving answers for a name that the tree does not have any more.
func (g gate) leaving(it *echoed, out *fuse.EntryOut) fuse.Status {
	if !g.gone(it) {
		return stale
	}
	if it.op == echo.Rename {
		return g.asItWas(it.place, it.node, out)
	}
	out.NodeId = g.lookedUp(it, out).id
	return fuse.OK
}

// gone reports whether nothing is shown at the name that an item removes, or
// something else than the kernel has there.
func (g gate) gone(it *echoed) bool {
	t, st := g.e.s.named(it.dir.id, it.name)
	if st == fuse.ENOENT || st == fuse.Status(errnos[mapping.Stale]) {
		return true // its directory is gone too
	}
	return st.Ok() && !t.hidden && (!t.exists() || g.replaced(it, t))
}

// GetAttr implements fuse.RawFileSystem.
func (g gate) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if it, mine := g.of(&in.InHeader, first); mine && it == nil {
		return stale
	}
	return g.RawFileSystem.GetAttr(cancel, in, out)
}

// SetAttr implements fuse.RawFileSystem.
func (g gate) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	it, mine := g.of(&in.InHeader, g.shown(in.NodeId))
	if !mine {
		return g.RawFileSystem.SetAttr(cancel, in, out)
	}
	i := g.touched(it, in.NodeId)
	const more = fuse.FATTR_SIZE | fuse.FATTR_MODE | fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_ATIME
	if i == nil || in.Valid&more != 0 {
		return stale
	}
	if _, st := g.e.s.attributes(i, &out.Attr); !st.Ok() {
		return stale
	}
	return fuse.OK // without a timeout, as that of the server
}

// touched returns the inode whose content changed, if that is the one that a
// lane's request is about.
func (g gate) touched(it *echoed, id uint64) *inode {
	if it == nil || it.op != echo.Touch && it.op != echo.TouchClose && it.op != echo.CreateClose {
		return nil
	}
	i := g.e.s.table.get(id)
	if i == nil || it.view && i == it.child {
		return i
	}
	if g.e.s.table.child(it.dir, it.name) != i {
		return nil
	}
	return i
}

// Open implements fuse.RawFileSystem.
func (g gate) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	it, mine := g.of(&in.InHeader, first)
	if !mine {
		return g.RawFileSystem.Open(cancel, in, out)
	}
	if g.touched(it, in.NodeId) == nil || in.Flags&unix.O_TRUNC != 0 {
		return stale
	}
	if g.e.s.opt.ReadOnly {
		return fuse.ENOSYS // zeroMessage
	}
	g.opened(out)
	return fuse.OK
}

// opened answers with a handle that stands for nothing: its release, which
// carries no thread, is known by it.
func (g gate) opened(out *fuse.OpenOut) {
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_NOFLUSH | fuse.FOPEN_DIRECT_IO
	if g.e.s.opt.ReadOnly {
		return // there is no release
	}
	out.Fh = g.e.s.handles.add(echoHandle{})
}
