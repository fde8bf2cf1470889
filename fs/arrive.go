package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// arrive gives i, which comes from the other side of the border between the
// tree and this mount's own files, another name. It becomes what has that
// name: kind and number are those of the name, as on every other node.
func (tb *table) arrive(i, dir *inode, name string, k kind, l local) {
	number := tb.number(dir, name)
	tb.move(i, dir, name)
	tb.mu.Lock()
	tb.becomeLocked(i, k, l)
	i.ino.Store(number)
	tb.moved.set(appendPath(nil, i), number)
	tb.mu.Unlock()
	i.mu.Lock()
	// Pages of what it was may still be with the kernel.
	i.foreign = i.foreign || i.paged || i.told.Valid()
	i.told = mapping.Node{}
	i.mu.Unlock()
}
