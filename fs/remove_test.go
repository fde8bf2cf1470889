package fs

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// TestRemoveEmptiedDirectories removes directories whose last keys go one after the other:
// each stays for rmdir, however far behind the kernel's notices are.
func TestRemoveEmptiedDirectories(t *testing.T) {
	values := map[string]string{"/ovs/kept": "1"}
	for i := range 200 {
		for _, name := range []string{"abm", "main"} {
			values[fmt.Sprintf("/ovs/d/%d/config/%s", i, name)] = `"x"`
		}
	}
	m := mountTree(t, values)
	for round := range 3 {
		m.store.put(values)
		if out := m.run(0, "rm", "-r", "d"); out != "" {
			t.Fatalf("round %d: %s", round, out)
		}
		if left := m.list(""); len(left) != 1 {
			t.Fatalf("round %d leaves %q", round, left)
		}
	}
}

// Whoever removes a directory by its view does not find it after the call.
func TestRemovedByItsView(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/x": "1"})
	anew := func() {
		t.Helper()
		m.store.put(map[string]string{"/ovs/d/doc": `{"a": 1}`})
		m.read(controlName + "/" + controlBarrier)
		m.read("d/doc/a")
	}
	stat := func(name string) error {
		_, err := os.Stat(m.path(name))
		return err
	}
	for range 200 {
		for _, name := range []string{"d/doc", "d/doc/a"} {
			anew()
			if err := os.Remove(m.path("d/doc.json")); err != nil {
				t.Fatal(err)
			}
			m.wantErr("stat of "+name, stat(name), syscall.ENOENT)
		}
		if t.Failed() {
			return
		}
	}
}

// What only this mount has and others have hidden is not back, and in the way, when
// what hides it goes.
func TestRemoveAllWithHiddenDirectories(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/kept": "1"})
	for name, value := range map[string]string{"document": `["a", "b", {"x": "c"}]`, "leaf": `"text"`, "moved": `["a", "b"]`, "away": `["a", "b"]`} {
		for _, in := range []string{"", "/1", "/1/1", "/1/1/1", "/2", "/2/x", "/2/x/y"} {
			m.mkdir(name + in)
		}
		m.store.put(map[string]string{"/ovs/" + name: value})
	}
	m.mkdir("keys")
	m.write("keys/.k.swp", "1")
	m.store.put(map[string]string{"/ovs/keys/.k.swp/k": "1"})
	m.settle()
	m.wantErr("a document", os.RemoveAll(m.path("document")), nil)
	m.wantErr("a leaf", os.Remove(m.path("leaf")), nil)
	m.wantErr("a leaf is moved", os.Rename(m.path("moved/1"), m.path("now")), nil)
	m.wantErr("what is left", os.RemoveAll(m.path("moved/2")), nil)
	m.wantErr("another leaf", os.Remove(m.path("moved/0")), nil)
	m.wantErr("then it is empty", os.Remove(m.path("moved")), nil)
	m.wantErr("a leaf is put aside", os.Rename(m.path("away/1"), m.path("away/1~")), nil)
	m.wantErr("for a while", os.RemoveAll(m.path("away")), nil)
	m.wantErr("a directory of keys", os.RemoveAll(m.path("keys")), nil)
	m.wantErr("what was moved", os.Remove(m.path("now")), nil)
	if left := m.list(""); len(left) != 1 {
		t.Errorf("%q are left", left)
	}
}
