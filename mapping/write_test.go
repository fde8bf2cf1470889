package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestWriteToALeaf(t *testing.T) {
	const doc = "{\n    \"port\" :  8500,\n    \"n\": 1.50, \"s\": \"x\\/y\\u00e9\", \"b\":true,\n\t\"z\": null, \"e\": \"\"\r\n}\n"
	edited := func(from, to string) string { return strings.Replace(doc, from, to, 1) }
	for _, c := range []struct{ path, content, want string }{
		{"a/port", "9\n", edited("8500", "9")},
		{"a/port", "9", edited("8500", "9")},
		{"a/port", "-1.5E+3\n", edited("8500", "-1.5E+3")},
		{"a/port", "8500\n", doc},
		{"a/port", "8500", doc},
		{"a/n", "1.5\n", edited("1.50", "1.5")},
		{"a/s", "x/yé\n", doc}, // the stored escapes stay
		{"a/s", "x/yé", doc},
		{"a/s", "q\"\\\t\x01/é\u2028\n", edited(`"x\/y\u00e9"`, `"q\"\\\t\u0001/é`+"\u2028"+`"`)},
		{"a/s", "two\nlines\n", edited(`"x\/y\u00e9"`, `"two\nlines"`)},
		{"a/s", "two\n\n", edited(`"x\/y\u00e9"`, `"two\n"`)},
		{"a/s", "", edited(`"x\/y\u00e9"`, `""`)},
		{"a/s", "\n", edited(`"x\/y\u00e9"`, `""`)},
		{"a/s", "12\n", edited(`"x\/y\u00e9"`, `"12"`)},
		{"a/e", "", doc},
		{"a/e", "\n", doc},
		{"a/b", "False\n", edited("true", "false")},
		{"a/b", "True", doc},
		{"a/z", "null\n", doc},
		{"a/z", "5\n", edited("null", "5")},
		{"a/z", "text\n", edited("null", `"text"`)},
		{"a/z", "a\nb\n", edited("null", `"a\nb"`)},
		{"a/z", "[1, 2]\n", edited("null", "[1, 2]")},
	} {
		t.Run(fmt.Sprintf("%s=%q", c.path, c.content), func(t *testing.T) {
			tree, plan := commit(t, treeOf(t, "/ovs/a", doc), write(c.path, c.content))
			sameStored(t, tree, "a="+c.want)
			if c.want == doc != plan.Empty() {
				t.Errorf("plan is %+v", plan)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	tree := treeOf(t, "/ovs/a", `{"n": 1, "b": true, "s": "x", "l": [1, {}], "o": {}}`, "/ovs/k/n", "5", "/ovs/k/s", `"x"`)
	for _, c := range []struct {
		path, content string
		kind          Kind
	}{
		{"a/n", "abc\n", Invalid},
		{"a/n", "", Invalid},
		{"a/n", " 1\n", Invalid},
		{"a/n", "01\n", Invalid},
		{"a/n", "1\n\n", Invalid},
		{"a/n", "\"1\"\n", Invalid},
		{"a/n", "1 2\n", Invalid},
		{"a/b", "yes\n", Invalid},
		{"a/b", "TRUE\n", Invalid},
		{"a/b", "", Invalid},
		{"a/s", "\xff\n", Invalid},
		{"k/n", "abc\n", Invalid},
		{"k/s", "\xff", Invalid},
		{"a", "x", IsDirectory},
		{"a/o", "x", IsDirectory},
		{"k", "x", IsDirectory},
		{"", "x", IsDirectory},
		{"a/n/x", "x", NotDirectory},
		{"k/n/x", "x", NotDirectory},
		{"k/n/x/y", "x", NotDirectory},
		{"a/no/x", "x", NotFound},
		{"a/l/3", "x", Invalid},
		{"a/l/02", "x", Invalid},
		{"a/l/name", "x", Invalid},
		{"a/x%", "x", Invalid},
		{"a/%2f", "x", Invalid},
		{"a/x%json", "x", Invalid},
		{"a/n%dup1", "x", Invalid},
		{"a/.value", "x", Invalid},
		{"a/\xff", "x", Invalid},
		{"k/x%", "x", Invalid},
		{"a/" + strings.Repeat("x", 256), "x", NameTooLong},
		{"k/" + strings.Repeat("x", 256), "x", NameTooLong},
	} {
		t.Run(fmt.Sprintf("%.20s=%q", c.path, c.content), func(t *testing.T) {
			refused(t, tree, write(c.path, c.content), c.kind)
			if err := Check(tree, c.path, []byte(c.content), WriteOptions{}); KindOf(err) != c.kind {
				t.Errorf("Check says %v", err)
			}
		})
	}
}

func TestRawValuesKeepTheirNewline(t *testing.T) {
	for _, c := range []struct{ stored, content, want string }{
		{"one line", "other line\n", "other line"},
		{"one line", "other line", "other line"},
		{"one line", "one line\n", "one line"},
		{"own newline\n", "other\n", "other\n"},
		{"own newline\n", "other", "other"},
		{"own newline\n", "own newline\n", "own newline\n"},
		{"\x00bin", "\x00b\n", "\x00b\n"},
		{"", "x\n", "x\n"},
		{"a\r\nb\r\n", "a\r\n", "a\r\n"},
	} {
		t.Run(fmt.Sprintf("%q", c.stored), func(t *testing.T) {
			tree, _ := commit(t, treeOf(t, "/ovs/x.ini", c.stored), write("x.ini", c.content))
			sameStored(t, tree, "x.ini="+c.want)
		})
	}
}

func TestWriteOptions(t *testing.T) {
	tree := treeOf(t, "/ovs/a", `{"s": "x", "n": 1}`, "/ovs/r", "no json")
	with := func(path, content string, o WriteOptions) Edit { return Write(path, []byte(content), o) }

	t.Run("a copied type", func(t *testing.T) {
		next, _ := commit(t, tree, with("a/new", "5\n", WriteOptions{Type: String}))
		next, _ = commit(t, next, with("b", "5\n", WriteOptions{Type: String}))
		next, _ = commit(t, next, with("c", "no\n", WriteOptions{Type: Raw, NoNewline: true}))
		next, _ = commit(t, next, with("a/raw", "no\n", WriteOptions{Type: Raw}))
		next, _ = commit(t, next, with("a/s", "6\n", WriteOptions{Type: Number}))
		next, _ = commit(t, next, with("r", "null\n", WriteOptions{Type: Null}))
		sameStored(t, next, `a={"s": 6, "n": 1, "new": "5", "raw": "no"}`, `b="5"`, "c=no", "r=null")
		refused(t, tree, with("b", "x\n", WriteOptions{Type: Number}), Invalid)
		refused(t, tree, with("b", "x\n", WriteOptions{Type: Object}), Invalid)
		refused(t, tree, with("b", "x\n", WriteOptions{Type: "no such"}), Invalid)
	})
	t.Run("exists or not", func(t *testing.T) {
		refused(t, tree, with("a/s", "y", WriteOptions{MustNotExist: true}), Exists)
		refused(t, tree, with("a/x", "y", WriteOptions{MustExist: true}), NotFound)
		refused(t, tree, with("x", "y", WriteOptions{MustExist: true}), NotFound)
	})
	t.Run("stale", func(t *testing.T) {
		read := WriteOptions{HasBase: true, Base: []byte("older\n")}
		refused(t, tree, with("a/s", "y\n", read), Stale)
		refused(t, tree, with("r", "y\n", read), Stale)
		refused(t, tree, with("gone", "y\n", read), Stale)
		refused(t, tree, with("a/gone", "y\n", read), Stale)
		if _, plan := commit(t, tree, with("a/s", "x\n", read)); !plan.Empty() {
			t.Errorf("what is there already is written: %+v", plan)
		}
		next, _ := commit(t, tree, with("a/s", "y\n", WriteOptions{HasBase: true, Base: []byte("x\n")}))
		sameStored(t, next, `a={"s": "y", "n": 1}`, "r=no json")
	})
	t.Run("like what was there", func(t *testing.T) {
		tree := treeOf(t, "/ovs/a", `{"s": "1", "n": 1, "z": 2}`, "/ovs/r", "no json", "/ovs/k", `"5"`)
		for _, path := range []string{"a/s", "a/n", "a/z", "r", "k"} {
			like := ShapeOf(tree, path)
			gone, _ := commit(t, tree, Remove(path))
			node, _ := tree.Lookup(path)
			back, _ := commit(t, gone, with(path, string(node.Content()), WriteOptions{Like: like}))
			sameStored(t, back, stored(tree)...)
			if path == "a/n" {
				back, _ = commit(t, gone, with(path, "text\n", WriteOptions{Like: like}))
				sameStored(t, back, `a={"s": "1", "n": "text", "z": 2}`, `k="5"`, "r=no json")
			}
		}
		if ShapeOf(tree, "a") != nil || ShapeOf(tree, "none") != nil {
			t.Error("a directory or nothing has a shape")
		}
	})
}

func TestOneLine(t *testing.T) {
	tree := treeOf(t, "/ovs/a", `{"n": 1, "s": "x", "e": "", "m": "x\ny", "o": {}, "z": null}`, "/ovs/r", "raw text")
	for path, want := range map[string]bool{
		"a/n": true, "a/s": true, "a/e": true, "a/z": true,
		"a/m": false, "a/o": false, "a": false, "r": false, "new": false, "a/new": false,
	} {
		if got := OneLine(tree, path); got != want {
			t.Errorf("OneLine(%s) = %v", path, got)
		}
	}
}

func TestAKeyThatIsADirectoryToo(t *testing.T) {
	tree := treeOf(t, "/ovs/a", "5", "/ovs/a/b", `"x"`, "/ovs/d", `{"f": 1, "k": 2}`, "/ovs/d/k", "3", "/ovs/p/q", "4", "/ovs/l", "[7]", "/ovs/l/k", "8")
	tree, _ = commit(t, tree, write("a/.value", "6\n"))
	tree, _ = commit(t, tree, write("d/k", "30\n"))
	tree, _ = commit(t, tree, write("d/k%json", "20\n"))
	tree, _ = commit(t, tree, write("d/new", "new\n"))
	tree, _ = commit(t, tree, write("p/.value", "own\n"))
	tree, _ = commit(t, tree, write("l/1", "9\n"))
	tree, _ = commit(t, tree, write("l/name", "10\n"))
	sameStored(t, tree, "a=6", `a/b="x"`, `d={"f": 1, "k": 20, "new": "new"}`, "d/k=30", "l=[7, 9]", "l/k=8", "l/name=10", `p="own"`, "p/q=4")
	tree, _ = commit(t, tree, Remove("a/.value"))
	tree, _ = commit(t, tree, Remove("d/k"))
	sameStored(t, tree, `a/b="x"`, `d={"f": 1, "k": 20, "new": "new"}`, "l=[7, 9]", "l/k=8", "l/name=10", `p="own"`, "p/q=4")
}

func TestExactTreesStoreWhatIsWritten(t *testing.T) {
	tree, err := NewTree(Settings{Prefix: "/ovs", Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	tree = put(tree, 1, "/ovs/a", `{"s": "x\n", "n": 1}`, "/ovs/r.ini", "no newline")
	for _, c := range []struct{ path, content string }{{"a/s", "y\n"}, {"a/s", "y"}, {"a/n", "2"}, {"r.ini", "z\n"}, {"new", "text\n"}, {"r.ini", "z"}} {
		tree, _ = commit(t, tree, write(c.path, c.content))
		if node, _ := tree.Lookup(c.path); string(node.Content()) != c.content {
			t.Errorf("%s reads %q after %q was written", c.path, node.Content(), c.content)
		}
	}
}

func TestNothingGetsTooDeep(t *testing.T) {
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	path := "d" + strings.Repeat("/0", maxDepth-1)
	tree := treeOf(t, "/ovs/d", deep, "/ovs/n", `[null]`)
	refused(t, tree, Mkdir(path+"/0"), Invalid)
	refused(t, tree, write(path+"/0", "[]\n"), Invalid)
	refused(t, tree, write("n/0", deep), Invalid)
	refused(t, tree, write("n/1", deep), Invalid)
	tree, _ = commit(t, tree, write(path+"/0", "1\n"))
	if node, ok := tree.Lookup(path + "/0"); !ok || string(node.Content()) != "1\n" {
		t.Error("the deepest element cannot be written")
	}
}
