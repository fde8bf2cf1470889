package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Open implements fuse.RawFileSystem, on writable mounts.
func (s *server) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	i := s.table.get(in.NodeId)
	if i == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	if writes(in.Flags) {
		defer s.shareInode(i)()
	}
	return s.afterChange(i, cancel, func() fuse.Status { return s.open(i, in.Flags, in.Pid, out) })
}

// Release implements fuse.RawFileSystem.
func (s *server) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	if isPlain(in.Fh) {
		s.closeReader(in.NodeId)
	} else {
		s.release(in.Fh)
	}
	s.locks.closed(in.NodeId, in.Fh)
}
