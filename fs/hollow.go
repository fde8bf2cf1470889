package fs

// hollow removes what the kernel knows of the tree in a directory that has lost
// its last key and is kept by this mount.
func (k *walk) hollow(dir *inode) {
	if dir.dir == nil {
		return
	}
	listed := false
	for _, c := range k.s.table.childrenOf(dir) {
		name := k.s.table.nameOf(c)
		switch {
		case k.local(c):
			k.hollow(c)
		case k.s.table.claimed(dir, name) || k.s.table.claimedWithin(c): // a request does it
		default:
			k.vanished(dir, c, name)
			listed = true
		}
	}
	if listed {
		k.w.kernel.EntryNotify(dir.id, noName)
		k.w.kernel.InodeNotify(dir.id, 0, 0)
	}
}
