package fs

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Who watches is not looked up for what this mount writes itself: that takes longer
// than the write.
func TestOwnWritesLookForNoWatchers(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/doc": `{"a": 1, "b": {"c": 2}}`})
	e := m.s.echoes
	m.read("d/doc/b/c")
	before := e.watched.Load()
	for path, text := range map[string]string{"d/a": "2\n", "d/doc/a": "3\n", "d/doc/b/c": "4\n", "d/new": "5\n"} {
		if err := os.WriteFile(m.path(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		m.settle()
	}
	e.mu.Lock()
	unsure := len(e.unsure)
	e.mu.Unlock()
	if e.watched.Load() != before || unsure > 0 {
		t.Errorf("it was looked up who watches; %d changes wait for that", unsure)
	}
	m.store.put(map[string]string{"/ovs/d/a": "6"})
	await(t, "it is looked up for what others write", func() bool { return e.watched.Load() != before })
}

// What somebody else made of a name while a request was at work on it gets its
// events, also for who was not known to watch.
func TestNotOwnAfterAll(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/b": "1"})
	m.read("d/a")
	done := m.s.echoes.ownChange("d/a")
	m.store.put(map[string]string{"/ovs/d/a": "2"})
	m.settle()
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", unix.IN_MODIFY)
	w.add(m.path("d/a"), "a", unix.IN_MODIFY)
	m.store.put(map[string]string{"/ovs/d/a": "3"})
	m.settle()
	done()
	w.expect("a MODIFY", "d/a MODIFY", "a MODIFY")
}
