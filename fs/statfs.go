package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// StatFs implements fuse.RawFileSystem: the size of the store and its quota,
// so that df tells how full it is.
func (s *server) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	size, quota := s.store.Usage()
	size, quota = max(size, 0), max(quota, size, 0)
	out.Bsize, out.Frsize = blockSize, blockSize
	out.Blocks = uint64(quota+blockSize-1) / blockSize
	out.Bfree = uint64(quota-size) / blockSize
	out.Bavail = out.Bfree
	out.NameLen = nameMax
	// Any number of keys fits until the space is used up.
	out.Files = uint64(s.store.Tree().Keys()) + out.Bfree
	out.Ffree = out.Bfree
	return fuse.OK
}
