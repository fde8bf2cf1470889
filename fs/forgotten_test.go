package fs

import (
	"syscall"
	"testing"
)

// The kernel may forget a local directory while the worker, which has found it
// among the known ones, looks whether the tree has its name now.
func TestLocalDirectoryIsForgottenUnderTheWorker(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/d/k": "1"})
	tb := b.table
	dir := tb.refer(tb.root, "d", kindLocal, shapeDir, &scratchEntry{typ: syscall.S_IFDIR})
	found := tb.childrenOf(tb.root)
	tb.forget(dir.id, 1)
	tree := b.store.Tree()
	n, is := tree.Lookup("d")
	k := &walk{w: b.notices, s: b.server, old: tree, now: tree}
	for _, c := range found {
		k.meets(tb.root, c, "d", n, is)
	}
}
