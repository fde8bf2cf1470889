package fs

import (
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// attrs are what chmod, chown and utimens set on an entry of the tree. They
// are kept in memory: etcd has no place for them.
type attrs struct {
	mode         *uint32
	uid, gid     *uint32
	atime, mtime *time.Time
	// node is the content that the times belong to.
	node mapping.Node
}

func (x *attrs) empty() bool {
	return x.mode == nil && x.uid == nil && x.gid == nil && x.atime == nil && x.mtime == nil
}

// add takes over what y sets.
func (x *attrs) add(y *attrs) {
	for _, p := range []struct{ to, from **uint32 }{{&x.mode, &y.mode}, {&x.uid, &y.uid}, {&x.gid, &y.gid}} {
		if *p.from != nil {
			*p.to = *p.from
		}
	}
	if y.atime != nil {
		x.atime = y.atime
	}
	if y.mtime != nil {
		x.mtime = y.mtime
	}
}

// apply shows x in a.
func (x *attrs) apply(a *fuse.Attr) {
	if x.mode != nil {
		a.Mode = a.Mode&^0o7777 | *x.mode&0o7777
	}
	if x.uid != nil {
		a.Uid = *x.uid
	}
	if x.gid != nil {
		a.Gid = *x.gid
	}
	a.SetTimes(x.atime, x.mtime, nil)
}

// ask returns what a SETATTR wants, but the size.
func ask(in *fuse.SetAttrIn) attrs {
	var x attrs
	if mode, ok := in.GetMode(); ok {
		x.mode = &mode
	}
	if uid, ok := in.GetUID(); ok {
		x.uid = &uid
	}
	if gid, ok := in.GetGID(); ok {
		x.gid = &gid
	}
	if t, ok := in.GetATime(); ok {
		x.atime = &t
	}
	if t, ok := in.GetMTime(); ok {
		x.mtime = &t
	}
	return x
}

// override shows what was set on the entry i, whose node is n.
func (s *server) override(i *inode, n mapping.Node, a *fuse.Attr) {
	if s.layer == nil || !s.layer.hasAttrs.Load() {
		return
	}
	path, ok := s.table.path(i)
	if !ok {
		return
	}
	s.layer.mu.RLock()
	defer s.layer.mu.RUnlock()
	x := s.layer.attrs[path]
	if x == nil {
		return
	}
	shown := *x
	if !n.IsDir() && !x.node.Same(n) {
		shown.atime, shown.mtime = nil, nil // of another content
	}
	shown.apply(a)
}

// setAttrs adds to what is set on the entry at path.
func (s *server) setAttrs(path string, set attrs) {
	if set.empty() {
		return
	}
	n, ok := s.store.Tree().Lookup(path)
	if !ok {
		return
	}
	l := s.layer
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.attrs[path]
	if x == nil {
		x = &attrs{}
		l.attrs[path] = x
	}
	if x.node.Valid() && !x.node.Same(n) {
		x.atime, x.mtime = nil, nil
	}
	x.node = n
	x.add(&set)
	l.hasAttrs.Store(true)
}

// keepAttrs sets on path what was set on w while it was being written.
func (s *server) keepAttrs(path string, w *work) {
	s.layer.mu.Lock()
	set := w.set
	w.set = attrs{}
	s.layer.mu.Unlock()
	s.setAttrs(path, set)
}

func (l *layer) forgetAttrs(path string) {
	l.mu.Lock()
	delete(l.attrs, path)
	l.mu.Unlock()
}
