package mapping

import (
	"errors"
	"fmt"
	"testing"
)

func TestRemoveTakesTheCommaAndTheLine(t *testing.T) {
	for _, c := range []struct{ doc, path, want string }{
		{`{"a": 1, "b": 2, "c": 3}`, "a", `{"b": 2, "c": 3}`},
		{`{"a": 1, "b": 2, "c": 3}`, "b", `{"a": 1, "c": 3}`},
		{`{"a": 1, "b": 2, "c": 3}`, "c", `{"a": 1, "b": 2}`},
		{`{"a": 1}`, "a", `{}`},
		{"{\n    \"a\": 1,\n    \"b\": 2\n}\n", "a", "{\n    \"b\": 2\n}\n"},
		{"{\n    \"a\": 1,\n    \"b\": 2\n}\n", "b", "{\n    \"a\": 1\n}\n"},
		{"{\n    \"a\": 1\n}\n", "a", "{}\n"},
		{`{"a": {"x": [1]}}`, "a/x/0", `{"a": {"x": []}}`},
		{`{"a": {"x": {}}}`, "a/x", `{"a": {}}`},
		{`[1, 2, 3]`, "2", `[1, 2]`},
		{`[[], [], [[]]]`, "2/0", `[[], [], []]`},
		{`{"a": 1, "a": 2, "a": 3}`, "a", `{"a": 1, "a": 2}`},
		{`{"a": 1, "a": 2, "a": 3}`, "a%dup1", `{"a": 2, "a": 3}`},
		{`{"a": 1, "a": 2, "a": 3}`, "a%dup2", `{"a": 1, "a": 3}`},
		{"{\"b\": \"\xff\", \"a\": \"}],{\\\"\", \"c\": \"\xfe\"}", "a", "{\"b\": \"\xff\", \"c\": \"\xfe\"}"},
	} {
		t.Run(c.doc+" "+c.path, func(t *testing.T) {
			tree, _ := commit(t, treeOf(t, "/ovs/d", c.doc), Remove("d/"+c.path))
			sameStored(t, tree, "d="+c.want)
		})
	}
}

func TestRemoveAndMkdirRefuse(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a": [1, [2], {}], "o": {"x": 1}, "e": {}, "s": "x"}`, "/ovs/k/s", "5")
	for _, c := range []struct {
		name string
		edit Edit
		kind Kind
	}{
		{"the middle of an array", Remove("d/a/0"), Busy},
		{"a directory", Remove("d/o"), IsDirectory},
		{"a directory of keys", Remove("k"), IsDirectory},
		{"nothing", Remove("d/none"), NotFound},
		{"the root", Remove(""), NotPermitted},
		{"rmdir of a full one", RemoveDir("d/o"), NotEmpty},
		{"rmdir of keys", RemoveDir("k"), NotEmpty},
		{"rmdir of a file", RemoveDir("d/s"), NotDirectory},
		{"rmdir of nothing", RemoveDir("none"), NotFound},
		{"rmdir of the root", RemoveDir(""), NotPermitted},
		{"rmdir within an array", RemoveDir("d/a/1"), NotEmpty},
		{"mkdir over a file", Mkdir("d/s"), Exists},
		{"mkdir over a directory", Mkdir("d/o"), Exists},
		{"mkdir of the root", Mkdir(""), Exists},
		{"mkdir in a file", Mkdir("d/s/x"), NotDirectory},
		{"mkdir of a name in an array", Mkdir("d/a/x"), Invalid},
		{"mkdir in nothing in a document", Mkdir("d/none/x"), NotFound},
		{"mkdir next to keys", Mkdir("k/x"), NotSupported},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, tree, c.edit, c.kind) })
	}
	if _, err := Mkdir("k/x")(tree); !errors.Is(err, ErrLocalDirectory) {
		t.Errorf("mkdir next to keys answers %v, want ErrLocalDirectory in it", err)
	}
}

func TestMkdirAndRmdirInADocument(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a": [1]}`, "/ovs/e", "{}", "/ovs/f", "[]")
	tree, _ = commit(t, tree, Mkdir("d/new"))
	tree, _ = commit(t, tree, Mkdir("d/a/1"))
	tree, _ = commit(t, tree, Mkdir("d/a/1/x"))
	sameStored(t, tree, `d={"a": [1, {"x": {}}], "new": {}}`, "e={}", "f=[]")
	for _, path := range []string{"d/new", "d/a/1/x", "d/a/1", "e", "f"} {
		tree, _ = commit(t, tree, RemoveDir(path))
	}
	sameStored(t, tree, `d={"a": [1]}`)
}

// rm -r lists a directory and removes each entry in the order of the listing.
func TestRemovingAllThatIsListed(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a": [[1, 2], {"x": [3, {}]}, 4], "a": {"q": 1}, "a": 5, "c": 6, "c": 7, "b": {"c": {}}}`, "/ovs/d/k", "1", "/ovs/d/b", "2", "/ovs/k", "3", "/ovs/k/x", "2", "/ovs/r", "raw")
	var removeAll func(n Node, path string)
	removeAll = func(n Node, path string) {
		var names []string
		for child := range n.Children() {
			names = append(names, child.Name())
		}
		for _, name := range names {
			at := joinPath(path, name)
			child, ok := tree.Lookup(at)
			if !ok {
				t.Fatalf("%s is gone before it was removed", at)
			}
			edit := Remove(at)
			if child.IsDir() {
				removeAll(child, at)
				if _, ok := tree.Lookup(at); !ok {
					continue // the last key took its directory with it
				}
				edit = RemoveDir(at)
			}
			tree, _ = commit(t, tree, edit)
		}
	}
	removeAll(tree.Root(), "")
	sameStored(t, tree)
}

func TestArraysGrowAndShrinkAtTheEnd(t *testing.T) {
	tree := treeOf(t, "/ovs/l", "[]")
	want := "[]"
	for i := range 12 {
		tree, _ = commit(t, tree, write(fmt.Sprintf("l/%d", i), fmt.Sprintln(i)))
	}
	for i := 11; i >= 0; i-- {
		if i > 0 {
			refused(t, tree, Remove("l/0"), Busy)
		}
		tree, _ = commit(t, tree, write("l/0", "7\n"))
		tree, _ = commit(t, tree, Remove(fmt.Sprintf("l/%d", i)))
	}
	sameStored(t, tree, "l="+want)
}
