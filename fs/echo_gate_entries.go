package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// Create implements fuse.RawFileSystem.
func (g gate) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	it, mine := g.of(&in.InHeader, first)
	if !mine {
		return g.RawFileSystem.Create(cancel, in, name, out)
	}
	st := g.arrives(it, echo.CreateClose, in.NodeId, name, &out.EntryOut)
	if st.Ok() {
		g.opened(&out.OpenOut)
	}
	return st
}

// Mknod implements fuse.RawFileSystem.
func (g gate) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	it, mine := g.of(&in.InHeader, first)
	if !mine {
		return g.RawFileSystem.Mknod(cancel, in, name, out)
	}
	return g.arrives(it, echo.Create, in.NodeId, name, out)
}

// Mkdir implements fuse.RawFileSystem.
func (g gate) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	it, mine := g.of(&in.InHeader, first)
	if !mine {
		return g.RawFileSystem.Mkdir(cancel, in, name, out)
	}
	return g.arrives(it, echo.Mkdir, in.NodeId, name, out)
}

// Symlink implements fuse.RawFileSystem.
func (g gate) Symlink(cancel <-chan struct{}, in *fuse.InHeader, pointedTo, name string, out *fuse.EntryOut) fuse.Status {
	it, mine := g.of(in, first)
	if !mine {
		return g.RawFileSystem.Symlink(cancel, in, pointedTo, name, out)
	}
	return g.arrives(it, echo.Link, in.NodeId, name, out)
}

// arrives answers the making of a name with what the newest tree has there.
func (g gate) arrives(it *echoed, op echo.Op, dir uint64, name string, out *fuse.EntryOut) fuse.Status {
	s := g.e.s
	if it == nil || it.op != op || !it.at(s.table, dir, name) {
		return stale
	}
	for {
		t, st := s.named(dir, name)
		if !st.Ok() || !t.node.Valid() || s.shapeOf(t.node) != s.shapeOf(it.node) {
			return stale
		}
		s.answerEntry(t.parent, name, t.node, t.tree, out)
		if s.store.Tree() == t.tree {
			return fuse.OK
		}
		s.table.forget(out.NodeId, 1)
		*out = fuse.EntryOut{}
	}
}

// Unlink implements fuse.RawFileSystem.
func (g gate) Unlink(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	it, mine := g.of(in, first)
	if !mine {
		return g.RawFileSystem.Unlink(cancel, in, name)
	}
	return g.leaves(it, echo.Unlink, in.NodeId, name)
}

// Rmdir implements fuse.RawFileSystem.
func (g gate) Rmdir(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	it, mine := g.of(in, first)
	if !mine {
		return g.RawFileSystem.Rmdir(cancel, in, name)
	}
	return g.leaves(it, echo.Rmdir, in.NodeId, name)
}

// leaves answers a removal. The kernel marks what it removed dead for good, so
// that nothing may have come back but what is not that.
func (g gate) leaves(it *echoed, op echo.Op, dir uint64, name string) fuse.Status {
	if it == nil || it.op != op || !it.at(g.e.s.table, dir, name) || !g.gone(it) || !g.removesOld(it) {
		return stale
	}
	return fuse.OK
}

// Rename implements fuse.RawFileSystem.
func (g gate) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	it, mine := g.of(&in.InHeader, first)
	if !mine {
		return g.RawFileSystem.Rename(cancel, in, oldName, newName)
	}
	s := g.e.s
	if it != nil && it.op == echo.Exchange {
		return g.exchange(it, in, oldName, newName)
	}
	if it == nil || it.op != echo.Rename || in.Flags != 0 ||
		!it.at(s.table, in.NodeId, oldName) || !it.to.at(s.table, in.Newdir, newName) || !g.gone(it) {
		return stale
	}
	t, st := s.named(in.Newdir, newName)
	i := s.table.child(it.dir, it.name)
	if !st.Ok() || !t.node.Valid() || t.isDir() != it.isDir || i == nil || (i.dir != nil) != it.isDir {
		return stale
	}
	s.table.move(i, it.to.dir, it.to.name)
	if i.dir == nil {
		s.notices.check(i)
	} else {
		s.meetsLocals(i)
	}
	return fuse.OK
}
