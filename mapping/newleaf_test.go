package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestANewLeafGetsItsTypeFromItsText(t *testing.T) {
	for _, c := range []struct{ content, key, field string }{
		{"5\n", `5`, `5`},
		{"5", `5`, `5`},
		{"007\n", `"007"`, `"007"`},
		{"true\n", `true`, `true`},
		{"True\n", `"True"`, `"True"`},
		{"null\n", `null`, `null`},
		{"\"q\"\n", `"q"`, `"q"`},
		{"two words\n", `"two words"`, `"two words"`},
		{" 5\n", `" 5"`, `" 5"`},
		{"", `""`, `""`},
		{"\n", `""`, `""`},
		{"{\"a\":1}\n", `{"a":1}`, `{"a":1}`},
		{"{\n  \"a\": 1\n}\n", "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"},
		{"[]\n", `[]`, `[]`},
		{"{bad\n", `"{bad"`, `"{bad"`},
		{"a\nb\n", "a\nb\n", `"a\nb"`},
		{"a\nb", "a\nb", `"a\nb"`},
		{"5\n\n", `"5\n"`, `"5\n"`},
		{"\nnull", `"\nnull"`, `"\nnull"`},
		{"[g]\na = 1\n", "[g]\na = 1\n", `"[g]\na = 1"`},
	} {
		t.Run(fmt.Sprintf("%q", c.content), func(t *testing.T) {
			tree := treeOf(t, "/ovs/d/k", "1", "/ovs/doc", `{"k": 1}`)
			tree, _ = commit(t, tree, write("d/new", c.content))
			tree, _ = commit(t, tree, write("doc/new", c.content))
			sameStored(t, tree, "d/k=1", "d/new="+c.key, `doc={"k": 1, "new": `+c.field+`}`)
		})
	}
	t.Run("binary", func(t *testing.T) {
		tree, _ := commit(t, treeOf(t), write("bin", "a\x00\xff\n"))
		sameStored(t, tree, "bin=a\x00\xff\n")
		refused(t, treeOf(t, "/ovs/doc", "{}"), write("doc/bin", "\xff"), Invalid)
	})
	t.Run("marked raw", func(t *testing.T) {
		tree, _ := commit(t, treeOf(t), write("x.ini", "{\"a\": 1}\n"))
		sameStored(t, tree, "x.ini={\"a\": 1}\n")
	})
	t.Run("in directories that are not there yet", func(t *testing.T) {
		tree, _ := commit(t, treeOf(t), write("a/b/c", "1\n"))
		sameStored(t, tree, "a/b/c=1")
	})
}

func TestANewFieldLooksLikeItsNeighbours(t *testing.T) {
	for _, c := range []struct{ doc, path, want string }{
		{`{}`, "x", `{"x": 1}`},
		{` { } `, "x", ` {"x": 1} `},
		{`{"a":1}`, "x", `{"a":1,"x":1}`},
		{`{"a": 1}`, "x", `{"a": 1, "x": 1}`},
		{`{ "a": 1 }`, "x", `{ "a": 1, "x": 1 }`},
		{`{"a": 1,"b": 2}`, "x", `{"a": 1,"b": 2,"x": 1}`},
		{"{\n  \"a\" : 1\n}", "x", "{\n  \"a\" : 1,\n  \"x\" : 1\n}"},
		{"{\r\n\t\"a\": 1\r\n}\r\n", "x", "{\r\n\t\"a\": 1,\r\n\t\"x\": 1\r\n}\r\n"},
		{"{\n    \"a\": {}\n}", "a/x", "{\n    \"a\": {\n        \"x\": 1\n    }\n}"},
		{"{\n    \"a\": {\n        \"b\": []\n    }\n}", "a/b/0", "{\n    \"a\": {\n        \"b\": [\n            1\n        ]\n    }\n}"},
		{"{\n    \"a\": [26400]\n}", "a/1", "{\n    \"a\": [26400, 1]\n}"},
		{`{"a":{}}`, "a/x", `{"a":{"x":1}}`},
		{`{"a":[0]}`, "a/1", `{"a":[0,1]}`},
		{`{"a":[]}`, "a/0", `{"a":[1]}`},
		{`[]`, "0", `[1]`},
		{`[0]`, "1", `[0, 1]`},
		{`[0,0]`, "2", `[0,0,1]`},
		{`[[0,0],[]]`, "1/0", `[[0,0],[1]]`},
		{`{"a": 1}`, "é%2F%25", `{"a": 1, "é/%": 1}`},
		{`{"a": 1}`, "%empty", `{"a": 1, "": 1}`},
		{`{"a": 1}`, "q\"", `{"a": 1, "q\"": 1}`},
		{"{\"a\": 1, \"a\": \"\xff\"}", "x", "{\"a\": 1, \"a\": \"\xff\", \"x\": 1}"},
	} {
		t.Run(c.doc, func(t *testing.T) {
			tree, _ := commit(t, treeOf(t, "/ovs/d", c.doc), write("d/"+c.path, "1\n"))
			sameStored(t, tree, "d="+c.want)
			// And back.
			tree, _ = commit(t, tree, Remove("d/"+c.path))
			want := strings.Replace(c.doc, "{ }", "{}", 1)
			sameStored(t, tree, "d="+want)
		})
	}
}

func TestANewLeafGetsTheTypeThatIsKnown(t *testing.T) {
	tree, err := NewTree(Settings{Prefix: "/ovs", TypeOf: func(path string) Type {
		_, name := splitPath(path)
		return map[string]Type{"n": Number, "s": String, "r": Raw, "o": Object, "l": Array}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	tree = put(tree, 1, "/ovs/d", "{}")
	for _, edit := range []Edit{write("s", "5\n"), write("r", "5\n"), write("n", ""), Mkdir("o"), Mkdir("l"), Mkdir("d/l"),
		write("d/s", "5\n"), write("d/r", "5\n"), write("d/n", "5\n"), write("l/0", "5\n"), write("d/x", "5\n")} {
		tree, _ = commit(t, tree, edit)
	}
	sameStored(t, tree, `d={"l": [], "s": "5", "r": 5, "n": 5, "x": 5}`, "l=[5]", `n=""`, "o={}", "r=5\n", `s="5"`)
	refused(t, tree, write("k/n", "text\n"), Invalid)
	refused(t, tree, Mkdir("k"), NotSupported)
	for path, want := range map[string]bool{"k/n": true, "k/s": false, "k/r": false, "k/x": false} {
		if got := OneLine(tree, path); got != want {
			t.Errorf("OneLine(%s) = %v", path, got)
		}
	}
}
