package fs

import (
	"os"
	"slices"
	"syscall"
	"testing"
)

// What is left of directories that others have removed is not in the way of a
// directory that is renamed to one of their names: nothing keeps the old one.
func TestRenamedDirectoryLeavesItsName(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/new/a/k": "1", "/ovs/other/a/k": "1", "/ovs/k": "1"})
	m.mkdir("new/a/in")
	m.write("new/a/.k.swp", "1")
	m.store.del("/ovs/new/a/k")
	m.mkdir("old")
	m.mkdir("old/in")
	m.store.put(map[string]string{"/ovs/old/k": "1"})
	m.settle()
	m.wantErr("rename", syscall.Rename(m.path("old"), m.path("new")), nil)
	if _, err := os.Lstat(m.path("old")); !os.IsNotExist(err) {
		t.Errorf("the old name is still there: %v", err)
	}
	if got := m.list("new"); !slices.Equal(got, []string{"in", "k"}) {
		t.Errorf("it lists %q", got)
	}
}

// Nor is it in the way of an empty directory of this mount that takes the place
// of another.
func TestRenameOntoAnEmptyDirectoryOfThisMount(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/to/a/k": "1", "/ovs/k": "1"})
	m.mkdir("to/a/in")
	m.write("to/a/.k.swp", "1")
	m.store.del("/ovs/to/a/k")
	m.settle()
	m.mkdir("to")
	m.mkdir("from")
	m.wantErr("rename", syscall.Rename(m.path("from"), m.path("to")), nil)
	if _, err := os.Lstat(m.path("from")); !os.IsNotExist(err) {
		t.Errorf("the old name is still there: %v", err)
	}
	if got := m.list("to"); len(got) != 0 {
		t.Errorf("it lists %q", got)
	}
}

// A directory of the tree that holds a file of this mount only is not empty.
func TestRenameOntoADocumentWithAScratchFile(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/to": "{}", "/ovs/from/k": "1"})
	m.write("to/.k.swp", "1")
	m.wantErr("rename", syscall.Rename(m.path("from"), m.path("to")), syscall.ENOTEMPTY)
	m.list("from")
	m.wantErr("unlink", os.Remove(m.path("to/.k.swp")), nil)
	f, err := os.Create(m.path("to/pending"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m.wantErr("rename", syscall.Rename(m.path("from"), m.path("to")), syscall.ENOTEMPTY)
}
