package fs

import (
	"iter"

	"github.com/cespare/xxhash/v2"
)

// children is the set of the known inodes in a directory, found by their name.
// It holds one word for each slot: a mount of a large tree has as many entries
// as the tree. Open addressing with linear probing; at most 3/4 full.
type children struct {
	slots []*inode // a power of two of them
	count int
}

func (c *children) slot(name string) int {
	return int(xxhash.Sum64String(name) & uint64(len(c.slots)-1))
}

// get returns the inode of a name, or nil.
func (c *children) get(name string) *inode {
	if c == nil || len(c.slots) == 0 {
		return nil
	}
	for k := c.slot(name); ; k = (k + 1) & (len(c.slots) - 1) {
		if i := c.slots[k]; i == nil || i.name == name {
			return i
		}
	}
}

// add adds i, whose name is not in the set.
func (c *children) add(i *inode) {
	if 4*(c.count+1) > 3*len(c.slots) {
		c.resize(max(4, 2*len(c.slots)))
	}
	c.put(i)
	c.count++
}

func (c *children) put(i *inode) {
	k := c.slot(i.name)
	for c.slots[k] != nil {
		k = (k + 1) & (len(c.slots) - 1)
	}
	c.slots[k] = i
}

func (c *children) resize(size int) {
	old := c.slots
	c.slots = make([]*inode, size)
	for _, i := range old {
		if i != nil {
			c.put(i)
		}
	}
}

// remove takes i out; its name must be that under which it was added.
func (c *children) remove(i *inode) {
	if c.get(i.name) != i {
		return
	}
	k := c.slot(i.name)
	for c.slots[k] != i {
		k = (k + 1) & (len(c.slots) - 1)
	}
	c.slots[k] = nil
	c.count--
	// What follows may have been put off its place by i.
	for k = (k + 1) & (len(c.slots) - 1); c.slots[k] != nil; k = (k + 1) & (len(c.slots) - 1) {
		moved := c.slots[k]
		c.slots[k] = nil
		c.put(moved)
	}
	switch {
	case c.count == 0:
		c.slots = nil
	case len(c.slots) > 4 && 8*c.count < len(c.slots):
		c.resize(len(c.slots) / 2)
	}
}

// all returns the inodes, in no order.
func (c *children) all() iter.Seq[*inode] {
	return func(yield func(*inode) bool) {
		for _, i := range c.slots {
			if i != nil && !yield(i) {
				return
			}
		}
	}
}
