package fs

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// What went and has come back before its removal was repeated is alive: the
// kernel marks a directory that it removed dead for good.
func TestWhatComesBackAtOnceIsAlive(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/s/t/x": "0", "/ovs/d/f": "0", "/ovs/d/end": "0"})
	w := newWatcher(t, nil)
	for _, dir := range []string{"d", "d/s", "d/s/t"} {
		w.add(m.path(dir), dir, watchAll)
	}
	m.store.put(map[string]string{"/ovs/d/end": "1"})
	w.take("d/end CLOSE_WRITE")
	for k := range 200 {
		m.store.del("/ovs/d/s/t/x", "/ovs/d/f")
		if k%3 == 1 {
			m.settle()
		}
		value := fmt.Sprint(k)
		m.store.put(map[string]string{"/ovs/d/s/t/x": value, "/ovs/d/f": value})
		if k%7 > 0 {
			continue // several at once
		}
		m.settle()
		await(t, "all is repeated", m.s.echoes.idle)
		for _, name := range []string{"d/s/t/x", "d/f"} {
			if got := m.read(name); got != value+"\n" {
				t.Fatalf("round %d: %s: read %q", k, name, got)
			}
		}
		for dir, want := range map[string][]string{"d": {"end", "f", "s"}, "d/s": {"t"}, "d/s/t": {"x"}} {
			if got := m.list(dir); !slices.Equal(got, want) {
				t.Fatalf("round %d: %s: listed %q", k, dir, got)
			}
		}
		if err := os.WriteFile(m.path("d/s/t/y"), []byte("1\n"), 0o644); err != nil {
			t.Fatalf("round %d: %v", k, err)
		}
		if err := os.Remove(m.path("d/s/t/y")); err != nil {
			t.Fatalf("round %d: %v", k, err)
		}
	}
	m.settle()
	await(t, "all is repeated", m.s.echoes.idle)
	// Whoever watches it from now on hears of it.
	w.add(m.path("d/s/t"), "new", unix.IN_MODIFY)
	m.store.put(map[string]string{"/ovs/d/s/t/x": "last"})
	w.take("new/x MODIFY")
}
