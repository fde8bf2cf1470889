package mapping

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestApplyAgainstMap applies random revisions and holds each tree against a
// map: what it has, in which order, which keys it calls changed; and that no
// tree that was made before moves.
func TestApplyAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.SampledFrom([]string{"", "a", "b", "a-", "a!", "a.b", "c", "é", ".", "%", "a\x00"})
		key := rapid.Custom(func(t *rapid.T) string {
			return "/ovs/" + strings.Join(rapid.SliceOfN(segment, 1, 4).Draw(t, "segments"), "/")
		})
		value := rapid.SampledFrom([]string{"", "1", "2", `{"a": 1}`, `{"a": 2, "b": 1}`, "[1, 2]", "raw"})
		change := rapid.Custom(func(t *rapid.T) Change {
			c := Change{KV: KV{Key: key.Draw(t, "key")}}
			if c.Deleted = rapid.Bool().Draw(t, "deleted"); !c.Deleted {
				c.Value = []byte(value.Draw(t, "value"))
			}
			return c
		})
		tree, err := NewTree(Settings{Prefix: "/ovs"})
		if err != nil {
			t.Fatal(err)
		}
		model := map[string]string{}
		type past struct {
			tree  *Tree
			model map[string]string
			shown []string
		}
		var all []past
		for range rapid.IntRange(1, 8).Draw(t, "revisions") {
			if len(all) > 0 && rapid.Bool().Draw(t, "branch") {
				// From an older tree: siblings must not see each other.
				p := all[rapid.IntRange(0, len(all)-1).Draw(t, "from")]
				tree, model = p.tree, maps.Clone(p.model)
			}
			before := maps.Clone(model)
			changes := rapid.SliceOfNDistinct(change, 0, 20, func(c Change) string { return c.Key }).Draw(t, "changes")
			var want []string
			for _, c := range changes {
				old, had := before[c.Key]
				if c.Deleted {
					delete(model, c.Key)
				} else {
					model[c.Key] = string(c.Value)
				}
				if had != !c.Deleted || had && old != string(c.Value) {
					want = append(want, c.Key)
				}
			}
			slices.Sort(want)
			next, changed := tree.Apply(tree.Revision()+1, time.Unix(1, 0), changes)
			if !slices.Equal(changed, want) {
				t.Fatalf("changed %q, want %q", changed, want)
			}
			tree = next
			all = append(all, past{tree, maps.Clone(model), dump(tree.Root())})
		}
		for _, p := range all {
			var keys []string
			for kv := range p.tree.Under("/ovs") {
				keys = append(keys, kv.Key)
				if string(kv.Value) != p.model[kv.Key] {
					t.Fatalf("%q is %q, want %q", kv.Key, kv.Value, p.model[kv.Key])
				}
			}
			if want := slices.Sorted(maps.Keys(p.model)); !slices.Equal(keys, want) {
				t.Fatalf("keys %q, want %q", keys, want)
			}
			if shown := dump(p.tree.Root()); !slices.Equal(shown, p.shown) {
				t.Fatalf("an older tree showed %q and now %q", p.shown, shown)
			}
			checkTree(t, p.tree)
		}
	})
}

// TestApplyManyParts goes through directories of many parts, filled in order,
// against it, and emptied again.
func TestApplyManyParts(t *testing.T) {
	const n = 5000
	tree := treeOf(t)
	var changes []Change
	for i := range n {
		changes = append(changes, Change{KV: KV{Key: fmt.Sprintf("/ovs/d/%05d", i*7919%n), Value: []byte("1")}})
	}
	tree, changed := tree.Apply(2, time.Unix(1, 0), changes)
	if len(changed) != n || tree.Keys() != n {
		t.Fatalf("%d changed, %d keys", len(changed), tree.Keys())
	}
	checkTree(t, tree)
	full := tree
	for i := range changes {
		changes[i].Deleted = true
		if i%3 == 0 {
			tree, _ = tree.Apply(int64(i+3), time.Unix(1, 0), changes[i:i+1])
		}
	}
	checkTree(t, tree)
	if want := n - (n+2)/3; tree.Keys() != want {
		t.Fatalf("%d keys, want %d", tree.Keys(), want)
	}
	tree, changed = tree.Apply(n+3, time.Unix(1, 0), changes)
	if tree.Keys() != 0 || tree.Root().Len() != 0 || len(changed) != n-(n+2)/3 {
		t.Fatalf("%d keys are left, %d entries, %d changed", tree.Keys(), tree.Root().Len(), len(changed))
	}
	if full.Keys() != n {
		t.Fatal("the tree before has changed")
	}
	checkTree(t, full)
}

func TestApplySameBytes(t *testing.T) {
	old := treeOf(t, "/ovs/d", `{"a": 1}`, "/ovs/x", "1")
	a, _ := old.Lookup("d/a")
	x, _ := old.Lookup("x")
	next, changed := old.Apply(9, time.Unix(50, 0), []Change{{KV: KV{Key: "/ovs/d", Value: []byte(`{"a": 1}`), ModRevision: 9, Version: 2, Lease: 7}}})
	if len(changed) != 0 {
		t.Errorf("changed %q", changed)
	}
	b, _ := next.Lookup("d/a")
	kv, _ := b.KV()
	if kv.ModRevision != 9 || kv.Version != 2 || kv.Lease != 7 || !b.Seen().Equal(time.Unix(1, 0)) {
		t.Errorf("%+v seen %v", kv, b.Seen())
	}
	if !a.Same(b) {
		t.Error("a rewritten field is another")
	}
	if y, _ := next.Lookup("x"); x != y {
		t.Error("an untouched key is another node")
	}
}

func TestSeen(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": 0}`)
	check := func(tree *Tree, want map[string]int64) {
		t.Helper()
		for path, second := range want {
			if n, ok := tree.Lookup(path); !ok || !n.Seen().Equal(time.Unix(second, 0)) {
				t.Errorf("%s was first seen at %v, want %d s", path, n.Seen(), second)
			}
		}
	}
	check(tree, map[string]int64{"": 1, "d": 1, "d/a": 1, "d/b/c/0": 1})
	tree = put(tree, 2, "/ovs/d", `{"b": {"c": [1, 3, 4], "d": "x"}, "a": 1, "f": 0}`)
	want := map[string]int64{"d": 2, "d/a": 1, "d/b": 2, "d/b/c": 2, "d/b/c/0": 1, "d/b/c/1": 2, "d/b/c/2": 2, "d/b/d": 1, "d/f": 2}
	check(tree, want)
	check(put(tree, 3, "/ovs/d", `{"b": {"c": [1, 3, 4], "d": "x"}, "a": 1, "f": 0}`), want)
	check(put(tree, 3, "/ovs/d", `{"b":{"c":[1,3,4],"d":"y"},"a":1,"f":0}`), map[string]int64{"d/a": 1, "d/b/c/0": 1, "d/b/c/1": 2, "d/b/d": 3, "d/f": 2})
	check(put(tree, 3, "/ovs/x/y", "1"), map[string]int64{"": 3, "x": 3, "d": 2})
}

func TestSame(t *testing.T) {
	tests := []struct {
		name string
		a, b []string
		want bool
	}{
		{"equal", []string{"/ovs/v", "1"}, []string{"/ovs/v", "1"}, true},
		{"other number", []string{"/ovs/v", "1"}, []string{"/ovs/v", "1.0"}, false},
		{"other spelling of a string", []string{"/ovs/v", `"a"`}, []string{"/ovs/v", `"\u0061"`}, true},
		{"other type", []string{"/ovs/v", `"1"`}, []string{"/ovs/v", `1`}, false},
		{"spacing of a document", []string{"/ovs/v", `{"a": [1]}`}, []string{"/ovs/v", `{"a":[1]}`}, true},
		{"other field", []string{"/ovs/v", `{"a": [1]}`}, []string{"/ovs/v", `{"a":[2]}`}, false},
		{"another key below", []string{"/ovs/v/a", `1`}, []string{"/ovs/v/a", `1`, "/ovs/v/b", "1"}, false},
		{"document with keys below", []string{"/ovs/v", `{}`}, []string{"/ovs/v", `{}`, "/ovs/v/b", "1"}, false},
		{"directories", []string{"/ovs/v/a", `1`}, []string{"/ovs/v/a", `1`}, true},
		{"key that became a directory", []string{"/ovs/v", `1`}, []string{"/ovs/v", `1`, "/ovs/v/b", "1"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, _ := treeOf(t, test.a...).Lookup("v")
			b, _ := treeOf(t, test.b...).Lookup("v")
			if a.Same(b) != test.want || b.Same(a) != test.want {
				t.Errorf("Same is %v and %v, want %v", a.Same(b), b.Same(a), test.want)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	for _, s := range []Settings{
		{Prefix: "ovs"}, {Prefix: "/ovs/"}, {Prefix: "/"}, {Prefix: "/a//b"}, {Prefix: "/a\x00"}, {Raw: []string{"[a"}}, {Raw: []string{""}},
	} {
		if _, err := NewTree(s); KindOf(err) != Invalid {
			t.Errorf("NewTree(%+v): %v", s, err)
		}
	}
	tree, err := NewTree(Settings{Prefix: "/prod", Raw: []string{"svc/*/conf", "/prod/x", "*.cfg"}})
	if err != nil {
		t.Fatal(err)
	}
	tree = put(tree, 1, "/prod/svc/a/conf", "1", "/prod/svc/a/b/conf", "1", "/prod/x", "1", "/prod/y/a.cfg", "1", "/prod/arakoon/c/config", "1", "/prod/vpools/1/config", "1")
	for path, want := range map[string]Type{
		"svc/a/conf": Raw, "svc/a/b/conf": Number, "x": Raw, "y/a.cfg": Raw, "arakoon/c/config": Raw, "vpools/1/config": Number,
	} {
		if n, _ := tree.Lookup(path); n.Type() != want {
			t.Errorf("%s is %s, want %s", path, n.Type(), want)
		}
	}
}

func TestSegmentPatternIsPathMatch(t *testing.T) {
	segments := []string{"", "a", "config", "x.ini", ".ini", "ab", "a*b", "xa*b", "[a]"}
	for _, p := range []string{"", "*", "a", "*.ini", "a*", "*a*", "?", "[ab]", `\*`, `*\*b`, `a\*b`, "**", "co?fig"} {
		for _, s := range segments {
			want, err := path.Match(p, s)
			if err != nil {
				t.Fatal(err)
			}
			compiled := newSegmentPattern(p)
			if got := compiled.match(s); got != want {
				t.Errorf("pattern %q matches %q: %v, want %v", p, s, got, want)
			}
		}
	}
}

func TestApplyToThePrefixItself(t *testing.T) {
	tree := treeOf(t, "/ovs", "5", "/ovs/a", "1")
	root := tree.Root()
	if got := dump(root); !slices.Equal(got, []string{`.value number "5\n"`, `a number "1\n"`}) || root.Name() != "" || tree.Keys() != 2 {
		t.Errorf("shows %q, root %q, %d keys", got, root.Name(), tree.Keys())
	}
	checkTree(t, tree)
	next, changed := tree.Apply(2, time.Unix(2, 0), []Change{{KV: KV{Key: "/ovs"}, Deleted: true}, {KV: KV{Key: "/ovs/none/x"}, Deleted: true}, {KV: KV{Key: "/x"}, Deleted: true}})
	if !slices.Equal(changed, []string{"/ovs"}) || next.Keys() != 1 || next.Root().Len() != 1 {
		t.Errorf("changed %q, %d keys", changed, next.Keys())
	}
	checkTree(t, next)
}

// TestApplySharesWhatItDoesNotTouch counts what one change makes anew.
func TestApplySharesWhatItDoesNotTouch(t *testing.T) {
	var changes []Change
	for i := range 2000 {
		changes = append(changes, Change{KV: KV{Key: fmt.Sprintf("/ovs/%d/%d", i/20, i), Value: []byte("1")}})
	}
	tree, _ := treeOf(t).Apply(1, time.Unix(1, 0), changes)
	next := put(tree, 2, "/ovs/7/150", "2")
	shared := 0
	for child := range next.Root().Children() {
		if old, _ := tree.Lookup(child.Name()); old == child {
			shared++
		}
	}
	if shared != 99 {
		t.Errorf("%d of 100 directories are shared, want 99", shared)
	}
	touched, _ := next.Lookup("7")
	for child := range touched.Children() {
		if old, _ := tree.Lookup("7/" + child.Name()); (old == child) != (child.Name() != "150") {
			t.Errorf("7/%s: shared is %v", child.Name(), old == child)
		}
	}
}

// TestWalksCanStop leaves each iterator after its first.
func TestWalksCanStop(t *testing.T) {
	tree := treeOf(t, "/ovs", "1", "/ovs/a", `{"x": 1, "y": 2}`, "/ovs/a/b/c", "2", "/ovs/a/b-", "3", "/ovs/a/d", "4")
	for i := range 5 {
		n := 0
		for range tree.Under("/ovs") {
			if n++; n > i {
				break
			}
		}
		a, _ := tree.Lookup("a")
		for range a.Children() {
			if n++; n > 2*i {
				break
			}
		}
	}
	for range tree.Under("/ovs/none") {
		t.Error("there is nothing under a key that does not exist")
	}
	for range tree.Under("/other") {
		t.Error("there is nothing under another prefix")
	}
}
