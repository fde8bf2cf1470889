package fs

import (
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// An empty directory of this mount goes with the directory that it is in when
// others remove that, and does not come back with the name.
func TestEmptyDirectoryGoesWithItsDirectory(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/a/k": "1", "/ovs/d/z": "1", "/ovs/far/b/k": "1", "/ovs/k": "1"})
	m.mkdir("d/a/in")
	m.mkdir("d/a/in/deeper")
	m.mkdir("d/stays")
	m.mkdir("far/b/in")
	m.write("d/a/.k.swp", "1")
	m.store.del("/ovs/d/a/k")
	m.store.del("/ovs/far/b/k")
	m.settle()
	m.store.put(map[string]string{"/ovs/d/a/k": "2", "/ovs/far/b/k": "2"})
	m.settle()
	for name, want := range map[string][]string{"d": {"a", "stays", "z"}, "d/a": {".k.swp", "k"}, "far/b": {"k"}} {
		if got := m.list(name); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", name, got, want)
		}
	}
	m.mkdir("d/a/in")
	if got := m.list("d/a/in"); len(got) != 0 {
		t.Errorf("made anew, it lists %q", got)
	}
}

// It does not go when this mount keeps the directory that it is in, nor when others
// rename around it.
func TestEmptyDirectoryStaysWithItsDirectory(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a/k": "1", "/ovs/b/k": "1", "/ovs/b/l": "1", "/ovs/k": "1"})
	m.mkdir("a/in")
	m.mkdir("b/in")
	m.wantErr("unlink", os.Remove(m.path("a/k")), nil)
	m.store.apply(renamed(m.store, "/ovs/b/k", "/ovs/b/other"))
	m.settle()
	for name, want := range map[string][]string{"a": {"in"}, "b": {"in", "l", "other"}} {
		if got := m.list(name); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", name, got, want)
		}
	}
	m.wantErr("rename", os.Rename(m.path("b"), m.path("c")), nil)
	m.settle()
	if got := m.list("c"); !slices.Equal(got, []string{"in", "l", "other"}) {
		t.Errorf("c lists %q", got)
	}
}

// It goes along with a directory that is renamed here, when the one above has been nothing but the directory of that key.
func TestEmptyDirectoryMovesOutOfWhatIsAFileThen(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "value", "/ovs/a/b/k": "1", "/ovs/k": "1"})
	m.mkdir("a/b/in")
	m.mkdir("a/b/in/deeper")
	m.store.mu.Lock()
	m.store.after = func() { // the tree shows it, and the rename is not at its end
		select {
		case <-m.s.notices.workedOff():
		case <-time.After(grace): // its notice may wait for the rename
		}
	}
	m.store.mu.Unlock()
	m.wantErr("rename", os.Rename(m.path("a/b"), m.path("c")), nil)
	m.settle()
	for name, want := range map[string][]string{"c": {"in", "k"}, "c/in": {"deeper"}} {
		if got := m.list(name); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", name, got, want)
		}
	}
	m.want("/ovs/a", "value")
}

// What lies on this mount where others rename a directory to is found there,
// also by who looked for such a name in that directory before.
func TestRenamedElsewhereOntoFilesOfThisMount(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/a/k": "1", "/ovs/x/k": "5", "/ovs/x/l": "6", "/ovs/k": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("x"), "x", watchAll&^unix.IN_CLOSE_WRITE)
	w.add(m.dir, "", watchAll&^unix.IN_CLOSE_WRITE)
	m.write("a/.k.swp", "swap")
	m.mkdir("a/in")
	for _, name := range []string{"x/.k.swp", "x/in"} {
		if _, err := os.Lstat(m.path(name)); !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	m.store.del("/ovs/a/k")
	w.take("a DELETE,ISDIR")
	m.store.apply(renamed(m.store, "/ovs/x/k", "/ovs/a/k", "/ovs/x/l", "/ovs/a/l"))
	w.pair("x MOVED_FROM,ISDIR", "a MOVED_TO,ISDIR")
	m.read(".ovscfgfs/barrier")
	if _, err := os.Lstat(m.path("a/.k.swp")); err != nil { // not from the listing
		t.Error(err)
	}
	if got := m.list("a"); !slices.Equal(got, []string{".k.swp", "k", "l"}) {
		t.Errorf("it lists %q", got)
	}
}
