package mapping

import (
	"errors"
	"strings"
	"testing"
)

// copyAll copies a directory as cp -a does: files with their attributes as they
// are listed, and a directory's own attributes when all is in it.
func copyAll(t *testing.T, tree *Tree, from, to string) *Tree {
	t.Helper()
	n, _ := tree.Lookup(from)
	text, exact := n.Text()
	if !n.IsDir() {
		o := WriteOptions{Type: n.Type(), NoNewline: n.Type() == Raw && n.Newline(), MustNotExist: true}
		if exact {
			o.Text = text
		}
		tree, _ = commit(t, tree, Write(to, n.Content(), o))
		return tree
	}
	plan, err := Mkdir(to)(tree)
	switch {
	case err == nil:
		tree = applyPlan(t, tree, plan)
	case !errors.Is(err, ErrLocalDirectory):
		t.Fatal(err)
	}
	for child := range n.Children() {
		tree = copyAll(t, tree, joinPath(from, child.Name()), joinPath(to, child.Name()))
	}
	if n.Type() == Directory {
		return tree
	}
	if made, ok := tree.Lookup(to); !ok { // a local directory
		tree, _ = commit(t, tree, Write(to, emptyOf(n.Type()), WriteOptions{Type: n.Type()}))
	} else if made.Type() != n.Type() {
		tree, _ = commit(t, tree, SetType(to, n.Type()))
	}
	if exact {
		tree, _ = commit(t, tree, SetText(to, text))
	}
	return tree
}

func TestACopyRestoresEveryByte(t *testing.T) {
	tree := treeOf(t,
		"/ovs/from/doc", "{\n    \"z\" : [1.50, [], {}, [\"a\", null]],\n\t\"a\":\"\\u00e9\\/\", \"o\": {\"x\": \"true\"}\n}\n",
		"/ovs/from/dup", `{"a": 1, "b": {"": 2}}`,
		"/ovs/from/list", "[ 1,\"2\",  {\"a\":[[]]}]",
		"/ovs/from/empty", "{ }", "/ovs/from/none", "[]",
		"/ovs/from/d/s", `"5"`, "/ovs/from/d/n", "5", "/ovs/from/d/spaced", " \"x\\/\"\n", "/ovs/from/d/t", "true", "/ovs/from/d/z", "null", "/ovs/from/d/e", `""`,
		"/ovs/from/d/raw", "no newline", "/ovs/from/d/own", "its own\n", "/ovs/from/d/bin", "\x00\xff", "/ovs/from/d/x.ini", "{\"a\": 1}", "/ovs/from/d/lines", `"a\nb\n"`,
		"/ovs/from/long.json", `{"k": 1}`, "/ovs/from/%", "1", "/ovs/from//x", "2")
	got := stored(copyAll(t, tree, "from", "to"))
	var want []string
	for _, line := range got {
		if rest, ok := strings.CutPrefix(line, "from/"); ok {
			want = append(want, "to/"+rest)
		}
	}
	for i, line := range want {
		if got[len(want)+i] != line {
			t.Errorf("copied %q, want %q", got[len(want)+i], line)
		}
	}
}
