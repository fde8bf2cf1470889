package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRename(t *testing.T) {
	for _, c := range []struct {
		name     string
		keys     []string
		from, to string
		flags    RenameFlags
		want     []string
	}{
		{name: "a field keeps its position",
			keys: []string{"d", `{"a": 1, "b" : 2, "c": 3}`}, from: "d/b", to: "d/x", want: []string{`d={"a": 1, "x" : 2, "c": 3}`}},
		{name: "a field of many values keeps its position",
			keys: []string{"d", `{"a": {"q": [1]}, "c": 3}`}, from: "d/a", to: "d/x%2F", want: []string{`d={"x/": {"q": [1]}, "c": 3}`}},
		{name: "an earlier duplicate gets a name of its own",
			keys: []string{"d", `{"a": 1, "a": 2}`}, from: "d/a%dup1", to: "d/b", want: []string{`d={"b": 1, "a": 2}`}},
		{name: "over another field: its place and type",
			keys: []string{"d", `{"a": "1", "b": 2, "c": 3}`}, from: "d/b", to: "d/a", want: []string{`d={"a": "2", "c": 3}`}},
		{name: "over another field, whose type does not fit",
			keys: []string{"d", `{"a": 1, "b": "x", "c": 3}`}, from: "d/b", to: "d/a", want: []string{`d={"a": "x", "c": 3}`}},
		{name: "over a null",
			keys: []string{"d", `{"a": null, "b": "5"}`}, from: "d/b", to: "d/a", want: []string{`d={"a": "5"}`}},
		{name: "down in one document",
			keys: []string{"d", `{"a": 1, "o": {"x": 2}}`}, from: "d/a", to: "d/o/a", want: []string{`d={"o": {"x": 2, "a": 1}}`}},
		{name: "up in one document",
			keys: []string{"d", `{"o": {"x": [1, 2]}, "b": 1}`}, from: "d/o/x", to: "d/x", want: []string{`d={"o": {}, "b": 1, "x": [1, 2]}`}},
		{name: "the last element of an array",
			keys: []string{"d", `{"l": [1, 2], "m": []}`}, from: "d/l/1", to: "d/m/0", want: []string{`d={"l": [1], "m": [2]}`}},
		{name: "the last element over the first",
			keys: []string{"d", `[1, 2, 3]`}, from: "d/2", to: "d/0", want: []string{`d=[3, 2]`}},
		{name: "to another document",
			keys: []string{"d", `{"a": {"x": "q\/"}, "b": 1}`, "e", "{\n  \"k\": 1\n}"}, from: "d/a", to: "e/a", want: []string{`d={"b": 1}`, "e={\n  \"k\": 1,\n  \"a\": {\"x\": \"q\\/\"}\n}"}},
		{name: "over an empty object",
			keys: []string{"d", `{"a": {"x": 1}, "b": {}}`}, from: "d/a", to: "d/b", want: []string{`d={"b": {"x": 1}}`}},
		{name: "a field becomes a key",
			keys: []string{"d", `{"a": "5", "b": 1}`, "k/x", "1"}, from: "d/a", to: "k/a", want: []string{`d={"b": 1}`, `k/a="5"`, "k/x=1"}},
		{name: "a field becomes a raw value",
			keys: []string{"d", `{"a": "x\ny", "b": 1}`}, from: "d/a", to: "a.ini", want: []string{"a.ini=x\ny\n", `d={"b": 1}`}},
		{name: "a key becomes a field",
			keys: []string{"d", `{"b": 1}`, "k", " 5 "}, from: "k", to: "d/a", want: []string{`d={"b": 1, "a": 5}`}},
		{name: "a raw value becomes a field",
			keys: []string{"d", `{"b": 1}`, "k", "x\ny\n"}, from: "k", to: "d/a", want: []string{`d={"b": 1, "a": "x\ny"}`}},
		{name: "a raw value over a string",
			keys: []string{"d", `{"b": "1"}`, "k", "x"}, from: "k", to: "d/b", want: []string{`d={"b": "x"}`}},
		{name: "a raw value over a number",
			keys: []string{"d", `{"b": 1}`, "k", "x"}, from: "k", to: "d/b", want: []string{`d={"b": "x"}`}},
		{name: "a key over a field",
			keys: []string{"d", `{"b": "1"}`, "k", "5"}, from: "k", to: "d/b", want: []string{`d={"b": "5"}`}},
		{name: "a key",
			keys: []string{"k", `"x"`}, from: "k", to: "q/r", want: []string{`q/r="x"`}},
		{name: "a key over a key",
			keys: []string{"k", `"5"`, "n", "4"}, from: "k", to: "n", want: []string{`n=5`}},
		{name: "a key that does not fit over a key",
			keys: []string{"k", `"x"`, "n", "4"}, from: "k", to: "n", want: []string{`n="x"`}},
		{name: "a raw value over a raw value",
			keys: []string{"k", "new text\n", "r", "old text"}, from: "k", to: "r", want: []string{"r=new text\n"}},
		{name: "a string over a raw value that is marked so",
			keys: []string{"k", `"x\ny"`, "r.ini", "old\n"}, from: "k", to: "r.ini", want: []string{"r.ini=x\ny\n"}},
		{name: "the value of a key that is a directory",
			keys: []string{"k", "5", "k/x", "1"}, from: "k/.value", to: "v", want: []string{"k/x=1", "v=5"}},
		{name: "to the value of a key that is a directory",
			keys: []string{"v", "5", "k/x", "1"}, from: "v", to: "k/.value", want: []string{"k=5", "k/x=1"}},
		{name: "a document",
			keys: []string{"d", ` {"a": 1}`}, from: "d", to: "q/e", want: []string{`q/e= {"a": 1}`}},
		{name: "a document over an empty one",
			keys: []string{"d", `{"a": 1}`, "e", "{}"}, from: "d", to: "e", want: []string{`e={"a": 1}`}},
		{name: "a directory over an empty document",
			keys: []string{"d/x", "1", "e", "[]"}, from: "d", to: "e", want: []string{"e/x=1"}},
		{name: "a directory that is a key too",
			keys: []string{"d", `{"a": 1}`, "d/x", "1", "d/y/z", "2", "d-", "3"}, from: "d", to: "e/f", want: []string{"d-=3", `e/f={"a": 1}`, "e/f/x=1", "e/f/y/z=2"}},
		{name: "names that only look alike",
			keys: []string{"d/x", "1", "dd/x", "2"}, from: "d", to: "ddd", want: []string{"dd/x=2", "ddd/x=1"}},
		{name: "onto itself",
			keys: []string{"d/x", "1"}, from: "d", to: "d", want: []string{"d/x=1"}},

		{name: "exchange of fields",
			keys: []string{"d", `{"a": 1, "b": {"x": "y"}}`}, from: "d/a", to: "d/b", flags: Exchange, want: []string{`d={"a": {"x": "y"}, "b": 1}`}},
		{name: "exchange of elements",
			keys: []string{"d", `[1, 2, 3]`}, from: "d/0", to: "d/2", flags: Exchange, want: []string{`d=[3, 2, 1]`}},
		{name: "exchange between documents",
			keys: []string{"d", `{"a": 1}`, "e", `[[2]]`}, from: "d/a", to: "e/0", flags: Exchange, want: []string{`d={"a": [2]}`, "e=[1]"}},
		{name: "exchange of a key and a field",
			keys: []string{"d", `{"a": 1}`, "k", "raw\n"}, from: "d/a", to: "k", flags: Exchange, want: []string{`d={"a": "raw"}`, "k=1"}},
		{name: "exchange of keys",
			keys: []string{"a", "1", "b", "raw"}, from: "a", to: "b", flags: Exchange, want: []string{"a=raw", "b=1"}},
		{name: "exchange of directories",
			keys: []string{"a/x", "1", "a/y", "2", "b/y", "3", "b/z/q", "4"}, from: "a", to: "b", flags: Exchange, want: []string{"a/y=3", "a/z/q=4", "b/x=1", "b/y=2"}},
		{name: "exchange of a directory and a key",
			keys: []string{"a/x", "1", "b", "2"}, from: "a", to: "b", flags: Exchange, want: []string{"a=2", "b/x=1"}},
		{name: "exchange with itself",
			keys: []string{"a", "1"}, from: "a", to: "a", flags: Exchange, want: []string{"a=1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := 0; i < len(c.keys); i += 2 {
				c.keys[i] = "/ovs/" + c.keys[i]
			}
			tree, _ := commit(t, treeOf(t, c.keys...), Rename(c.from, c.to, c.flags))
			sameStored(t, tree, c.want...)
		})
	}
}

func TestRenameRefuses(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a": 1, "l": [1, 2, 3], "o": {"p": {}}, "e": {}}`, "/ovs/k/x", "1", "/ovs/k/.z", "2",
		"/ovs/v", "5", "/ovs/v/w", "6", "/ovs/bin", "\xff", "/ovs/q/x", "1")
	for _, c := range []struct {
		from, to string
		flags    RenameFlags
		kind     Kind
	}{
		{"none", "x", 0, NotFound},
		{"d/none", "d/x", 0, NotFound},
		{"", "x", 0, NotPermitted},
		{"k", "", 0, NotPermitted},
		{"k", "k/x/y", 0, NotDirectory},
		{"k", "k/y", 0, Invalid},
		{"d/o", "d/o/p", 0, Invalid},
		{"d/o", "d/o/p/q", 0, Invalid},
		{"d/a", "d/o", 0, IsDirectory},
		{"d/o", "d/a", 0, NotDirectory},
		{"k/x", "q", 0, IsDirectory},
		{"k", "q", 0, NotEmpty},
		{"k/x", "k", 0, IsDirectory},
		{"d/o/p", "d/o", 0, NotEmpty},
		{"k", "d/x", 0, CrossDevice},
		{"d", "q/x/y", 0, NotDirectory},
		{"d", "v/.value", 0, Invalid},
		{"k", "q/.value", 0, Invalid},
		{"d/o", "k/o", 0, CrossDevice},
		{"k", "d/e", 0, CrossDevice},
		{"d/l/0", "d/x", 0, Busy},
		{"d/l/2", "d/l/3", 0, Busy},
		{"d/a", "d/l/x", 0, Invalid},
		{"d/a", "d/a%", 0, Invalid},
		{"d/a", "d/o", NoReplace, Exists},
		{"d/a", "d/a", NoReplace, Exists},
		{"k/x", "q/x", NoReplace, Exists},
		{"bin", "d/bin", 0, Invalid},
		{"bin", "d/a", 0, Invalid},
		{"d/a", "d/none", Exchange, NotFound},
		{"d/o", "d/o/p", Exchange, Invalid},
		{"d/o/p", "d/o", Exchange, Invalid},
		{"k", "k/x", Exchange, Invalid},
		{"k", "d/o", Exchange, CrossDevice},
		{"k", "d/a", Exchange, CrossDevice},
		{"v/.value", "k", Exchange, Invalid},
		{"bin", "d/a", Exchange, Invalid},
	} {
		t.Run(fmt.Sprintf("%s to %s", c.from, c.to), func(t *testing.T) {
			refused(t, tree, Rename(c.from, c.to, c.flags), c.kind)
		})
	}
}

func TestRenameKeepsLeases(t *testing.T) {
	tree := treeOf(t)
	tree, _ = tree.Apply(2, time.Unix(1, 0), []Change{
		{KV: KV{Key: "/ovs/a", Value: []byte("1"), Lease: 7, ModRevision: 2}},
		{KV: KV{Key: "/ovs/d/x", Value: []byte("1"), Lease: 8, ModRevision: 2}},
		{KV: KV{Key: "/ovs/b", Value: []byte("2"), Lease: 9, ModRevision: 2}},
	})
	for _, edit := range []Edit{Rename("a", "c", 0), Rename("d", "e", 0), Rename("c", "b", Exchange), write("b", "5\n")} {
		tree, _ = commit(t, tree, edit)
	}
	for key, want := range map[string]int64{"/ovs/b": 7, "/ovs/c": 9, "/ovs/e/x": 8} {
		if kv, _ := tree.Get(key); kv.Lease != want {
			t.Errorf("%s has lease %d, want %d", key, kv.Lease, want)
		}
	}
}

func TestADirectoryOfAnySizeMovesInOnePlan(t *testing.T) {
	for _, n := range []int{1, exactGuards, exactGuards + 1, 2000} {
		var keys, want []string
		for i := range n {
			keys = append(keys, fmt.Sprintf("/ovs/from/%04d/x", i), fmt.Sprint(i))
			want = append(want, fmt.Sprintf("to/%04d/x=%d", i, i))
		}
		tree, plan := commit(t, treeOf(t, keys...), Rename("from", "to", 0))
		sameStored(t, tree, want...)
		if !plan.Move {
			t.Error("the plan is no move")
		}
		if strings.Join(plan.Absent, " ") != "/ovs/to/" {
			t.Errorf("absent must be %v", plan.Absent)
		}
		if exact := len(plan.Guards) >= n; exact != (n <= exactGuards) || len(plan.DeleteRanges) != 1 {
			t.Errorf("%d keys have %d guards, ranges %v", n, len(plan.Guards), plan.DeleteRanges)
		}
	}
}
