package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// target is what a request that changes a directory names.
type target struct {
	parent *inode
	path   string
	name   string
	tree   *mapping.Tree
	// One of these says what is shown there; none if nothing is.
	local local
	node  mapping.Node
	view  mapping.Format
	// hidden: the tree has something there that is not shown.
	hidden bool
}

func (t *target) exists() bool { return t.local != nil || t.node.Valid() || t.view != 0 }

func (t *target) isDir() bool {
	return t.node.Valid() && t.node.IsDir() || t.local != nil && t.local.isDir()
}

// pending returns the file that was created and is not in the tree yet, or nil.
func (t *target) pending() *work {
	w, _ := t.local.(*work)
	return w
}

// scratch returns the scratch file or local directory, or nil.
func (t *target) scratch() *scratchEntry {
	e, _ := t.local.(*scratchEntry)
	return e
}

// target finds out what name in a directory is. The status is that of names
// that nobody can change.
func (s *server) target(dir uint64, name string) (*target, fuse.Status) {
	if s.opt.ReadOnly {
		return nil, fuse.EROFS
	}
	return s.named(dir, name)
}

// past refuses to change what .ovscfgfs/history shows.
func past() error {
	return mapping.Errorf(mapping.ReadOnly, "", "the past does not change: copy what you want out of it, or put it back with ovscfgfs restore")
}

// named is target for who repeats a change, which can be done on a read-only mount.
func (s *server) named(dir uint64, name string) (*target, fuse.Status) {
	parent := s.table.get(dir)
	if parent == nil || parent.dir == nil {
		return nil, fuse.Status(errnos[mapping.Stale])
	}
	if len(name) > nameMax {
		return nil, s.fail("create", join(s.path(parent), name), tooLong(name))
	}
	if parent.apart {
		return nil, s.fail("change", join(s.path(parent), name), past())
	}
	if s.within != nil && parent == s.table.root && name == controlName {
		return nil, s.fail("create", name, mapping.Errorf(mapping.NotPermitted, "", "a transaction has no %s, and none is begun within another: use that of the mount", controlName))
	}
	if k, _ := s.table.what(parent); k == kindControl || parent == s.table.root && name == controlName {
		return nil, s.fail("change", join(s.path(parent), name), mapping.Errorf(mapping.NotPermitted, "", "what is in %s is the mount's own and stays as it is; only in %s can directories be made, each a transaction", controlName, pathOfTransaction("")))
	}
	dirPath, ok := s.table.path(parent)
	if !ok {
		return nil, fuse.ENOENT // the directory was removed
	}
	t := &target{parent: parent, path: join(dirPath, name), name: name, tree: s.store.Tree()}
	l, hidden := s.layer.at(t.path)
	node, found := t.tree.Lookup(t.path)
	t.hidden = hidden
	switch {
	case l != nil && (hidden || !found):
		t.local = l
	case found && !hidden:
		t.node = node
	case !found && !hidden:
		if d, ok := t.tree.Lookup(dirPath); ok {
			if _, format, ok := viewIn(d, name); ok {
				t.view = format
			}
		}
	}
	return t, fuse.OK
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
