package fs

import (
	"strconv"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// The extended attributes that can be read. Only what makes a copy exact is
// listed, since listed ones are copied by cp -a and rsync -X: the type, the mark
// of an added newline, and the stored text where content and type do not tell it.
const (
	xattrType     = "user.type"
	xattrPrefix   = "user.ovscfgfs."
	xattrNewline  = xattrPrefix + "newline" // "added", of raw leaves only
	xattrText     = xattrPrefix + "text"
	xattrName     = xattrPrefix + "name" // of a cut name
	xattrKey      = xattrPrefix + "key"
	xattrPointer  = xattrPrefix + "pointer"
	xattrRevision = xattrPrefix + "revision"
	xattrVersion  = xattrPrefix + "version"
	xattrLease    = xattrPrefix + "lease"
	xattrError    = xattrPrefix + "error"
	// xattrClass says when a running service takes a changed value.
	xattrClass = xattrPrefix + "reconfigurable"
	// xattrTarget is the path that a reference leads to.
	xattrTarget = xattrPrefix + "target"
)

// maxXattr is the size of the largest attribute (XATTR_SIZE_MAX of
// linux/limits.h). A longer text is not offered: a copy of it means the same,
// with the spacing of a new document.
const maxXattr = 64 << 10

// GetXAttr implements fuse.RawFileSystem. What there is not is ENOTSUP and
// never ENODATA, which cp -p, cp -a and sed -i complain about.
func (s *server) GetXAttr(_ <-chan struct{}, in *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	if !strings.HasPrefix(name, "user.") {
		return 0, fuse.Status(errnos[mapping.NotSupported])
	}
	i := s.table.get(in.NodeId)
	if i == nil {
		return 0, fuse.Status(errnos[mapping.Stale])
	}
	value, ok := s.xattr(i, name)
	if !ok {
		return 0, fuse.Status(errnos[mapping.NotSupported])
	}
	return answerXattr(dest, value)
}

// ListXAttr implements fuse.RawFileSystem.
func (s *server) ListXAttr(_ <-chan struct{}, in *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	i := s.table.get(in.NodeId)
	if i == nil {
		return 0, fuse.Status(errnos[mapping.Stale])
	}
	var list []byte
	for _, name := range s.xattrs(i) {
		list = append(append(list, name...), 0)
	}
	return answerXattr(dest, list)
}

func answerXattr(dest, value []byte) (uint32, fuse.Status) {
	if len(dest) < len(value) {
		return uint32(len(value)), fuse.ERANGE
	}
	return uint32(copy(dest, value)), fuse.OK
}

func (s *server) xattrs(i *inode) []string {
	k, l := s.table.what(i)
	if k == kindLocal {
		return l.xattrs()
	}
	n, ok := s.node(i, s.tree(i))
	if k != kindEntry || !ok || i.link {
		return nil // of a link no program can read them (xattr(7))
	}
	var names []string
	if _, ok := n.Whole(); ok {
		names = append(names, xattrName)
	}
	// The text before the type: what waits for both needs nothing but the text.
	if text, ok := n.Text(); ok && len(text) <= maxXattr {
		names = append(names, xattrText)
	}
	if n.Type() != mapping.Directory {
		names = append(names, xattrType)
	}
	if n.Type() == mapping.Raw && n.Newline() {
		names = append(names, xattrNewline)
	}
	return names
}

func (s *server) xattr(i *inode, name string) ([]byte, bool) {
	if name == xattrError {
		reason := s.problems.of(s.path(i))
		return []byte(reason), reason != ""
	}
	k, l := s.table.what(i)
	switch k {
	case kindLocal:
		return l.xattr(name)
	case kindControl, kindView:
		return nil, false
	}
	n, ok := s.node(i, s.tree(i))
	if !ok {
		return nil, false
	}
	if name == xattrClass && s.opt.Class != nil {
		class := s.opt.Class(s.path(i))
		return []byte(class), class != ""
	}
	if name == xattrTarget && s.opt.References.Target != nil {
		target, ok := s.opt.References.Target(s.path(i), n)
		return []byte(target), ok
	}
	return entryXattr(n, name)
}

// entryXattr is an attribute of a node of the tree.
func entryXattr(n mapping.Node, name string) ([]byte, bool) {
	switch name {
	case xattrType:
		return []byte(n.Type()), true
	case xattrKey:
		return []byte(n.Key()), n.Key() != ""
	case xattrText:
		text, ok := n.Text()
		return text, ok && len(text) <= maxXattr
	case xattrName:
		whole, ok := n.Whole()
		return []byte(whole), ok
	case xattrNewline:
		return []byte("added"), n.Type() == mapping.Raw && n.Newline()
	}
	kv, ok := n.KV()
	if !ok {
		return nil, false
	}
	switch name {
	case xattrPointer:
		return []byte(n.Pointer()), true
	case xattrRevision:
		return strconv.AppendInt(nil, kv.ModRevision, 10), true
	case xattrVersion:
		return strconv.AppendInt(nil, kv.Version, 10), true
	case xattrLease:
		return strconv.AppendInt(nil, kv.Lease, 16), kv.Lease != 0
	}
	return nil, false
}
