package mapping

import (
	"fmt"
	"testing"
)

func TestSetTypeOfALeaf(t *testing.T) {
	for _, c := range []struct {
		stored string
		to     Type
		want   string // empty: refused
	}{
		{`5`, String, `"5"`},
		{` 5.10 `, String, ` "5.10" `},
		{`"5.10"`, Number, `5.10`},
		{`"x"`, Number, ``},
		{`true`, String, `"true"`},
		{`"True"`, Boolean, `true`},
		{`1`, Boolean, ``},
		{`""`, Null, `null`},
		{`"x"`, Null, ``},
		{`null`, String, `"null"`},
		{`"{\"a\": 1}"`, Object, `{"a": 1}`},
		{`"[1]"`, Array, `[1]`},
		{`"[1]"`, Object, ``},
		{`""`, Object, `{}`},
		{`""`, Array, `[]`},
		{`5`, Object, ``},
		{`5`, Directory, ``},
		{`5`, "no such", ``},
		{`5`, Number, `5`},
		{`"x"`, Raw, `x`},
		{`"a\nb"`, Raw, "a\nb"},
		{`"5"`, Raw, ``}, // would read as a number
		{`5`, Raw, ``},
		{"x", String, `"x"`},
		{"a\nb\n", String, `"a\nb"`},
		{"\xff", String, ``},
		{"x", Number, ``},
		{"", String, `""`},
	} {
		t.Run(fmt.Sprintf("%q to %s", c.stored, c.to), func(t *testing.T) {
			tree := treeOf(t, "/ovs/k", c.stored)
			if c.want == "" {
				refused(t, tree, SetType("k", c.to), Invalid)
				return
			}
			before, _ := tree.Lookup("k")
			next, _ := commit(t, tree, SetType("k", c.to))
			sameStored(t, next, "k="+c.want)
			after, _ := next.Lookup("k")
			if after.Type() != c.to {
				t.Errorf("the type is %s", after.Type())
			}
			if !after.IsDir() && c.to != Null && c.to != Boolean && string(before.Content()) != string(after.Content()) {
				t.Errorf("it read %q and reads %q", before.Content(), after.Content())
			}
		})
	}
}

func TestSetTypeOfAField(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a" : 1, "l": ["x"], "o": {}}`)
	next, _ := commit(t, tree, SetType("d/a", String))

	sameStored(t, next, `d={"a" : "1", "l": ["x"], "o": {}}`)
}

func TestFoldAndUnfold(t *testing.T) {
	tree := treeOf(t, "/ovs/d/a", "1", "/ovs/d/doc", `{"x": [1.0]}`, "/ovs/d/r", "x\ny\n", "/ovs/d/s/t", `"q\/"`, "/ovs/d-", "2")
	folded, plan := commit(t, tree, SetType("d", Object))
	sameStored(t, folded, "d={\n    \"a\": 1,\n    \"doc\": {\n        \"x\": [\n            1.0\n        ]\n    },\n    \"r\": \"x\\ny\\n\",\n    \"s\": {\n        \"t\": \"q\\/\"\n    }\n}", "d-=2")
	if len(plan.Guards) != 5 {
		t.Errorf("guards are %v", plan.Guards)
	}
	unfolded, _ := commit(t, folded, SetType("d", Directory))
	sameStored(t, unfolded, "d-=2", "d/a=1", "d/doc={\n        \"x\": [\n            1.0\n        ]\n    }", `d/r="x\ny\n"`, "d/s={\n        \"t\": \"q\\/\"\n    }")
	again, _ := commit(t, unfolded, SetType("d", Object))
	if node, _ := again.Lookup("d/s/t"); string(node.Content()) != "q/\n" {
		t.Errorf("d/s/t reads %q", node.Content())
	}

	array, _ := commit(t, treeOf(t, "/ovs/l", `[{"a": 1}, 2]`), SetType("l", Directory))
	sameStored(t, array, `l/0={"a": 1}`, "l/1=2")
	both, _ := commit(t, treeOf(t, "/ovs/l", `{"a.ini": "x", "": 2}`, "/ovs/l/k", "3"), SetType("l", Directory))
	sameStored(t, both, "l/=2", "l/a.ini=x", "l/k=3")
}

func TestObjectsAndArrays(t *testing.T) {
	tree := treeOf(t, "/ovs/d", "{\n  \"o\": {\n    \"1\": \"b\",\n    \"0\" : 1.0\n  },\n  \"e\": { }\n}", "/ovs/l", `[1,{}]`, "/ovs/k/0", `"x"`, "/ovs/k/1/y", "2", "/ovs/e", "{}")
	next, _ := commit(t, tree, SetType("d/o", Array))
	next, _ = commit(t, next, SetType("d/e", Array))
	next, _ = commit(t, next, SetType("l", Object))
	next, _ = commit(t, next, SetType("k", Array))
	next, _ = commit(t, next, SetType("e", Array))
	sameStored(t, next, "d={\n  \"o\": [\n    1.0,\n    \"b\"\n  ],\n  \"e\": [ ]\n}", "e=[]",
		"k=[\n    \"x\",\n    {\n        \"y\": 2\n    }\n]", `l={"0": 1,"1": {}}`)
	next, _ = commit(t, next, SetType("d/o", Object))
	sameStored(t, next, "d={\n  \"o\": {\n    \"0\": 1.0,\n    \"1\": \"b\"\n  },\n  \"e\": [ ]\n}", "e=[]",
		"k=[\n    \"x\",\n    {\n        \"y\": 2\n    }\n]", `l={"0": 1,"1": {}}`)
	for _, doc := range []string{`{"1": 0}`, `{"a": 0}`, `{"0": 0, "00": 1}`, `{"0": 0, "0": 1}`, `{"-0": 0}`} {
		refused(t, treeOf(t, "/ovs/d", doc), SetType("d", Array), Invalid)
	}
}

func TestFoldAndUnfoldRefuse(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
		path string
		to   Type
		kind Kind
	}{
		{"nothing", nil, "d", Object, NotFound},
		{"a binary value", []string{"/ovs/d/a", "\xff"}, "d", Object, Invalid},
		{"a name that is no UTF-8", []string{"/ovs/d/\xff", "1"}, "d", Object, Invalid},
		{"a value of its own", []string{"/ovs/d/a", "1", "/ovs/d", "2"}, "d", Object, Invalid},
		{"a directory marked raw", []string{"/ovs/d.raw/a", "1"}, "d.raw", Object, Invalid},
		{"into an array", []string{"/ovs/d/1", "1"}, "d", Array, Invalid},
		{"the root", []string{"/ovs/d/0", "1"}, "", Object, NotPermitted},
		{"a part of a document", []string{"/ovs/d", `{"o": {"x": 1}}`}, "d/o", Directory, Invalid},
		{"an empty document", []string{"/ovs/d", `{}`}, "d", Directory, Invalid},
		{"a slash in a name", []string{"/ovs/d", `{"a/b": 1}`}, "d", Directory, Invalid},
		{"duplicate names", []string{"/ovs/d", `{"a": 1, "\u0061": 1}`}, "d", Directory, Invalid},
		{"a key in the way", []string{"/ovs/d", `{"a": 1}`, "/ovs/d/a", "2"}, "d", Directory, Exists},
		{"a document into a string", []string{"/ovs/d", `{"a": 1}`}, "d", String, Invalid},
		{"marked raw", []string{"/ovs/d.raw", `{"a": 1}`}, "d.raw", Object, Invalid},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, treeOf(t, c.keys...), SetType(c.path, c.to), c.kind) })
	}
}
