package fs

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEventsOnReadOnlyMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("raising events needs root")
	}
	m := mountTree(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/s/x": "1"}, withEvents, readOnly)
	m.awaitHelper()
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	w.add(m.path("d/s"), "s", watchAll)
	if got := m.read("d/a"); got != "1\n" {
		t.Errorf("read %q", got)
	}
	for _, value := range []string{"2", "3"} {
		m.store.put(map[string]string{"/ovs/d/a": value})
		w.expect("d/a CLOSE_WRITE", "d/a MODIFY", "d/a CLOSE_WRITE")
		if got := m.read("d/a"); got != value+"\n" {
			t.Errorf("read %q", got)
		}
	}
	m.store.put(map[string]string{"/ovs/d/new": "2"})
	w.expect("d/new CLOSE_WRITE", "d/new CREATE", "d/new CLOSE_WRITE")
	if got := m.read("d/new"); got != "2\n" {
		t.Errorf("read %q", got)
	}
	m.store.apply(renamed(m.store, "/ovs/d/new", "/ovs/d/s/newer"))
	w.pair("d/new MOVED_FROM", "s/newer MOVED_TO")
	m.store.put(map[string]string{"/ovs/d/t/x": "2"})
	w.expect("d/t CREATE,ISDIR", "d/t CREATE,ISDIR")
	m.store.del("/ovs/d/s/x", "/ovs/d/s/newer")
	got := w.take("d/s DELETE,ISDIR")
	for _, want := range []string{"s/x DELETE", "s DELETE_SELF"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if got := m.list("d"); !slices.Equal(got, []string{"a", "t"}) {
		t.Errorf("listed %q", got)
	}
	m.s.handles.mu.RLock()
	defer m.s.handles.mu.RUnlock()
	if n := len(m.s.handles.open); n != 0 {
		t.Errorf("%d handles are left", n)
	}
}

// A view is another file at each lookup: those who watch it hear of what it shows,
// and who looks it up then reads the new content. A reader that has it open goes on with its own.
func TestWatchedViewsOnReadOnlyMounts(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/doc": `{"a": 1}`, "/ovs/d/doc2": `{"a": 1}`, "/ovs/d/list": `["x"]`}, readOnly)
	w := newWatcher(t, nil)
	w.add(m.path("d/doc.json"), "first", unix.IN_MODIFY)
	m.read("d/doc.json")
	w.add(m.path("d/doc.json"), "second", unix.IN_MODIFY|unix.IN_CLOSE_WRITE)
	w.add(m.path("d/list.lines"), "lines", unix.IN_MODIFY)
	open, err := os.Open(m.path("d/doc.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for _, n := range []string{"2", "31"} {
		m.store.put(map[string]string{"/ovs/d/doc": `{"a": ` + n + `}`})
		if got, want := w.some(3), []string{"first MODIFY", "second CLOSE_WRITE", "second MODIFY"}; !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
		if got, want := m.read("d/doc.json"), `{"a": `+n+"}\n"; got != want {
			t.Errorf("read %q, want %q", got, want)
		}
	}
	buf := make([]byte, 100)
	if n, err := open.Read(buf); string(buf[:n]) != "{\"a\": 1}\n" {
		t.Errorf("the open view reads %q, %v", buf[:n], err)
	}
	// Nothing that it shows has changed.
	m.store.put(map[string]string{"/ovs/d/doc2": `{"a": 2}`})
	m.store.put(map[string]string{"/ovs/d/list": `["x", "y"]`})
	w.expect("lines MODIFY", "lines MODIFY")
	if got := m.read("d/list.lines"); got != "x\ny\n" {
		t.Errorf("read %q", got)
	}
	// The kernel forgets the directory, and keeps what is watched.
	_ = open.Close()
	m.fuse.EntryNotify(rootID, "d")
	await(t, "the kernel has forgotten the directory", func() bool { return m.s.table.child(m.s.table.root, "d") == nil })
	m.store.put(map[string]string{"/ovs/d/list": `["z"]`})
	w.expect("lines MODIFY", "lines MODIFY")
	m.s.computed.mu.Lock()
	defer m.s.computed.mu.Unlock()
	if n := len(m.s.computed.views); n > 8 {
		t.Errorf("%d views are kept", n)
	}
}

// Users meet a read-only filesystem, with and without events.
func TestNobodyWritesToAReadOnlyMountWithEvents(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("raising events needs root")
	}
	m := mountTree(t, map[string]string{"/ovs/d/a": "1"}, withEvents, readOnly)
	m.awaitHelper()
	for what, err := range map[string]error{
		"write":  os.WriteFile(m.path("d/a"), []byte("2"), 0o644),
		"create": os.WriteFile(m.path("d/b"), []byte("2"), 0o644),
		"mkdir":  os.Mkdir(m.path("d/c"), 0o755),
		"remove": unix.Unlink(m.path("d/a")),
		"rename": unix.Rename(m.path("d/a"), m.path("d/b")),
		"chmod":  os.Chmod(m.path("d/a"), 0o600),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var st unix.Statfs_t
	if err := unix.Statfs(m.dir, &st); err != nil || st.Flags&unix.ST_RDONLY == 0 {
		t.Errorf("flags %x, %v", st.Flags, err)
	}
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); f[1] == m.dir && !strings.HasPrefix(f[3], "ro,nosuid,nodev") {
			t.Errorf("mounted %s", line)
		}
	}
	// One who makes the mount writable meets the server's own refusal.
	if err := unix.Mount("", m.dir, "", unix.MS_REMOUNT|unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path("d/a"), []byte("2"), 0o644); err == nil {
		t.Error("a write succeeded")
	}
	if err := os.WriteFile(m.path("d/b"), []byte("2"), 0o644); !errors.Is(err, unix.EROFS) {
		t.Errorf("create: %v", err)
	}
	if got := m.read("d/a"); got != "1\n" {
		t.Errorf("read %q", got)
	}
}
