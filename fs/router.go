package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// router gives each request to the server that its inode belongs to: that of
// the mount, or that of an open transaction (numberShift). It answers itself what is done to
// transactions as a whole.
type router struct {
	s    *server
	main fuse.RawFileSystem // s, or what answers for it
}

// served is what the kernel's requests are answered by.
func (s *server) served() fuse.RawFileSystem {
	if s.opt.ReadOnly {
		return s.raw()
	}
	return router{s, s.raw()}
}

// to returns the server of an inode; gone answers for one whose transaction is forgotten.
func (r router) to(id uint64) fuse.RawFileSystem {
	if id>>numberShift == 0 {
		return r.main
	}
	if inner := r.s.transactions.serverOf(id); inner != nil {
		return inner
	}
	return nil
}

// gone is the answer for an inode of no server: the kernel had forgotten it.
const gone = fuse.Status(syscall.ESTALE)

// String implements fuse.RawFileSystem.
func (r router) String() string { return r.main.String() }

// SetDebug implements fuse.RawFileSystem.
func (r router) SetDebug(debug bool) { r.main.SetDebug(debug) }

// Init implements fuse.RawFileSystem.
func (r router) Init(f *fuse.Server) { r.main.Init(f) }

// OnUnmount implements fuse.RawFileSystem.
func (r router) OnUnmount() { r.main.OnUnmount() }

// Forget implements fuse.RawFileSystem.
func (r router) Forget(id, n uint64) {
	if to := r.to(id); to != nil {
		to.Forget(id, n)
	}
	if id>>numberShift != 0 {
		r.s.transactions.forgot(id)
	}
}

// Mkdir implements fuse.RawFileSystem. In .ovscfgfs/txn it begins a transaction.
func (r router) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	if r.holds(in.NodeId) {
		return r.s.transactions.mkdir(name, out)
	}
	if to := r.to(in.NodeId); to != nil {
		return to.Mkdir(cancel, in, name, out)
	}
	return gone
}

// Rmdir implements fuse.RawFileSystem. In .ovscfgfs/txn it drops a transaction.
func (r router) Rmdir(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	if r.holds(in.NodeId) {
		return r.s.transactions.rmdir(name)
	}
	if to := r.to(in.NodeId); to != nil {
		return to.Rmdir(cancel, in, name)
	}
	return gone
}

// Rename implements fuse.RawFileSystem. In .ovscfgfs/txn it commits a
// transaction, or gives it another name. What moves between a transaction and
// elsewhere is to be copied.
func (r router) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	from, to := r.holds(in.NodeId), r.holds(in.Newdir)
	switch {
	case from && to:
		return r.s.transactions.rename(in.NodeId, oldName, newName, in.Flags)
	case to:
		return r.s.fail("rename", pathOfTransaction(newName), mapping.Errorf(mapping.NotPermitted, "",
			"a transaction is begun with mkdir; nothing can be moved here"))
	case from, in.NodeId>>numberShift != in.Newdir>>numberShift:
		return r.s.fail("rename", oldName, mapping.Errorf(mapping.CrossDevice, "",
			"nothing moves between a transaction and the tree, or another transaction, to %s: copy it", newName))
	}
	if to := r.to(in.NodeId); to != nil {
		return to.Rename(cancel, in, oldName, newName)
	}
	return gone
}

// holds reports whether an inode is the directory .ovscfgfs/txn.
func (r router) holds(id uint64) bool {
	i := r.s.table.get(id)
	return i != nil && r.s.isTransactions(i)
}
