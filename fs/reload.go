package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping/service"
)

// touch is what `touch reload` asks for: the counter of a service (package
// service) becomes one more. Only the time of now counts: a time that is given,
// as cp -p, rsync -t and touch -d do, belongs to a copy.
//
// done is false for a SETATTR that is something else.
func (s *server) touch(i *inode, path string, in *fuse.SetAttrIn) (done bool, err error) {
	if in.Valid&fuse.FATTR_MTIME_NOW == 0 || in.Valid&fuse.FATTR_SIZE != 0 || !service.IsReload(path) {
		return false, nil
	}
	k, l := s.table.what(i)
	if w, ok := l.(*work); ok {
		// It is not in the tree yet: its close makes it.
		w.mu.Lock()
		wait := w.created
		if wait {
			w.touches++
		}
		w.mu.Unlock()
		if wait {
			return true, nil
		}
		k, _ = s.table.what(i)
	}
	if k != kindEntry || i.dir != nil {
		return false, nil
	}
	settle := s.settling(path)
	err = s.commit(service.Touch(path, 1))
	settle()
	if err != nil {
		return true, err
	}
	s.problems.clear(path)
	for _, w := range s.layer.worksOf(i) {
		// The kernel has pages of the old content and holds a lock of the file: it
		// can be waited for at the close.
		w.mu.Lock()
		w.touched = true
		w.mu.Unlock()
	}
	return true, nil
}
