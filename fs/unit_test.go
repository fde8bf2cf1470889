package fs

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// pairs are units of the directory "pairs": each has two fields from the beginning.
type pairs struct{}

func (pairs) is(path string) bool {
	return strings.HasPrefix(path, "pairs/") && strings.Count(path, "/") == 1
}

func (u pairs) Begin(path string, empty bool) mapping.Edit {
	if !u.is(path) {
		return nil
	}
	value := []byte(`{"a": 1, "b": 2}`)
	if empty {
		value = []byte("{}")
	}
	return func(*mapping.Tree) (mapping.Plan, error) {
		return mapping.Plan{Puts: []mapping.Put{{Key: "/ovs/" + path, Value: value}}}, nil
	}
}

func (u pairs) Remove(path string) mapping.Edit {
	if !u.is(path) {
		return nil
	}
	return func(*mapping.Tree) (mapping.Plan, error) { return mapping.Plan{Deletes: []string{"/ovs/" + path}}, nil }
}

func (u pairs) First(dir string) []string {
	if !u.is(dir) {
		return nil
	}
	return []string{"z", "b"}
}

func withPairs(o *Options) { o.Units = pairs{} }

func TestUnitIsMadeAndRemovedWhole(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/pairs/one": `{"a": 1}`, "/ovs/other/one": `{"a": 1}`}, withPairs)
	for _, name := range []string{"pairs/two", "pairs/.three"} {
		if err := os.Mkdir(m.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := m.read(name + "/b"); got != "2\n" {
			t.Errorf("%s/b is %q", name, got)
		}
	}
	if err := os.WriteFile(m.path("pairs/two/.b.swp"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(m.path("pairs/two"), m.path("pairs/.two")); err != nil {
		t.Errorf("a directory of the tree cannot move to a unit's name: %v", err)
	}
	for _, name := range []string{"pairs/.two", "pairs/.three", "pairs/one"} {
		if err := os.Remove(m.path(name)); err != nil {
			t.Error(err)
		}
	}
	if err := os.Remove(m.path("other/one")); err == nil {
		t.Error("an ordinary directory was removed with something in it")
	}
	if got := m.list("pairs"); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

// TestCopyFillsAUnit: cp takes a directory that it has made for empty.
func TestCopyFillsAUnit(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/pairs/one": `{"a": 1}`}, withPairs)
	from := t.TempDir()
	if err := os.WriteFile(from+"/a", []byte("7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-r", from, m.path("pairs/two")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := m.list("pairs/two"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q, want what was copied", got)
	}
}

// TestFirstInAListing: who removes what is listed begins with the unit's first names.
func TestFirstInAListing(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/pairs/one": `{"a": 1, "b": 2, "c": 3, "d": 4, "z": 5}`}, withPairs)
	dir, err := os.Open(m.path("pairs/one"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil || len(names) != 5 || !slices.Equal(names[:2], []string{"z", "b"}) {
		t.Errorf("%q, %v", names, err)
	}
}

// TestTreesOfOneRevision: what is shown may change without a new revision.
func TestTreesOfOneRevision(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a/one": `{"x": 1}`})
	if got := m.list("a"); len(got) != 1 {
		t.Fatal(got)
	}
	old := m.store.Tree()
	now, keys := old.Apply(old.Revision(), old.Root().Seen(), []mapping.Change{{KV: mapping.KV{Key: "/ovs/a/two", Value: []byte("2")}}})
	m.store.tree.Store(now)
	m.Shown(old, now, keys)
	m.settle()
	if got := m.read("a/two"); got != "2\n" {
		t.Errorf("%q", got)
	}
	if got := m.list("a"); len(got) != 2 {
		t.Errorf("%q", got)
	}
}
