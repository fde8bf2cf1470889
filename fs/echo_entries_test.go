package fs

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEntriesThatComeAndGoElsewhere(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	if _, err := os.Stat(m.path("d/new")); err == nil {
		t.Fatal("there is a file already")
	}
	m.store.put(map[string]string{"/ovs/d/new": "2"})
	w.expect("d/new CLOSE_WRITE", "d/new CREATE", "d/new CLOSE_WRITE")
	m.store.put(map[string]string{"/ovs/d/s/x": "2"})
	w.expect("d/s CREATE,ISDIR", "d/s CREATE,ISDIR")
	w.add(m.path("d/s"), "s", watchAll)
	m.store.put(map[string]string{"/ovs/d/s/y": "2"})
	w.expect("s/y CLOSE_WRITE", "s/y CREATE", "s/y CLOSE_WRITE")
	m.store.del("/ovs/d/s/y", "/ovs/d/s/x")
	got := w.take("d/s DELETE,ISDIR")
	for _, want := range []string{"s/x DELETE", "s/y DELETE", "s DELETE_SELF"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	m.store.del("/ovs/d/new")
	w.expect("d/new DELETE", "d/new DELETE")
	if got := m.list("d"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("listed %q", got)
	}
}

// The first thing that happens to a watched tree, before it is known who watches.
func TestTreeRemovedAtOnce(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/s/t/x": "1", "/ovs/d/s/y": "1", "/ovs/d/z": "1"})
	w := newWatcher(t, nil)
	for _, dir := range []string{"d", "d/s", "d/s/t"} {
		w.add(m.path(dir), dir, unix.IN_DELETE)
	}
	m.store.del("/ovs/d/s/t/x", "/ovs/d/s/y")
	got := w.take("d/s DELETE,ISDIR")
	for _, want := range []string{"d/s/t/x DELETE", "d/s/t DELETE,ISDIR", "d/s/y DELETE"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	m.store.put(map[string]string{"/ovs/d/s/t/x": "2"})
	if got := m.read("d/s/t/x"); got != "2\n" {
		t.Errorf("read %q", got)
	}
}
