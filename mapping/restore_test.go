package mapping

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// heldBy is what a tree holds, by key.
func heldBy(t *Tree) map[string]string {
	all := map[string]string{}
	if kv, ok := t.Get("/ovs"); ok {
		all["/ovs"] = string(kv.Value)
	}
	for kv := range t.Under("/ovs") {
		all[kv.Key] = string(kv.Value)
	}
	return all
}

func TestRestore(t *testing.T) {
	const doc = "{ \"port\" : 1,\n  \"name\": \"x\",\n  \"list\": [1, 2, 3] }"
	was := holding(t, map[string]string{
		"/ovs/doc": doc, "/ovs/dir/a": "1", "/ovs/dir/b": "raw\n", "/ovs/dir/sub/c": "3", "/ovs/leaf": `"v"`, "/ovs/both": "own", "/ovs/both/k": "1",
		"/ovs/f.ini": "[a]", "/ovs/folded/x": "1", "/ovs/folded/y": "text\nof lines", "/ovs/unfolded": `{"x": 1, "d": {"e": 2}}`,
	})
	for _, c := range []struct {
		what, path string
		now        map[string]string
		want       map[string]string // of what the path covers
	}{
		{"a field", "doc/port", map[string]string{"/ovs/doc": `{"port": 2, "name": "y"}`}, map[string]string{"/ovs/doc": `{"port": 1, "name": "y"}`}},
		{"a field to its place", "doc/name", map[string]string{"/ovs/doc": `{"port": 2, "list": []}`}, map[string]string{"/ovs/doc": `{"port": 2, "name": "x", "list": []}`}},
		{"an array", "doc/list", map[string]string{"/ovs/doc": `{"list": [9]}`}, map[string]string{"/ovs/doc": `{"list": [1, 2, 3]}`}},
		{"an element", "doc/list/1", map[string]string{"/ovs/doc": `{"list": [1, 9, 3]}`}, map[string]string{"/ovs/doc": `{"list": [1, 2, 3]}`}},
		{"a document", "doc", map[string]string{"/ovs/doc": `5`, "/ovs/doc/more": "6"}, map[string]string{"/ovs/doc": doc}},
		{"a document that is gone", "doc", map[string]string{}, map[string]string{"/ovs/doc": doc}},
		{"a directory", "dir", map[string]string{"/ovs/dir": "new", "/ovs/dir/a": "2", "/ovs/dir/sub/d": "4", "/ovs/keep": "1"},
			map[string]string{"/ovs/dir/a": "1", "/ovs/dir/b": "raw\n", "/ovs/dir/sub/c": "3", "/ovs/keep": "1"}},
		{"a directory that is gone", "dir/sub", map[string]string{}, map[string]string{"/ovs/dir/sub/c": "3"}},
		{"a leaf of another type", "leaf", map[string]string{"/ovs/leaf": "5"}, map[string]string{"/ovs/leaf": `"v"`}},
		{"what was not there", "new", map[string]string{"/ovs/new": "1", "/ovs/new/x": "2", "/ovs/newer": "3"}, map[string]string{"/ovs/newer": "3"}},
		{"a field that was not there", "doc/new", map[string]string{"/ovs/doc": `{"new": {"x": 1}, "a": 1}`}, map[string]string{"/ovs/doc": `{"a": 1}`}},
		{"a key's own value", "both/.value", map[string]string{"/ovs/both": "other", "/ovs/both/k": "2"}, map[string]string{"/ovs/both": "own", "/ovs/both/k": "2"}},
		{"a key's own value that is gone", "both/.value", map[string]string{"/ovs/both/k": "2"}, map[string]string{"/ovs/both": "own", "/ovs/both/k": "2"}},
		{"raw", "f.ini", map[string]string{"/ovs/f.ini": "[b]"}, map[string]string{"/ovs/f.ini": "[a]"}},
		{"a key that is a field now", "folded/x", map[string]string{"/ovs/folded": `{"x": 2}`}, map[string]string{"/ovs/folded": `{"x": 1}`}},
		{"a key into a document", "folded/y", map[string]string{"/ovs/folded": `{"x": 2}`}, map[string]string{"/ovs/folded": `{"x": 2, "y": "text\nof lines"}`}},
		{"a folded directory", "folded", map[string]string{"/ovs/folded": `{"x": 2}`}, map[string]string{"/ovs/folded/x": "1", "/ovs/folded/y": "text\nof lines"}},
		{"a field that is a key now", "unfolded/x", map[string]string{"/ovs/unfolded/x": "7"}, map[string]string{"/ovs/unfolded/x": "1"}},
		{"all", "", map[string]string{"/ovs": "x", "/ovs/else": "1"}, heldBy(was)},
		{"the same", "dir", heldBy(was), heldBy(was)},
	} {
		now := holding(t, c.now)
		got, plan := commit(t, now, Restore(c.path, was))
		if fmt.Sprint(heldBy(got)) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q, want %q", c.what, heldBy(got), c.want)
		}
		if fmt.Sprint(c.now) == fmt.Sprint(c.want) != plan.Empty() {
			t.Errorf("%s: the plan is %+v", c.what, plan)
		}
	}
	for _, c := range []struct {
		path string
		now  map[string]string
		want Kind
	}{
		{"none", nil, NotFound},
		{"doc/port", nil, NotFound},
		{"doc/list/2", map[string]string{"/ovs/doc": `{"list": []}`}, Invalid},
		{"doc/list/2", map[string]string{"/ovs/doc": `{"port": 1}`}, NotFound},
		{"unfolded/d", map[string]string{"/ovs/unfolded/d/e": "2"}, CrossDevice},
		{"doc/list/7", map[string]string{"/ovs/doc": `{"list": [0,1,2,3,4,5,6,7,8]}`}, Busy},
	} {
		plan, err := Restore(c.path, was)(holding(t, c.now))
		if err == nil || KindOf(err) != c.want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v (%v), want %v; plan %+v", c.path, err, KindOf(err), c.want, plan)
		}
	}
}

// TestRestoreNamesWhatIsGone wants the words of a refusal to say what to restore instead.
func TestRestoreNamesWhatIsGone(t *testing.T) {
	was := holding(t, map[string]string{"/ovs/d/doc": `{"a": {"b": {"c": 1}}}`})
	for now, want := range map[string]string{`{}`: "(d/doc/a)", `{"a": {}}`: "(d/doc/a/b)"} {
		_, err := Restore("d/doc/a/b/c", was)(holding(t, map[string]string{"/ovs/d/doc": now}))
		if err == nil || !strings.Contains(err.Error(), "is gone: restore that "+want) {
			t.Errorf("%s: %v, want %s", now, err, want)
		}
	}
}

// TestRestoreMeansWhatItWas restores random paths of random trees: below the path all
// is as it was then, and all else as it is now.
func TestRestoreMeansWhatItWas(t *testing.T) {
	values := []string{`{"a": 1, "b": {"c": [1, {"a": 2}], "a": "x"}}`, `{"b": {"a": null}, "c": [[], {}]}`, `[1, 2]`, `5`, `"s"`, "raw\n", "", `{"d": 1, "e": 2}`, `{}`}
	keys := []string{"/ovs", "/ovs/a", "/ovs/a/b", "/ovs/a/c", "/ovs/b", "/ovs/b/c/a", "/ovs/c/0", "/ovs/a/b.ini"}
	random := rand.New(rand.NewPCG(1, 2))
	tree := func() *Tree {
		held := map[string]string{}
		for _, key := range keys {
			if random.IntN(2) == 0 {
				held[key] = values[random.IntN(len(values))]
			}
		}
		return holding(t, held)
	}
	restored := 0
	for round := range 10_000 {
		was, now := tree(), tree()
		paths := append(paths(was, ""), paths(now, "")...)
		path := paths[random.IntN(len(paths))]
		plan, err := Restore(path, was)(now)
		if err != nil {
			if KindOf(err) == Other {
				t.Fatalf("round %d: %v", round, err)
			}
			continue
		}
		restored++
		got := applyPlan(t, now, plan)
		n, is := got.Lookup(path)
		then, had := was.Lookup(path)
		lines := slices.DeleteFunc(differences(was, got, path), func(line string) bool {
			return strings.HasSuffix(line, ": directory -> object") // keys, in a document that took their place
		})
		if len(lines) > 0 && had == is && n.Type() == then.Type() {
			t.Fatalf("round %d: %q of %q restored in %q still differs: %q, %q", round, path, heldBy(was), heldBy(now), lines, heldBy(got))
		}
		// Whether these are shown depends on what is beside them.
		if had != is && !covers(now, path) && !strings.Contains(path, "%") && !strings.HasSuffix(path, valueName) {
			t.Fatalf("round %d: %q of %q restored in %q is there: %v, want %v: %q", round, path, heldBy(was), heldBy(now), is, had, heldBy(got))
		}
	}
	if restored < 5000 {
		t.Errorf("only %d of the rounds restored anything", restored)
	}
}

// covers reports whether keys on the way of a path hide fields of their names.
func covers(t *Tree, path string) bool {
	for ; path != ""; path, _ = splitPath(path) {
		if _, ok := t.Lookup(path + jsonSuffix); ok {
			return true
		}
	}
	return false
}

// paths are all shown paths at and below one.
func paths(t *Tree, path string) []string {
	all := []string{path}
	n, _ := t.Lookup(path)
	for child := range n.Children() {
		all = append(all, paths(t, joinPath(path, child.Name()))...)
	}
	return all
}

// FuzzRestore: whatever two values are, what differs between them can be told,
// and each entry can be made what it was.
func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"a": 1, "b": [1, {"c": null}]}`), []byte(`{"b": [2], "a": "1"}`), uint8(1))
	f.Add([]byte("raw\xff"), []byte(`[[[]]]`), uint8(0))
	f.Add([]byte(`{"a": 1, "a": 2, "": {}, "a%json": "\ud800"}`), []byte(`{"\u0061": 3}`), uint8(2))
	f.Fuzz(func(t *testing.T, then, now []byte, nth uint8) {
		was := treeOf(t, "/ovs/k", string(then), "/ovs/k/sub", string(now))
		is := treeOf(t, "/ovs/k", string(now), "/ovs/k/sub", string(then))
		all := append(paths(was, ""), paths(is, "")...)
		if len(all) > 10_000 {
			return
		}
		for d := range Diff(was, is, "") {
			if d.String() == "" || d.Op() == "" {
				t.Fatalf("%q: no words", d.Path)
			}
			if line, err := d.MarshalJSON(); err != nil {
				t.Fatalf("%q: %q: %v", d.Path, line, err)
			}
		}
		path := all[int(nth)%len(all)]
		plan, err := Restore(path, was)(is)
		if err != nil {
			return
		}
		got := applyPlan(t, is, plan)
		if n, ok := was.Lookup(path); ok && n.at == atWhole {
			kv, had := was.Get(n.Key())
			restored, has := got.Get(n.Key())
			if had != has || string(kv.Value) != string(restored.Value) {
				t.Fatalf("the key of %q is %q, and was %q", path, restored.Value, kv.Value)
			}
		}
		if lines := differences(was, got, ""); path == "" && len(lines) > 0 {
			t.Fatalf("all was restored, and differs: %q", lines)
		}
	})
}
