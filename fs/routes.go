package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// These are the requests of router that go to the server of one inode as they are.

var _ fuse.RawFileSystem = router{}

// Lookup implements fuse.RawFileSystem.
func (r router) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Lookup(cancel, in, name, out)
	}
	return gone
}

// GetAttr implements fuse.RawFileSystem.
func (r router) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.GetAttr(cancel, in, out)
	}
	return gone
}

// SetAttr implements fuse.RawFileSystem.
func (r router) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.SetAttr(cancel, in, out)
	}
	return gone
}

// Mknod implements fuse.RawFileSystem.
func (r router) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Mknod(cancel, in, name, out)
	}
	return gone
}

// Unlink implements fuse.RawFileSystem.
func (r router) Unlink(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Unlink(cancel, in, name)
	}
	return gone
}

// Link implements fuse.RawFileSystem.
func (r router) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Link(cancel, in, name, out)
	}
	return gone
}

// Symlink implements fuse.RawFileSystem.
func (r router) Symlink(cancel <-chan struct{}, in *fuse.InHeader, target string, name string, out *fuse.EntryOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Symlink(cancel, in, target, name, out)
	}
	return gone
}

// Readlink implements fuse.RawFileSystem.
func (r router) Readlink(cancel <-chan struct{}, in *fuse.InHeader) ([]byte, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.Readlink(cancel, in)
	}
	return nil, gone
}

// Access implements fuse.RawFileSystem.
func (r router) Access(cancel <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Access(cancel, in)
	}
	return gone
}

// GetXAttr implements fuse.RawFileSystem.
func (r router) GetXAttr(cancel <-chan struct{}, in *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.GetXAttr(cancel, in, name, dest)
	}
	return 0, gone
}

// ListXAttr implements fuse.RawFileSystem.
func (r router) ListXAttr(cancel <-chan struct{}, in *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.ListXAttr(cancel, in, dest)
	}
	return 0, gone
}

// SetXAttr implements fuse.RawFileSystem.
func (r router) SetXAttr(cancel <-chan struct{}, in *fuse.SetXAttrIn, name string, data []byte) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.SetXAttr(cancel, in, name, data)
	}
	return gone
}

// RemoveXAttr implements fuse.RawFileSystem.
func (r router) RemoveXAttr(cancel <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.RemoveXAttr(cancel, in, name)
	}
	return gone
}

// Create implements fuse.RawFileSystem.
func (r router) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Create(cancel, in, name, out)
	}
	return gone
}

// Tmpfile implements fuse.RawFileSystem.
func (r router) Tmpfile(cancel <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Tmpfile(cancel, in, out)
	}
	return gone
}

// Open implements fuse.RawFileSystem.
func (r router) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Open(cancel, in, out)
	}
	return gone
}

// Read implements fuse.RawFileSystem.
func (r router) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.Read(cancel, in, buf)
	}
	return nil, gone
}

// Lseek implements fuse.RawFileSystem.
func (r router) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Lseek(cancel, in, out)
	}
	return gone
}

// GetLk implements fuse.RawFileSystem.
func (r router) GetLk(cancel <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.GetLk(cancel, in, out)
	}
	return gone
}

// SetLk implements fuse.RawFileSystem.
func (r router) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.SetLk(cancel, in)
	}
	return gone
}

// SetLkw implements fuse.RawFileSystem.
func (r router) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.SetLkw(cancel, in)
	}
	return gone
}

// Release implements fuse.RawFileSystem.
func (r router) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	if to := r.to(in.NodeId); to != nil {
		to.Release(cancel, in)
	}

}

// Write implements fuse.RawFileSystem.
func (r router) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.Write(cancel, in, data)
	}
	return 0, gone
}

// Writev implements fuse.RawFileSystem.
func (r router) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.Writev(cancel, in, data)
	}
	return 0, gone
}

// CopyFileRange implements fuse.RawFileSystem.
func (r router) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	if to := r.to(in.NodeId); to != nil {
		return to.CopyFileRange(cancel, in)
	}
	return 0, gone
}

// Ioctl implements fuse.RawFileSystem.
func (r router) Ioctl(cancel <-chan struct{}, in *fuse.IoctlIn, inbuf []byte, out *fuse.IoctlOut, outbuf []byte) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Ioctl(cancel, in, inbuf, out, outbuf)
	}
	return gone
}

// Flush implements fuse.RawFileSystem.
func (r router) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Flush(cancel, in)
	}
	return gone
}

// Fsync implements fuse.RawFileSystem.
func (r router) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Fsync(cancel, in)
	}
	return gone
}

// Fallocate implements fuse.RawFileSystem.
func (r router) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Fallocate(cancel, in)
	}
	return gone
}

// OpenDir implements fuse.RawFileSystem.
func (r router) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.OpenDir(cancel, in, out)
	}
	return gone
}

// ReadDir implements fuse.RawFileSystem.
func (r router) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.ReadDir(cancel, in, out)
	}
	return gone
}

// ReadDirPlus implements fuse.RawFileSystem.
func (r router) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.ReadDirPlus(cancel, in, out)
	}
	return gone
}

// ReleaseDir implements fuse.RawFileSystem.
func (r router) ReleaseDir(in *fuse.ReleaseIn) {
	if to := r.to(in.NodeId); to != nil {
		to.ReleaseDir(in)
	}

}

// FsyncDir implements fuse.RawFileSystem.
func (r router) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.FsyncDir(cancel, in)
	}
	return gone
}

// StatFs implements fuse.RawFileSystem.
func (r router) StatFs(cancel <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.StatFs(cancel, in, out)
	}
	return gone
}

// Statx implements fuse.RawFileSystem.
func (r router) Statx(cancel <-chan struct{}, in *fuse.StatxIn, out *fuse.StatxOut) fuse.Status {
	if to := r.to(in.NodeId); to != nil {
		return to.Statx(cancel, in, out)
	}
	return gone
}
