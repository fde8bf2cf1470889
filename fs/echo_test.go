package fs

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// kinds drops the cookies, and what does not matter here.
func kinds(events []string) []string {
	var list []string
	for _, e := range events {
		if f := strings.Fields(e); len(f) > 1 {
			list = append(list, f[0]+" "+f[1])
		}
	}
	return list
}

func TestContentChangedElsewhereRaisesModify(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/doc": `{"a": 1, "b": 2}`, "/ovs/d/doc2": `{"end": 1}`})
	w := newWatcher(t, nil)
	w.add(m.path("d/doc"), "doc", unix.IN_MODIFY)
	w.add(m.path("d/doc/a"), "a", unix.IN_MODIFY)
	m.store.put(map[string]string{"/ovs/d/doc": `{"a": 3, "b": 2}`})
	w.expect("a MODIFY", "doc/a MODIFY", "a MODIFY")
	// The same values with another spelling of the rest raise nothing, and one of two fields its own.
	m.store.put(map[string]string{"/ovs/d/doc": `{"a": 3,   "b": 2}`})
	m.settle()
	m.store.put(map[string]string{"/ovs/d/doc": `{"a": 3,   "b": 4}`})
	w.expect("doc/b MODIFY", "doc/b MODIFY")
	if got := m.read("d/doc/b"); got != "4\n" {
		t.Errorf("read %q", got)
	}
}

func TestCloseWriteForWhoAsks(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/a": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("a"), "a", unix.IN_MODIFY|unix.IN_CLOSE_WRITE)
	m.store.put(map[string]string{"/ovs/a": "2"})
	w.expect("a CLOSE_WRITE", "a MODIFY", "a CLOSE_WRITE")
}

func TestWatchedViewsGetTheirs(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/doc": `{"a": 1}`})
	w := newWatcher(t, nil)
	w.add(m.path("doc.json"), "view", unix.IN_MODIFY)
	m.store.put(map[string]string{"/ovs/doc": `{"a": 2}`})
	w.expect("view MODIFY", "view MODIFY")
	if got := m.read("doc.json"); got != "{\"a\": 2}\n" {
		t.Errorf("read %q", got)
	}
}

// What this mount does itself has had its events from the kernel.
func TestChangesMadeHereRaiseTheirEventsOnce(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/end": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	m.store.put(map[string]string{"/ovs/d/end": "2"})
	w.take("d/end CLOSE_WRITE")
	write := func(name, v string) {
		t.Helper()
		if err := os.WriteFile(m.path(name), []byte(v), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("d/a", "2\n")
	m.settle()
	write("d/a", "3\n")
	write("d/new", "5\n")
	if err := os.Rename(m.path("d/new"), m.path("d/newer")); err != nil {
		t.Fatal(err)
	}
	m.settle()
	if err := os.Remove(m.path("d/newer")); err != nil {
		t.Fatal(err)
	}
	m.store.put(map[string]string{"/ovs/d/end": "3"})
	// The kernel makes one of two equal events, if nobody has read the first.
	got := slices.Compact(kinds(w.take("d/end CLOSE_WRITE")))
	want := []string{
		"d/a MODIFY", "d/a CLOSE_WRITE", "d/a MODIFY", "d/a CLOSE_WRITE", "d/new CREATE", "d/new MODIFY", "d/new CLOSE_WRITE",
		"d/new MOVED_FROM", "d/newer MOVED_TO", "d/newer DELETE", "d/end MODIFY", "d/end CLOSE_WRITE",
	}
	if !slices.Equal(got, want) {
		t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

// Each change is followed by an event, upon which its content is read: of the
// same length, longer, shorter.
func TestWhoReadsUponAnEventReadsTheNewContent(t *testing.T) {
	rounds := 300
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		rounds = 10000
	}
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			m := mountEvents(t, map[string]string{"/ovs/d/a": `"0 "`}, option)
			text := func(k int) string { return fmt.Sprint(k, " ", strings.Repeat("x", k*k%13)) }
			var current atomic.Int64
			read := make(chan string, 64)
			w := newWatcher(t, func(event string) {
				if event != "d/a MODIFY" {
					return
				}
				least := int(current.Load())
				b, err := os.ReadFile(m.path("d/a"))
				var n int
				_, _ = fmt.Sscan(string(b), &n)
				switch {
				case err != nil:
					read <- err.Error()
				case n < least:
					read <- fmt.Sprintf("stale: %q when it was %d", b, least)
				default:
					read <- strings.TrimSuffix(string(b), "\n")
				}
			})
			w.add(m.path("d"), "d", unix.IN_MODIFY)
			for k := range rounds {
				m.store.put(map[string]string{"/ovs/d/a": strconv.Quote(text(k + 1))})
				current.Store(int64(k + 1))
				if got := nextOf(t, read); got != text(k+1) {
					t.Fatalf("round %d: %s", k+1, got)
				}
			}
		})
	}
}

func TestHelperThatDiesIsReplaced(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "0", "/ovs/d/z": "0"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll&^unix.IN_CLOSE_WRITE)
	for k := range 3 {
		pid := m.Events().Helper
		if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
			t.Fatalf("helper %d cannot be killed", pid)
		}
		m.store.del("/ovs/d/a")
		await(t, "another helper", func() bool { st := m.Events(); return st.On && st.Helper != pid })
		m.awaitHelper()
		m.store.put(map[string]string{"/ovs/d/a": "x"})
		m.store.put(map[string]string{"/ovs/d/b": fmt.Sprint(k)})
		w.take(map[bool]string{true: "d/b CREATE", false: "d/b MODIFY"}[k == 0])
	}
	if got := m.list("d"); !slices.Equal(got, []string{"a", "b", "z"}) {
		t.Errorf("listed %q", got)
	}
}

func TestNobodyWatchesNothingIsRaised(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "0"})
	m.read("d/a")
	for k := range 20 {
		m.store.put(map[string]string{"/ovs/d/a": fmt.Sprint(k)})
	}
	m.settle()
	await(t, "it is looked up who watches", func() bool {
		e := m.s.echoes
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.unsure) == 0
	})
	if st := m.Events(); st.Raised != 0 || !st.On {
		t.Errorf("status %+v", st)
	}
}

func TestInotifywaitSeesWhatChangesElsewhere(t *testing.T) {
	program, err := exec.LookPath("inotifywait")
	if err != nil {
		t.Skip("inotifywait is not installed (package inotify-tools)")
	}
	m := mountEvents(t, map[string]string{"/ovs/d/a": "0", "/ovs/d/s/x": "1"})
	lines := runWatcher(t, program, "-m", "-r", "--format", "%w%f %e", "-e", "create,modify,delete,move", m.path("d"))
	m.store.put(map[string]string{"/ovs/d/a": "1"})
	lines.await(m.path("d/a") + " MODIFY")
	m.store.put(map[string]string{"/ovs/d/s/new": "1"})
	lines.await(m.path("d/s/new") + " CREATE")
	m.store.apply(renamed(m.store, "/ovs/d/s/new", "/ovs/d/new"))
	lines.await(m.path("d/new") + " MOVED_TO")
	m.store.del("/ovs/d/new")
	lines.await(m.path("d/new") + " DELETE")
}

// The barrier waits for removals that the helper is late with: until then the
// kernel keeps the names.
func TestBarrierWaitsForTheHelper(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/k": "1", "/ovs/e": "1"})
	w := newWatcher(t, nil)
	w.add(m.dir, "top", watchAll)
	w.add(m.path("d"), "d", watchAll)
	if _, err := os.Lstat(m.path("d/k")); err != nil {
		t.Fatal(err)
	}
	pid := m.Events().Helper
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	on := time.AfterFunc(3*grace, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	defer on.Stop()
	m.store.del("/ovs/d/k")
	m.read(".ovscfgfs/barrier")
	if _, err := os.Lstat(m.path("d")); !os.IsNotExist(err) {
		t.Errorf("what was removed is there after the barrier: %v", err)
	}
}
