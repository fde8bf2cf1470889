package mapping

import "testing"

// holdChangedChild compares what ChangedChild says of each container of two states of a
// value with a comparison of all entries, and counts the times that it can tell.
func holdChangedChild(t *testing.T, old, v *value) (told int) {
	t.Helper()
	if old.doc.Load() == nil || v.doc.Load() == nil {
		if _, ok := (Node{value: v}).ChangedChild(Node{value: old}); ok {
			t.Fatalf("%q after %q: told without a table", v.text(), old.text())
		}
		return 0
	}
	for i := range min(len(old.document().fields), len(v.document().fields)) {
		was, is := Node{value: old, at: int32(i)}, Node{value: v, at: int32(i)}
		name, ok := is.ChangedChild(was)
		if !ok {
			continue
		}
		told++
		if was.Len() != is.Len() {
			t.Fatalf("%q after %q: %d entries, before %d", v.text(), old.text(), is.Len(), was.Len())
		}
		found := false
		for child := range is.Children() {
			before, ok := was.Lookup(child.Name())
			found = found || child.Name() == name
			if same := ok && before.Same(child); !same && child.Name() != name {
				t.Fatalf("%q after %q: told that %q changed, and %q did", v.text(), old.text(), name, child.Name())
			}
		}
		if !found {
			t.Fatalf("%q after %q: there is no %q", v.text(), old.text(), name)
		}
	}
	return told
}

func TestChangedChild(t *testing.T) {
	old := treeOf(t, "/ovs/d", `{"a": 1, "b": {"c": ["x", "y"], "e": 0}, "f": 2}`, "/ovs/d/key", "1", "/ovs/e", `{"a": 1, "b": {"c": ["x", "y"], "e": 0}, "f": 2}`)
	look := func(tree *Tree, path string) Node {
		n, ok := tree.Lookup(path)
		if !ok {
			t.Fatalf("no %s", path)
		}
		n.Len() // somebody has looked into it
		return n
	}
	look(old, "d")
	look(old, "e")
	one := put(old, 2, "/ovs/e", `{"a": 1, "b": {"c": ["x", "new"], "e": 0}, "f": 2}`)
	for path, want := range map[string]string{"e": "b", "e/b": "c", "e/b/c": "1"} {
		if got, ok := look(one, path).ChangedChild(look(old, path)); !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", path, got, ok, want)
		}
	}
	two := put(old, 2, "/ovs/e", `{"a": 5, "b": {"c": ["x", "new"], "e": 0}, "f": 2}`)
	beside := put(old, 2, "/ovs/d", `{"a": 5, "b": {"c": ["x", "y"], "e": 0}, "f": 2}`)
	for name, test := range map[string]struct {
		tree *Tree
		path string
	}{"two fields": {two, "e"}, "keys beside fields": {beside, "d"}, "nothing that is within": {put(one, 3, "/ovs/e", `{"a": 1, "b": {"c": ["x", "new"], "e": 0}, "f": 9}`), "e/b"}} {
		before := old
		if name == "nothing that is within" {
			before = one
		}
		if got, ok := look(test.tree, test.path).ChangedChild(look(before, test.path)); ok {
			t.Errorf("%s: told that it is %q", name, got)
		}
	}
}
