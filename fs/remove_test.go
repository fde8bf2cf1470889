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
