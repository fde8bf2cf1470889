package fs

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func (m *mountedTest) mkdir(name string) {
	m.t.Helper()
	if err := os.Mkdir(m.path(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// A directory that this mount keeps when its last key goes shows nothing of the
// tree any more, also of what went without a request for its name.
func TestKeptDirectoryIsEmpty(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/in/doc": `{"a": 1}`, "/ovs/k": "1"})
	if _, err := os.Lstat(m.path("d/in/doc/a")); err != nil {
		t.Fatal(err)
	}
	m.list("d/in")
	if err := os.Remove(m.path("d/in/doc.json")); err != nil {
		t.Fatal(err)
	}
	m.read(".ovscfgfs/barrier")
	for _, name := range []string{"d/in/doc/a", "d/in/doc"} {
		if _, err := os.Lstat(m.path(name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if got := m.list("d/in"); len(got) != 0 {
		t.Errorf("it lists %q", got)
	}
}

// A leaf that others put where this mount has an empty directory is a leaf also
// while an editor has moved it away.
func TestLeafOverALocalDirectory(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1"})
	m.mkdir("x")
	m.store.put(map[string]string{"/ovs/x": "5"})
	m.settle()
	m.wantErr("away", os.Rename(m.path("x"), m.path("x~")), nil)
	if _, err := os.Lstat(m.path("x")); !os.IsNotExist(err) {
		t.Errorf("what was moved away is there: %v", err)
	}
	m.wantErr("and back", os.Rename(m.path("x~"), m.path("x")), nil)
	if got := m.read("x"); got != "5\n" {
		t.Errorf("it reads %q", got)
	}
	m.wantErr("removed", os.Remove(m.path("x")), nil)
	if _, err := os.Lstat(m.path("x")); !os.IsNotExist(err) {
		t.Errorf("what was removed is there: %v", err)
	}
	m.mkdir("y")
	m.mkdir("y/in")
	m.store.put(map[string]string{"/ovs/y": "5"})
	m.settle()
	m.wantErr("a leaf moves", os.Rename(m.path("y"), m.path("z")), nil)
	m.store.put(map[string]string{"/ovs/z": `{"f": 1}`})
	m.settle()
	if got := m.list("z"); len(got) != 1 {
		t.Errorf("the leaf took along what was behind it: %q", got)
	}
}

// A directory that this mount keeps when its last key goes gives way to a leaf
// that others put there.
func TestKeptDirectoryBecomesALeaf(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/k": "1", "/ovs/e/k": "1", "/ovs/f/k": "1", "/ovs/g/k": "1", "/ovs/g/doc": "{}", "/ovs/z/k": "1"})
	m.wantErr("unlink", os.Remove(m.path("d/k")), nil)
	m.wantErr("rename", os.Rename(m.path("e/k"), m.path("z/moved")), nil)
	m.wantErr("into a document", os.Rename(m.path("f/k"), m.path("g/doc/k")), nil)
	for _, name := range []string{"d", "e", "f"} {
		m.list(name)
		if _, err := os.Lstat(m.path(name)); err != nil {
			t.Fatal(err)
		}
		m.store.put(map[string]string{"/ovs/" + name: "5"})
		m.settle()
		if got := m.read(name); got != "5\n" {
			t.Errorf("%s reads %q", name, got)
		}
	}
}

// What is renamed over something has nothing behind it that was behind that.
func TestRenameOverWhatHidesALocalDirectory(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/new": `{"f": 1}`})
	m.mkdir("old")
	m.mkdir("old/in")
	m.store.put(map[string]string{"/ovs/old": "{}"})
	m.settle()
	m.wantErr("rename", syscall.Rename(m.path("new"), m.path("old")), nil)
	m.store.del("/ovs/old")
	m.settle()
	if _, err := os.Lstat(m.path("old")); !os.IsNotExist(err) {
		t.Errorf("the directory that was replaced is there again: %v", err)
	}
}

// Nor is it in the way of what a renamed directory takes along.
func TestRenameTakesAnEmptyDirectoryAlong(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/k": "1", "/ovs/new/a/k": "1"})
	m.mkdir("new/a/in")
	m.store.del("/ovs/new/a/k")
	m.settle()
	m.mkdir("d/in")
	m.wantErr("rename", syscall.Rename(m.path("d"), m.path("new")), nil)
	if got := m.list("new"); !slices.Equal(got, []string{"in", "k"}) {
		t.Errorf("it lists %q", got)
	}
}

// A directory that is emptied by what makes the one above it a leaf is not kept.
func TestNoDirectoryIsKeptInALeaf(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d": "5", "/ovs/d/in/deep/k": "1"})
	m.wantErr("unlink", os.Remove(m.path("d/in/deep/k")), nil)
	m.settle()
	if got := m.read("d"); got != "5\n" {
		t.Errorf("read %q", got)
	}
	m.store.put(map[string]string{"/ovs/d/other": "1"})
	m.settle()
	if got := m.list("d"); !slices.Equal(got, []string{".value", "other"}) {
		t.Errorf("it lists %q", got)
	}
}

// A directory that was local and has got keys from others is local again, and
// listed, where a rename has left it without any.
func TestDirectoryOfOthersMovesAndIsEmptied(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a/k": "1", "/ovs/b/k": "1", "/ovs/c/k": "1"})
	m.mkdir("b/in")
	m.store.put(map[string]string{"/ovs/b/in/x": "1"})
	m.settle()
	where := "b/in"
	for _, move := range []struct {
		to    string
		flags uint
	}{{"a/new", 0}, {"c", unix.RENAME_EXCHANGE}} {
		m.wantErr(move.to, unix.Renameat2(-1, m.path(where), -1, m.path(move.to), move.flags), nil)
		where = move.to
		m.store.del("/ovs/" + where + "/x")
		m.read(".ovscfgfs/barrier")
		dir, name := splitPath(where)
		found := false
		for _, n := range m.list(dir) {
			found = found || n == name
		}
		if !found {
			t.Errorf("%q does not list %q", dir, name)
		}
		m.store.put(map[string]string{"/ovs/" + where + "/x": "1"})
		m.settle()
	}
}

// What is written to a null leaf may make it a directory, which is one when
// close has returned. (In a transaction, where nothing else makes it wait.)
func TestWrittenDirectoryIsOneAtOnce(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/n": "null", "/ovs/e": `""`})
	m.mkdir(".ovscfgfs/txn/t")
	for range 100 {
		m.wantErr("document", os.WriteFile(m.path(".ovscfgfs/txn/t/n"), []byte("{\"a\": 1}\n"), 0), nil)
		if _, err := os.Lstat(m.path(".ovscfgfs/txn/t/n/a")); err != nil {
			t.Fatal(err)
		}
		m.wantErr("converted", syscall.Setxattr(m.path(".ovscfgfs/txn/t/e"), "user.type", []byte("object"), 0), nil)
		if _, err := os.ReadDir(m.path(".ovscfgfs/txn/t/e")); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"n": "null\n", "e": "\n"} {
			m.wantErr("rmdir", os.RemoveAll(m.path(".ovscfgfs/txn/t/"+name)), nil)
			m.wantErr("anew", os.WriteFile(m.path(".ovscfgfs/txn/t/"+name), []byte(text), 0o644), nil)
		}
	}
}

// The barrier waits for removals that are left to the echo for a watcher.
func TestBarrierWaitsForEchoes(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/k": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	m.store.put(map[string]string{"/ovs/d/k": "2"})
	w.take("d/k CLOSE_WRITE")
	for range 100 {
		if _, err := os.Lstat(m.path("d/a")); err != nil {
			t.Fatal(err)
		}
		m.store.del("/ovs/d/a")
		m.read(".ovscfgfs/barrier")
		if _, err := os.Lstat(m.path("d/a")); !os.IsNotExist(err) {
			t.Fatalf("after the barrier the name is still there: %v", err)
		}
		m.store.put(map[string]string{"/ovs/d/a": "1"})
		m.settle()
	}
}
