package fs

import (
	"sync"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// computed holds the contents of views and control files on a read-only mount.
// The kernel opens them by itself there and keeps their pages with the inode, so each
// lookup gets an inode of its own, and an inode one content. (To drop their pages by
// notices would not do: reading .ovscfgfs/barrier waits for notices, with its
// page locked.) Safe for concurrent use.
type computed struct {
	mu   sync.Mutex
	byID map[uint64]rendered
	// views is where those that are views were looked up.
	views map[uint64]viewed
}

// viewed is where a view was looked up: in dir, which was at path then.
type viewed struct {
	place
	path string
}

// rendered is the content of a computed file and, of a view, what it shows.
type rendered struct {
	content []byte
	of      mapping.Node
}

func (c *computed) get(i *inode) (rendered, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.byID[i.id]
	return r, ok
}

func (c *computed) put(i *inode, r rendered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = make(map[uint64]rendered)
	}
	c.byID[i.id] = r
}

func (c *computed) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byID, id)
	delete(c.views, id)
}

func (c *computed) see(i *inode, v viewed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.views == nil {
		c.views = make(map[uint64]viewed)
	}
	c.views[i.id] = v
}

func (c *computed) seen(i *inode) (viewed, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.views[i.id]
	return v, ok
}

// referComputed returns the inode of a view or control file, counted as
// referred to.
func (s *server) referComputed(parent *inode, name string, k kind) *inode {
	if s.opt.ReadOnly {
		if old := s.table.child(parent, name); old != nil {
			s.table.detach(old)
		}
	}
	i := s.table.refer(parent, name, k, shapeFile, nil)
	if s.opt.ReadOnly && k == kindView {
		s.computed.see(i, viewed{place{parent, name}, s.path(parent)})
	}
	return i
}
