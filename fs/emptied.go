package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// An open with O_TRUNC has the kernel set the size to 0 by itself and forget
// it, and a write has it forget the size again (fuse_finish_open and
// fuse_write_update_attr in fs/fuse/file.c). Until it is given attributes or
// pages, it has nothing that a notice could drop, and without the notice it
// keeps mode and owner, which it would have to ask for at the next open.

// truncate notes that w has just opened i with O_TRUNC. Pages that the kernel was
// given before are left to a notice: it has not always dropped them itself.
func (i *inode) truncate(w *work) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.emptied = nil
	if i.writers == 1 && !i.paged && !i.foreign && !i.changing {
		i.emptied = w
	}
}

// begin is called before w is committed, by a request that the kernel sends
// after the open has returned: what it had been told before is gone by then.
func (i *inode) begin(w *work) {
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.emptied == w {
		i.told, i.cleared = mapping.Node{}, false
	}
}

// isEmptied reports whether the kernel still has neither size nor pages.
func (i *inode) isEmptied(w *work) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.emptied == w
}
