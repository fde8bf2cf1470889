package fs

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// eventMounts are the mounts that events are raised on.
var eventMounts = map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly}

// watchKinds is what matters of a name that changes its kind.
const watchKinds = unix.IN_CREATE | unix.IN_DELETE | unix.IN_DELETE_SELF

// A document that is a plain value now: as rm -r and the making of a file.
func TestDirectoryThatIsAFileNow(t *testing.T) {
	for name, option := range eventMounts {
		t.Run(name, func(t *testing.T) {
			m := mountEvents(t, map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 2}}`, "/ovs/w/k": "1"}, option)
			w := newWatcher(t, nil)
			for _, name := range []string{"w", "w/doc", "w/doc/y", "w/doc/y/z"} {
				w.add(m.path(name), name, watchKinds)
			}
			m.store.put(map[string]string{"/ovs/w/doc": "not json"})
			got := w.take("w/doc CREATE")
			inOrder(t, got, "w/doc/y/z DELETE", "w/doc/y DELETE,ISDIR", "w/doc DELETE,ISDIR", "w/doc CREATE")
			inOrder(t, got, "w/doc/x DELETE", "w/doc DELETE,ISDIR")
			inOrder(t, got, "w/doc/y/z DELETE_SELF", "w/doc/y DELETE_SELF", "w/doc DELETE_SELF", "w/doc CREATE")
			m.repeated("w")
			if got := m.read("w/doc"); got != "not json\n" {
				t.Errorf("read %q", got)
			}
		})
	}
}

func TestFileThatIsADirectoryNow(t *testing.T) {
	for name, option := range eventMounts {
		t.Run(name, func(t *testing.T) {
			m := mountEvents(t, map[string]string{"/ovs/w/doc": "not json", "/ovs/w/k": "1"}, option)
			w := newWatcher(t, nil)
			w.add(m.path("w"), "w", watchKinds)
			w.add(m.path("w/doc"), "self", watchKinds)
			m.store.put(map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 2}}`})
			got := w.take("w/doc CREATE,ISDIR")
			inOrder(t, got, "w/doc DELETE", "w/doc CREATE,ISDIR")
			inOrder(t, got, "self DELETE_SELF", "w/doc CREATE,ISDIR")
			m.repeated("w", "w/doc", "w/doc/y")
			w.add(m.path("w/doc/y"), "y", unix.IN_CREATE)
			m.store.put(map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 2, "new": 1}}`})
			w.take("y/new CREATE")
		})
	}
}

// Only what changed its kind is watched, not its directory.
func TestWatchersOfWhatChangesItsKind(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 2}}`, "/ovs/w/f": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("w/doc"), "doc", watchKinds)
	w.add(m.path("w/doc/y"), "y", watchKinds)
	w.add(m.path("w/f"), "f", watchKinds)
	m.store.put(map[string]string{"/ovs/w/doc": "not json"})
	inOrder(t, w.take("doc DELETE_SELF"), "y DELETE_SELF", "doc DELETE_SELF")
	m.store.put(map[string]string{"/ovs/w/f": `{"g": 1}`})
	w.take("f DELETE_SELF")
	m.repeated("w", "w/f")
}

// A file that is a symbolic link now, and the other way round.
func TestFileThatIsALinkNow(t *testing.T) {
	for name, option := range eventMounts {
		t.Run(name, func(t *testing.T) {
			m := mountEvents(t, map[string]string{"/ovs/w/a": `"text"`, "/ovs/w/to": "1"}, option, withReferences)
			w := newWatcher(t, nil)
			w.add(m.path("w"), "w", watchKinds)
			w.add(m.path("w/a"), "self", watchKinds)
			m.store.put(map[string]string{"/ovs/w/a": `"etcd://h/ovs/w/to"`})
			got := w.take("w/a CREATE")
			inOrder(t, got, "self DELETE_SELF", "w/a CREATE")
			inOrder(t, got, "w/a DELETE", "w/a CREATE")
			if got := m.link("w/a"); got != "to" {
				t.Errorf("leads to %q", got)
			}
			m.store.put(map[string]string{"/ovs/w/a": `{"x": 1}`})
			inOrder(t, w.take("w/a CREATE,ISDIR"), "w/a DELETE", "w/a CREATE,ISDIR")
			m.repeated("w", "w/a")
		})
	}
}

// What is elsewhere now while something of another kind has its name was removed.
func TestMovedAndOfAnotherKind(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/w/doc": `{"x": 1, "y": 2}`, "/ovs/w/k": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("w"), "w", watchAll&^unix.IN_CLOSE_WRITE)
	w.add(m.path("w/doc"), "doc", watchKinds)
	m.store.put(map[string]string{"/ovs/w/doc": "text", "/ovs/w/moved": `{"x": 1, "y": 2}`})
	got := w.take("w/doc CREATE")
	inOrder(t, got, "doc/x DELETE", "doc DELETE_SELF", "w/doc CREATE")
	inOrder(t, got, "w/doc DELETE,ISDIR", "w/doc CREATE")
	inOrder(t, got, "w/moved CREATE,ISDIR")
	m.repeated("w", "w/moved")
}

// What this mount writes itself has raised its events: it is MODIFY of the file.
func TestKindChangedHereRaisesItsEventsOnce(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/w/a": "text", "/ovs/w/end": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("w"), "w", watchAll&^unix.IN_CLOSE_WRITE)
	m.store.put(map[string]string{"/ovs/w/end": "2"})
	w.take("w/end MODIFY")
	if err := os.WriteFile(m.path("w/a"), []byte(`{"x": 1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	m.repeated("w")
	m.store.put(map[string]string{"/ovs/w/end": "3"})
	if got := kinds(w.take("w/end MODIFY")); !slices.Equal(slices.Compact(got), []string{"w/a MODIFY", "w/end MODIFY"}) {
		t.Errorf("events %q", got)
	}
}

// What is of its old kind again before that was repeated is alive, and whoever
// looks meanwhile finds what is there.
func TestKindsThatChangeBackAtOnce(t *testing.T) {
	for name, option := range eventMounts {
		t.Run(name, func(t *testing.T) {
			m := mountEvents(t, map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 0}}`, "/ovs/w/f": "0"}, option)
			w := newWatcher(t, nil)
			w.add(m.path("w"), "w", watchKinds)
			end := m.meanwhile(func() {
				_, _ = os.Stat(m.path("w/doc/y/z"))
				_, _ = os.ReadFile(m.path("w/f"))
				_, _ = os.ReadDir(m.path("w/doc"))
			})
			for k := range 120 {
				if k%2 == 0 {
					m.store.put(map[string]string{"/ovs/w/doc": "text", "/ovs/w/f": fmt.Sprintf(`{"g": %d}`, k)})
				} else {
					m.store.put(map[string]string{"/ovs/w/doc": fmt.Sprintf(`{"x": 1, "y": {"z": %d}}`, k), "/ovs/w/f": fmt.Sprint(k)})
				}
				if k%5 == 1 {
					m.settle()
				}
				if k%7 > 0 {
					continue // several at once
				}
				m.repeated("w")
				if k%2 == 0 {
					m.repeated("w/f")
					continue
				}
				m.repeated("w/doc", "w/doc/y")
				w.add(m.path("w/doc"), fmt.Sprint("doc", k), watchKinds)
				w.add(m.path("w/doc/y"), fmt.Sprint("y", k), watchKinds)
			}
			end()
			m.repeated("w", "w/doc", "w/doc/y")
			w.add(m.path("w/doc/y"), "last", unix.IN_CREATE)
			m.store.put(map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 0, "new": 1}}`})
			w.take("last/new CREATE")
		})
	}
}

// Who looks at the name as soon as it is gone, and so lets the kernel know the
// new one before it was announced, still hears of that.
func TestWhoLooksAtANameOfAnotherKind(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/w/doc": "text", "/ovs/w/k": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("w"), "w", watchKinds)
	m.meanwhile(func() { _, _ = os.Stat(m.path("w/doc")) })
	for range 100 {
		m.store.put(map[string]string{"/ovs/w/doc": `{"x": 1}`})
		inOrder(t, w.take("w/doc CREATE,ISDIR"), "w/doc DELETE", "w/doc CREATE,ISDIR")
		m.store.put(map[string]string{"/ovs/w/doc": "text"})
		inOrder(t, w.take("w/doc CREATE"), "w/doc DELETE,ISDIR", "w/doc CREATE")
	}
}

// Without a helper the kernel is brought there by notices.
func TestKindThatChangesWhileTheHelperIsDead(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 2}}`, "/ovs/w/f": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("w"), "w", watchKinds)
	w.add(m.path("w/doc"), "doc", watchKinds)
	for range 3 {
		pid := m.Events().Helper
		if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
			t.Fatalf("helper %d cannot be killed", pid)
		}
		m.store.put(map[string]string{"/ovs/w/doc": "text", "/ovs/w/f": `{"g": 1}`})
		m.repeated("w", "w/f")
		await(t, "another helper", func() bool { st := m.Events(); return st.On && st.Helper != pid })
		m.awaitHelper()
		m.store.put(map[string]string{"/ovs/w/doc": `{"x": 1, "y": {"z": 2}}`, "/ovs/w/f": "1"})
		m.repeated("w", "w/doc", "w/doc/y")
	}
}

// meanwhile does something again and again, until the test or end ends it.
func (m *mountedTest) meanwhile(f func()) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				f()
			}
		}
	}()
	end = sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
	m.t.Cleanup(end)
	return end
}

// repeated waits until all is repeated and compares directories with the tree.
func (m *mountedTest) repeated(dirs ...string) {
	m.t.Helper()
	m.settle()
	await(m.t, "all is repeated", m.s.echoes.idle)
	<-m.s.echoes.caughtUp()
	m.sameAsTree(dirs...)
}

// inOrder fails unless events came, in this order.
func inOrder(t *testing.T, events []string, want ...string) {
	t.Helper()
	at := -1
	for _, e := range want {
		k := slices.Index(events, e)
		if k < 0 || k < at {
			t.Errorf("not %q in %q", strings.Join(want, ", "), events)
			return
		}
		at = k
	}
}
