package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Fallocate implements fuse.RawFileSystem. There is no space to reserve; what
// is left is that the file may grow.
func (s *server) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	switch h := s.handles.get(in.Fh).(type) {
	case *scratchHandle:
		return fuse.ToStatus(h.file.Allocate(in.Mode, int64(in.Offset), int64(in.Length)))
	case *writer:
		size := int64(in.Offset + in.Length)
		switch {
		case in.Mode&^unix.FALLOC_FL_KEEP_SIZE != 0:
			return fuse.Status(unix.EOPNOTSUPP)
		case in.Mode != 0 || size <= h.draft.size.Load():
			return fuse.OK
		}
		defer s.share(h.name)()
		path := h.name()
		return s.fail("fallocate", path, h.truncate(path, size))
	}
	return fuse.EBADF
}
