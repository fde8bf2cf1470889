package fs

import (
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// References are what a mount knows of leaves that refer to others. Its
// functions are called from any number of goroutines; each may be nil.
type References struct {
	// Target returns the shown path that the leaf n, shown at path, refers to: what the attribute
	// user.ovscfgfs.target shows.
	Target func(path string, n mapping.Node) (target string, ok bool)
	// Link is Target for the leaves that are shown as symbolic links; nil: there are none.
	Link func(n mapping.Node) (target string, ok bool)
	// TargetOf is Link for a text that is to be one's.
	TargetOf func(text string) (target string, ok bool)
	// URL returns the text of a leaf that refers to a shown path, for which Link is true. Its errors are *mapping.Error.
	URL func(t *mapping.Tree, target string) (string, error)
}

// shape is what the kernel takes an inode for; it never changes.
type shape uint8

const (
	shapeFile shape = iota
	shapeDir
	shapeLink
)

// shapeOf is the shape of a node of the tree.
func (s *server) shapeOf(n mapping.Node) shape {
	switch {
	case n.IsDir():
		return shapeDir
	case s.isLink(n):
		return shapeLink
	}
	return shapeFile
}

// isLink reports whether a leaf is shown as a symbolic link.
func (s *server) isLink(n mapping.Node) bool {
	if s.opt.References.Link == nil || n.Type() != mapping.String {
		return false
	}
	_, ok := s.opt.References.Link(n)
	return ok
}

// fits reports whether i can go on to show n.
func (s *server) fits(i *inode, n mapping.Node) bool { return s.shapeOf(n) == i.shape() }

// reshaped reports whether a leaf that was written is none any more, or is a link now, and
// has the kernel forget it at its name then. The walk does that too, but not while a request is at work on the name.
func (s *server) reshaped(i *inode, path string) bool {
	n, ok := s.store.Tree().Lookup(path)
	if !ok || s.fits(i, n) {
		return false
	}
	dir, name := splitPath(path)
	if d := s.inodeAt(dir); d != nil {
		s.notices.replace(d, name)
	}
	return true
}

// linkText is what a link that is shown at a path holds: relative, so that it
// leads there wherever the tree is mounted, and in the trees of the past.
func linkText(at, target string) string {
	dir, _ := splitPath(at)
	text, err := filepath.Rel("/"+dir, "/"+target)
	if err != nil {
		return target
	}
	return text
}

// Readlink implements fuse.RawFileSystem.
func (s *server) Readlink(_ <-chan struct{}, in *fuse.InHeader) ([]byte, fuse.Status) {
	i := s.table.get(in.NodeId)
	if i == nil {
		return nil, fuse.Status(errnos[mapping.Stale])
	}
	k, l := s.table.what(i)
	if e, ok := l.(*scratchEntry); ok {
		p, _ := e.where()
		text, err := s.layer.files.Readlink(p)
		return []byte(text), fuse.ToStatus(err)
	}
	if k != kindEntry || !i.link {
		return nil, fuse.EINVAL
	}
	n, ok := s.node(i, s.tree(i))
	if !ok || !s.isLink(n) {
		return nil, fuse.Status(errnos[mapping.Stale]) // the kernel looks the name up again
	}
	target, _ := s.opt.References.Link(n)
	return []byte(linkText(s.path(i), target)), fuse.OK
}

// Symlink implements fuse.RawFileSystem, for scratch names (emacs' lock is one)
// and for references.
func (s *server) Symlink(_ <-chan struct{}, in *fuse.InHeader, pointedTo, name string, out *fuse.EntryOut) fuse.Status {
	defer s.shareName(in.NodeId, name)()
	t, st := s.target(in.NodeId, name)
	switch {
	case !st.Ok():
		return st
	case t.exists():
		return fuse.Status(syscall.EEXIST)
	case s.layer.isScratch(t.tree, t.path) || s.opt.References.Link != nil && forReplacing(name) && program(in.Pid) == "ln":
		return s.symlinkLocal(t, in, pointedTo, out)
	}
	text, err := s.referring(t.path, pointedTo)
	if err == nil {
		release := s.claimTarget(t)
		defer release()
		settle := s.settling(t.path)
		// A leaf that is hidden is held back for what takes its place.
		err = s.commit(s.reference(t.path, text, !t.hidden))
		settle()
	}
	if err != nil {
		return s.fail("symlink", t.path, err)
	}
	s.layer.release(t.path)
	tree := s.store.Tree()
	n, ok := tree.Lookup(t.path)
	if !ok || !s.isLink(n) {
		return fuse.ENOENT // changed again by someone else
	}
	s.answerEntry(t.parent, name, n, tree, out)
	return fuse.OK
}

func (s *server) symlinkLocal(t *target, in *fuse.InHeader, pointedTo string, out *fuse.EntryOut) fuse.Status {
	if t.hidden {
		return fuse.Status(syscall.EEXIST)
	}
	if err := s.layer.files.Symlink(pointedTo, t.path, in.Uid, in.Gid); err != nil {
		return s.fail("symlink", t.path, err)
	}
	s.layer.changed()
	s.answerLocal(t.parent, t.name, s.layer.remember(t.path, syscall.S_IFLNK), out)
	return fuse.OK
}

// forReplacing tells the names that ln -f gives a new link before it renames it
// onto the old one: Cu and six letters or digits (coreutils lib/force-link.c).
func forReplacing(name string) bool {
	rest, ok := strings.CutPrefix(name, "Cu")
	return ok && len(rest) == 6 && strings.IndexFunc(rest, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// reference plans the leaf at path to be a link with that text.
func (s *server) reference(path, text string, isNew bool) mapping.Edit {
	edit := mapping.Write(path, []byte(text), mapping.WriteOptions{Type: mapping.String, MustNotExist: isNew})
	return func(t *mapping.Tree) (mapping.Plan, error) {
		plan, err := edit(t)
		if err != nil {
			return plan, err
		}
		if now, ok := t.Lookup(path); ok && s.sameTarget(now, text) {
			return mapping.Plan{}, nil // spelled otherwise: by another address of etcd
		}
		then, _ := t.With(&plan, t.Root().Seen())
		if n, _ := then.Lookup(path); !s.isLink(n) {
			return mapping.Plan{}, mapping.Errorf(mapping.NotPermitted, path, "holds raw text or is of another kind, so that no link can be there")
		}
		return plan, nil
	}
}

// sameTarget reports whether a leaf is a link to what a URL, which is no path of the kernel's, leads to.
func (s *server) sameTarget(n mapping.Node, text string) bool {
	if !s.isLink(n) {
		return false
	}
	is, _ := s.opt.References.Link(n)
	to, ok := s.opt.References.TargetOf(text)
	return ok && is == to
}

// referring is the text of a leaf at a path for a symbolic link with that text.
func (s *server) referring(at, pointedTo string) (string, error) {
	if s.opt.References.Link == nil || s.opt.References.URL == nil {
		return "", mapping.Errorf(mapping.NotSupported, at, "a symbolic link cannot be stored in etcd: mount with --references symlink to have references as links, or write the URL (etcd://HOST:PORT/KEY); only a scratch name (as .x) can be one")
	}
	if strings.HasPrefix(pointedTo, "etcd://") {
		return pointedTo, nil
	}
	target, ok := s.inMount(at, pointedTo)
	if !ok || target == controlName || strings.HasPrefix(target, controlName+"/") {
		return "", mapping.Errorf(mapping.NotPermitted, at, "a link can lead only to what is in this mount and in etcd, and %q is not", pointedTo)
	}
	return s.opt.References.URL(s.store.Tree(), target)
}

// inMount is the shown path that the text of a link means. It does not follow other links.
func (s *server) inMount(at, text string) (target string, ok bool) {
	if strings.HasPrefix(text, "/") {
		text = path.Clean(text)
		if point := path.Clean(s.opt.Mountpoint); text != point {
			text, ok = strings.CutPrefix(text, point+"/")
			return text, ok
		}
		return "", true
	}
	dir, _ := splitPath(at)
	target = path.Join(dir, text)
	if target == ".." || strings.HasPrefix(target, "../") {
		return "", false
	}
	if target == "." {
		target = ""
	}
	return target, true
}

// renameLink gives a scratch link the name of an entry of the tree: a reference is written there.
func (s *server) renameLink(e *scratchEntry, from, to *target) error {
	pointedTo, err := s.layer.files.Readlink(from.path)
	if err != nil {
		return err
	}
	text, err := s.referring(to.path, pointedTo)
	if err != nil {
		return err
	}
	if err := s.store.Writable(); err != nil {
		return err
	}
	release := s.claimTarget(to)
	defer release()
	settle := s.settling(to.path)
	defer settle()
	if err := s.commit(s.reference(to.path, text, false)); err != nil {
		return err
	}
	s.problems.clear(to.path)
	if err := s.layer.files.Remove(from.path); err != nil {
		s.log.Warn("a scratch link stays behind after its rename", "path", from.path, "error", err)
	}
	s.layer.forgetScratch(from.path)
	s.arrived(from, to)
	return nil
}
