package fs

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// exchanged is what etcd sees of an exchange that another mount has made.
func exchanged(t *testing.T, f *fakeStore, a, b string) (changes []mapping.Change) {
	t.Helper()
	plan, err := mapping.Rename(a, b, mapping.Exchange)(f.Tree())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range plan.Deletes {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: key}, Deleted: true})
	}
	for _, p := range plan.Puts {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: p.Key, Value: p.Value}})
	}
	return changes
}

// A file and a directory that have changed places keep their watches.
func TestExchangedElsewhere(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/doc": `{"f": {"g": 1}}`, "/ovs/e/s/x": "3", "/ovs/e/z": "4"})
	w := newWatcher(t, nil)
	for _, name := range []string{"d", "e", "d/a", "d/doc", "d/doc/f"} {
		w.add(m.path(name), name, watchAll&^unix.IN_CLOSE_WRITE)
	}
	for _, c := range []struct{ a, b string }{{"d/a", "d/doc"}, {"d/doc", "d/a"}, {"e/s", "d/a"}, {"d/a", "e/s"}} {
		m.store.apply(exchanged(t, m.store, c.a, c.b))
		var got []string
		await(t, "the events of an exchange", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			got = slices.Clone(w.events)
			n := 0
			for _, e := range got {
				if strings.Contains(e, " MOVED_") {
					n++
				}
			}
			return n == 4
		})
		for _, from := range []string{c.a, c.b} {
			k := slices.IndexFunc(got, func(e string) bool { return strings.HasPrefix(e, from+" MOVED_FROM") })
			if k < 0 {
				t.Fatalf("no MOVED_FROM of %s in %q", from, got)
			}
			what := strings.TrimPrefix(got[k], from+" MOVED_FROM")
			if to := map[string]string{c.a: c.b, c.b: c.a}[from] + " MOVED_TO" + what; !slices.Contains(got, to) {
				t.Errorf("no %q in %q", to, got)
			}
		}
		await(t, "all is repeated", m.s.echoes.idle)
		w.mu.Lock()
		w.events = nil
		w.mu.Unlock()
		m.settle()
		m.sameAsTree("d", "e", "d/doc", "d/a", "e/s")
	}
	// Who watches the inside of what was moved there and back still does.
	m.store.put(map[string]string{"/ovs/d/a": "7"})
	w.take("d/a MODIFY")
	m.store.put(map[string]string{"/ovs/d/doc": `{"f": {"g": 2}}`})
	w.take("d/doc/f/g MODIFY")
}

// Two files, and two directories of the same names, that have changed places
// are not told from two that were written: whoever watches one of them by its
// inode stays with its name.
func TestContentsExchangedElsewhere(t *testing.T) {
	values := map[string]string{"/ovs/d/a": "true", "/ovs/d/b": "false", "/ovs/d/s/on": "1", "/ovs/d/t/on": "2", "/ovs/d/s/x": "1", "/ovs/d/t/y/z": "6"}
	m := mountEvents(t, values)
	w := newWatcher(t, nil)
	for _, name := range []string{"d", "d/s", "d/t", "d/t/y"} {
		w.add(m.path(name), name, watchAll&^unix.IN_CLOSE_WRITE)
	}
	w.add(m.path("d/a"), "itself", watchAll&^unix.IN_CLOSE_WRITE)
	written := []mapping.Change{{KV: mapping.KV{Key: "/ovs/d/a", Value: []byte("false")}}, {KV: mapping.KV{Key: "/ovs/d/b", Value: []byte("true")}}}
	if got := exchanged(t, m.store, "d/a", "d/b"); !reflect.DeepEqual(got, written) {
		t.Errorf("etcd sees of an exchange %v, of two writes %v", got, written)
	}
	m.store.apply(written)
	w.take("d/b MODIFY")
	m.store.put(map[string]string{"/ovs/d/a": "true"})
	w.take("itself MODIFY")
	m.store.apply(exchanged(t, m.store, "d/s", "d/t"))
	w.take("d/t/on MODIFY")
	m.settle()
	await(t, "all is repeated", m.s.echoes.idle)
	m.sameAsTree("d", "d/s", "d/t")
}

// sameAsTree compares what the kernel has of directories with the tree.
func (m *mountedTest) sameAsTree(dirs ...string) {
	m.t.Helper()
	for _, dir := range dirs {
		n, _ := m.store.Tree().Lookup(dir)
		if info, err := os.Stat(m.path(dir)); err != nil || info.IsDir() != n.IsDir() {
			m.t.Errorf("stat %s: %v %v", dir, info, err)
		}
		if !n.IsDir() {
			continue
		}
		var want []string
		for c := range n.Children() {
			want = append(want, c.Name())
			name := dir + "/" + c.Name()
			if info, err := os.Stat(m.path(name)); err != nil || info.IsDir() != c.IsDir() {
				m.t.Errorf("stat %s: %v %v", name, info, err)
			} else if !c.IsDir() && m.read(name) != string(c.Content()) {
				m.t.Errorf("%s is not %q", name, c.Content())
			}
		}
		slices.Sort(want)
		if got := m.list(dir); !slices.Equal(got, want) {
			m.t.Errorf("%s lists %q, want %q", dir, got, want)
		}
	}
}
