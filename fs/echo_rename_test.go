package fs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

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

// A directory that others make by a rename is found by its name at once, also by
// those who looked for it before.
func TestRenamedElsewhereToWhatWasAbsent(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/k": "1"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	m.store.put(map[string]string{"/ovs/d/k": "2"})
	w.take("d/k CLOSE_WRITE")
	if _, err := os.Lstat(m.path("new")); !os.IsNotExist(err) {
		t.Fatal(err)
	}
	m.store.apply(renamed(m.store, "/ovs/d/a", "/ovs/new/in/a"))
	m.read(".ovscfgfs/barrier")
	if got := m.read("new/in/a"); got != "1\n" {
		t.Errorf("read %q", got)
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

// Renamed directories, with watchers at every depth of them.
func TestWatchersInsideRenamedDirectories(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/a/s/t/x": "1", "/ovs/a/s/y": "2", "/ovs/b/z": "3", "/ovs/a/doc": `{"f": {"g": 1}}`})
	w := newWatcher(t, nil)
	for _, name := range []string{"a", "b", "a/s", "a/s/t", "a/s/t/x", "a/doc", "a/doc/f"} {
		w.add(m.path(name), name, watchAll&^unix.IN_CLOSE_WRITE)
	}
	m.store.apply(renamed(m.store, "/ovs/a/s/t/x", "/ovs/b/s/t/x", "/ovs/a/s/y", "/ovs/b/s/y"))
	w.pair("a/s MOVED_FROM,ISDIR", "b/s MOVED_TO,ISDIR")
	m.store.put(map[string]string{"/ovs/b/s/t/x": "5"})
	w.take("a/s/t/x MODIFY")
	if got := m.read("b/s/t/x"); got != "5\n" {
		t.Errorf("read %q", got)
	}
	m.store.put(map[string]string{"/ovs/b/s/t/new": "5"})
	w.take("a/s/t/new CREATE")
	m.store.apply(renamed(m.store, "/ovs/b/s/t/x", "/ovs/b/s/u/x", "/ovs/b/s/t/new", "/ovs/b/s/u/new"))
	w.pair("a/s/t MOVED_FROM,ISDIR", "a/s/u MOVED_TO,ISDIR")
	m.store.apply(renamed(m.store, "/ovs/a/doc", "/ovs/b/doc2"))
	w.pair("a/doc MOVED_FROM,ISDIR", "b/doc2 MOVED_TO,ISDIR")
	m.store.put(map[string]string{"/ovs/b/doc2": `{"f": {"g": 2}}`})
	w.take("a/doc/f/g MODIFY")
	m.store.del("/ovs/b/s/u/x", "/ovs/b/s/u/new", "/ovs/b/s/y")
	got := w.take("b/s DELETE,ISDIR")
	for _, want := range []string{"a/s/t/x DELETE", "a/s/t DELETE_SELF", "a/s/u DELETE,ISDIR", "a/s/y DELETE", "a/s DELETE_SELF"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if got := m.list("b"); !slices.Equal(got, []string{"doc2", "z"}) {
		t.Errorf("listed %q", got)
	}
}

// The kernel need not know where something is moved to, nor need that have been
// there, and what is left empty goes as it does in etcd.
func TestRenamedToWhereNobodyHasLooked(t *testing.T) {
	m := mountEvents(t, map[string]string{
		"/ovs/a/x": "11", "/ovs/a/keep": "1", "/ovs/a/t/y": "12", "/ovs/far/off/z": "3", "/ovs/only/one/w": "13",
	})
	w := newWatcher(t, nil)
	for _, name := range []string{"a", "a/x", "a/t", "only", "only/one", "only/one/w"} {
		w.add(m.path(name), name, watchAll&^unix.IN_CLOSE_WRITE)
	}
	m.store.put(map[string]string{"/ovs/a/keep": "2"})
	w.take("a/keep MODIFY")
	moved := func(from, self string) {
		t.Helper()
		w.take(self + " MOVE_SELF")
		if got := w.seenFrom(from); got == "" {
			t.Errorf("no %s MOVED_FROM", from)
		}
	}
	m.store.apply(renamed(m.store, "/ovs/a/x", "/ovs/far/off/x"))
	moved("a/x", "a/x")
	m.store.put(map[string]string{"/ovs/far/off/x": "21"})
	w.take("a/x MODIFY")
	if got := m.read("far/off/x"); got != "21\n" {
		t.Errorf("read %q", got)
	}
	m.store.apply(renamed(m.store, "/ovs/a/t/y", "/ovs/new/dir/t/y"))
	moved("a/t", "a/t")
	m.store.put(map[string]string{"/ovs/new/dir/t/y": "22"})
	w.take("a/t/y MODIFY")
	m.store.apply(renamed(m.store, "/ovs/only/one/w", "/ovs/a/w"))
	w.pair("only/one/w MOVED_FROM", "a/w MOVED_TO")
	w.take("only DELETE_SELF")
	m.store.put(map[string]string{"/ovs/a/w": "23"})
	w.take("only/one/w MODIFY")
	for dir, want := range map[string][]string{"": {"a", "far", "new"}, "a": {"keep", "w"}, "far/off": {"x", "z"}, "new/dir": {"t"}} {
		if got := m.list(dir); !slices.Equal(got, want) {
			t.Errorf("%s: listed %q", dir, got)
		}
	}
}
