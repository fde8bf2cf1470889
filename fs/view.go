package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// referView returns the inode of a view, counted as referred to, or nil if
// there is no such view.
func (s *server) referView(parent *inode, dir mapping.Node, name string) *inode {
	if _, _, ok := viewIn(dir, name); !ok {
		return nil
	}
	return s.referComputed(parent, name, kindView)
}

// viewIn returns what a view shows: name is that of a view and what it names is a
// directory that can be shown so.
func viewIn(dir mapping.Node, name string) (mapping.Node, mapping.Format, bool) {
	target, format, ok := mapping.ViewOf(name)
	if !ok {
		return mapping.Node{}, format, false
	}
	n, ok := dir.Lookup(target)
	if !ok || !n.IsDir() {
		return mapping.Node{}, format, false
	}
	if format == mapping.Lines && n.Type() != mapping.Array {
		return mapping.Node{}, format, false
	}
	return n, format, true
}

// viewContent renders the view i: as it is now, or on a read-only mount as it
// was when it was looked up.
func (s *server) viewContent(i *inode) (content []byte, of mapping.Node, err error) {
	if r, ok := s.computed.get(i); ok {
		return r.content, r.of, nil
	}
	content, of, err = s.renderView(i)
	if err == nil && s.opt.ReadOnly {
		s.computed.put(i, rendered{content, of})
	}
	return content, of, err
}

func (s *server) renderView(i *inode) (content []byte, of mapping.Node, err error) {
	s.table.mu.RLock()
	parent, name := i.parent, i.name
	s.table.mu.RUnlock()
	if parent != nil {
		if dir, ok := s.node(parent, s.tree(parent)); ok {
			if n, format, ok := viewIn(dir, name); ok {
				content, err = mapping.Render(n, format)
				return content, n, err
			}
		}
	}
	return nil, mapping.Node{}, mapping.Errorf(mapping.NotFound, name, "the directory of this view is gone")
}

func (s *server) viewAttributes(i *inode, a *fuse.Attr) fuse.Status {
	content, n, err := s.viewContent(i)
	if err != nil {
		return fuse.Status(errnoOf(err))
	}
	*a = fuse.Attr{Ino: i.ino.Load(), Nlink: 1, Blksize: blockSize, Mode: fuse.S_IFREG | s.opt.FileMode}
	if holdsSecret(n) {
		a.Mode = fuse.S_IFREG | s.opt.FileMode&0o600
	}
	a.Uid, a.Gid = s.opt.UID, s.opt.GID
	setSize(a, int64(len(content)))
	setTimes(a, n.Seen())
	return fuse.OK
}

// holdsSecret reports whether a view of n would show a secret.
func holdsSecret(n mapping.Node) bool {
	for c := range n.Children() {
		if c.IsDir() && holdsSecret(c) || !c.IsDir() && secret(c, n.Name()) {
			return true
		}
	}
	return false
}

// viewSuffixes are what views are named by; the last is that of arrays only.
var viewSuffixes = [...]string{".json", ".yaml", ".lines"}

// viewsOf returns the names of the views of c, a directory in dir, as far as
// no entry has them.
func viewsOf(dir, c mapping.Node) (names []string) {
	suffixes := viewSuffixes[:2]
	if c.Type() == mapping.Array {
		suffixes = viewSuffixes[:]
	}
	for _, suffix := range suffixes {
		name := c.Name() + suffix
		if _, taken := dir.Lookup(name); taken {
			continue
		}
		if _, _, ok := viewIn(dir, name); ok {
			names = append(names, name)
		}
	}
	return names
}
