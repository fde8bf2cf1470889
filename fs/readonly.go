package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// zeroMessage answers for a read-only mount. With these answered ENOSYS
// once, the kernel opens and closes by itself from then on: a file whose pages
// it has costs no message at all.
type zeroMessage struct{ *server }

// Open implements fuse.RawFileSystem.
func (zeroMessage) Open(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status { return fuse.ENOSYS }

// Flush implements fuse.RawFileSystem.
func (zeroMessage) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.ENOSYS }

// raw is the server as the kernel's requests meet it.
func (s *server) raw() fuse.RawFileSystem {
	var raw fuse.RawFileSystem = s
	if s.opt.ReadOnly {
		raw = zeroMessage{s}
	}
	if s.echoes != nil {
		raw = gate{raw, s.echoes}
	}
	return raw
}
