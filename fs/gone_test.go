package fs

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// The worker may be about to remove a file that is back by now when the directory gets another name,
// which the tree shows before the table: what is written to the file goes to its new name.
func TestNothingInADirectoryThatIsBeingRenamedIsGone(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1", "/ovs/d/f": "100", "/ovs/d/g": "1"})
	f, err := os.OpenFile(m.path("d/f"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.settle()
	dir := m.s.table.child(m.s.table.root, "d")
	file := m.s.table.child(dir, "f")
	m.store.mu.Lock()
	m.store.after = func() {
		if m.s.detachGone(dir, file, "f") {
			t.Error("it was taken for gone")
		}
	}
	m.store.mu.Unlock()
	if err := os.Rename(m.path("d"), m.path("e")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("200\n"), 0); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	m.settle()
	m.wantKeys("/ovs/e/f", "/ovs/e/g", "/ovs/k")
	m.want("/ovs/e/f", "200")
}

// movingStore has a tree asked for while a rename comes to its end.
type movingStore struct {
	*fakeStore
	asked func()
}

func (s *movingStore) Tree() *mapping.Tree {
	t := s.fakeStore.Tree()
	if asked := s.asked; asked != nil {
		asked()
	}
	return t
}

// Nor if the rename is through between the look at the tree and the one at the table.
func TestNothingInADirectoryThatWasRenamedIsGone(t *testing.T) {
	store := &movingStore{fakeStore: newFakeStore(t, map[string]string{"/ovs/d/f": "1"})}
	s := newServer(Options{Store: store, Mountpoint: t.TempDir(), StateDir: t.TempDir()})
	tb := s.table
	dir := tb.refer(tb.root, "d", kindEntry, shapeDir, nil)
	file := tb.refer(dir, "f", kindEntry, shapeFile, nil)
	store.apply([]mapping.Change{{KV: mapping.KV{Key: "/ovs/d/f"}, Deleted: true}, {KV: mapping.KV{Key: "/ovs/e/f", Value: []byte("1")}}})
	asked := 0
	store.asked = func() {
		if asked++; asked == 3 { // the last, with the table locked: it looked for d/f before
			tb.moveLocked(dir, tb.root, "e")
		}
	}
	if s.detachGone(dir, file, "f") {
		t.Error("it was taken for gone")
	}
	if asked < 3 {
		t.Errorf("the tree was asked for %d times", asked)
	}
}

// What the kernel forgets while the worker looks at it has nothing behind it.
func TestForgottenInTheMiddleOfAWalk(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/d/k": "1"})
	dir := b.table.refer(b.table.root, "d", kindLocal, shapeDir, &scratchEntry{typ: fuse.S_IFDIR})
	b.table.forget(dir.id, 1)
	k := &walk{w: b.notices, s: b.server, old: b.store.Tree(), now: b.store.Tree()}
	n, is := k.now.Lookup("d")
	if k.meets(b.table.root, dir, "d", n, is) {
		t.Error("it was entered")
	}
}

// What a directory has lost is told after a request that is at work on a name above is through with it.
func TestComparingADirectoryWaitsForARequestAbove(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/d/f": "1", "/ovs/d/g": "1"})
	out, st := b.lookup("d/f")
	if !st.Ok() {
		t.Fatal(st)
	}
	dir := b.table.child(b.table.root, "d")
	release := b.table.claim(b.table.root, "d")
	b.store.publish = nil
	b.store.del("/ovs/d/f")
	b.notices.relist(dir)
	<-b.notices.workedOff()
	told := fmt.Sprintf("delete %d %d f", dir.id, out.NodeId)
	if calls := b.kernel.take(); slices.Contains(calls, told) {
		t.Errorf("it was told %q", calls)
	}
	release()
	await(t, "the kernel is told", func() bool { return slices.Contains(b.kernel.take(), told) })
}
