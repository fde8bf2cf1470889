package fs

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
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

// renamed is what etcd sees of a rename: removals, and the same values elsewhere.
func renamed(f *fakeStore, pairs ...string) (changes []mapping.Change) {
	for k := 0; k < len(pairs); k += 2 {
		kv, _ := f.Tree().Get(pairs[k])
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: pairs[k]}, Deleted: true},
			mapping.Change{KV: mapping.KV{Key: pairs[k+1], Value: kv.Value}})
	}
	return changes
}

func TestRenamedElsewhere(t *testing.T) {
	m := mountEvents(t, map[string]string{
		"/ovs/d/a": "1", "/ovs/d/over": "0", "/ovs/d/t/x": "7", "/ovs/d/t/y": "8", "/ovs/e/z": "5", "/ovs/d/doc": `{"f": 12, "g": 2}`,
	})
	w := newWatcher(t, nil)
	for _, dir := range []string{"d", "d/t", "e", "d/doc"} {
		w.add(m.path(dir), dir, watchAll&^unix.IN_CLOSE_WRITE)
	}
	m.store.apply(renamed(m.store, "/ovs/d/a", "/ovs/d/b"))
	w.pair("d/a MOVED_FROM", "d/b MOVED_TO")
	m.store.apply(renamed(m.store, "/ovs/d/t/x", "/ovs/d/u/x", "/ovs/d/t/y", "/ovs/d/u/y"))
	w.pair("d/t MOVED_FROM,ISDIR", "d/u MOVED_TO,ISDIR")
	m.store.apply(renamed(m.store, "/ovs/d/b", "/ovs/e/b"))
	w.pair("d/b MOVED_FROM", "e/b MOVED_TO")
	m.store.apply(renamed(m.store, "/ovs/e/b", "/ovs/d/over"))
	w.pair("e/b MOVED_FROM", "d/over MOVED_TO")
	m.store.put(map[string]string{"/ovs/d/doc": `{"h": 12, "g": 2}`})
	w.pair("d/doc/f MOVED_FROM", "d/doc/h MOVED_TO")
	// Who watches a directory goes on under its new name.
	m.store.put(map[string]string{"/ovs/d/u/y": "9"})
	w.take("d/t/y MODIFY")
	for name, want := range map[string]string{"d/u/x": "7\n", "d/u/y": "9\n", "d/over": "1\n", "d/doc/h": "12\n"} {
		if got := m.read(name); got != want {
			t.Errorf("%s: read %q, want %q", name, got, want)
		}
	}
	if got := m.list("d"); !slices.Equal(got, []string{"doc", "over", "u"}) {
		t.Errorf("listed %q", got)
	}
}

// pair waits for the two events of a rename, which have one cookie.
func (w *watcher) pair(from, to string) {
	w.t.Helper()
	var cookie string
	await(w.t, from+" and "+to, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		k := slices.IndexFunc(w.events, func(e string) bool { return strings.HasPrefix(e, from+" ") })
		if k < 0 {
			return false
		}
		cookie = strings.TrimPrefix(w.events[k], from+" ")
		return slices.Contains(w.events, to+" "+cookie)
	})
	w.take(to + " " + cookie)
}

// Each change is followed by an event, upon which its content is read.
func TestWhoReadsUponAnEventReadsTheNewContent(t *testing.T) {
	rounds := 300
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		rounds = 10000
	}
	m := mountEvents(t, map[string]string{"/ovs/d/a": "0"})
	var current atomic.Int64
	read := make(chan string, 64)
	w := newWatcher(t, func(event string) {
		if event != "d/a MODIFY" {
			return
		}
		least := current.Load()
		b, err := os.ReadFile(m.path("d/a"))
		if err != nil {
			read <- err.Error()
			return
		}
		var n int64
		if _, err := fmt.Sscan(string(b), &n); err != nil || n < least {
			read <- fmt.Sprintf("stale: %q when it was %d", b, least)
			return
		}
		read <- strings.TrimSpace(string(b))
	})
	w.add(m.path("d"), "d", unix.IN_MODIFY)
	for k := range rounds {
		m.store.put(map[string]string{"/ovs/d/a": fmt.Sprint(k + 1)})
		current.Store(int64(k + 1))
		if got := nextOf(t, read); got != fmt.Sprint(k+1) {
			t.Fatalf("round %d: %s", k+1, got)
		}
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

// Users and remote changes in the same directories: nothing hangs, and in the
// end the kernel has what the tree has.
func TestStormOfChangesAndUsers(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/keep": "0", "/ovs/e/keep": "0"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	w.add(m.path("e"), "e", watchAll)
	rounds := 150
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		rounds = 20000
	}
	var users sync.WaitGroup
	stop := make(chan struct{})
	for k := range 4 {
		users.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := m.path(fmt.Sprintf("%c/n%d", "de"[(n+k)%2], n%7))
				switch (n + k) % 6 {
				case 0:
					_ = os.WriteFile(name, []byte("5\n"), 0o644) // others remove it meanwhile
				case 1:
					_ = os.Remove(name)
				case 2:
					_ = os.Rename(name, m.path("d/r"))
				case 3:
					_, _ = os.ReadFile(name)
				case 4:
					_, _ = os.ReadDir(m.path("d"))
				default:
					_, _ = os.Stat(name)
				}
			}
		})
	}
	for n := range rounds {
		key := fmt.Sprintf("/ovs/%c/n%d", "de"[n%2], n%7)
		switch n % 5 {
		case 0, 1:
			m.store.put(map[string]string{key: fmt.Sprint(n)})
		case 2:
			m.store.del(key)
		case 3:
			if _, ok := m.store.Tree().Get(key); ok {
				m.store.apply(renamed(m.store, key, "/ovs/e/m"))
			}
		default:
			m.store.put(map[string]string{fmt.Sprintf("/ovs/d/sub%d/x", n%3): "1"})
			m.store.del(fmt.Sprintf("/ovs/d/sub%d/x", (n+1)%3))
		}
		if n%16 == 0 {
			m.settle()
		}
	}
	close(stop)
	users.Wait()
	m.settle()
	await(t, "all echoes are done", m.s.echoes.idle)
	m.store.put(map[string]string{"/ovs/d/end": "1"})
	m.settle()
	await(t, "all echoes are done", m.s.echoes.idle)
	for _, dir := range []string{"d", "e"} {
		node, _ := m.store.Tree().Lookup(dir)
		var want []string
		for c := range node.Children() {
			want = append(want, c.Name())
			p := m.path(dir + "/" + c.Name())
			if st, err := os.Stat(p); err != nil || st.IsDir() != c.IsDir() {
				t.Errorf("stat %s: %v", p, err)
			} else if !c.IsDir() && m.read(dir+"/"+c.Name()) != string(c.Content()) {
				t.Errorf("%s is not %q", p, c.Content())
			}
		}
		slices.Sort(want)
		for k := range 8 {
			name := fmt.Sprintf("n%d", k)
			if _, ok := node.Lookup(name); !ok {
				if _, err := os.Stat(m.path(dir + "/" + name)); err == nil {
					t.Errorf("%s/%s is there for the kernel", dir, name)
				}
			}
		}
	}
}

// idle reports that nothing is to be repeated.
func (e *echoes) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lanes {
		if len(l.queue) > 0 || l.current.Load() != nil {
			return false
		}
	}
	return len(e.unsure)+len(e.waiting) == 0
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
