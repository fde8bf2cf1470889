package fs

import (
	"fmt"
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
