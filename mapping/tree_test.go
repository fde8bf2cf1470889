package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// treeOf is a tree with those keys, given as key, value, key, value.
func treeOf(t testing.TB, keysAndValues ...string) *Tree {
	t.Helper()
	tree, err := NewTree(Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	return put(tree, 1, keysAndValues...)
}

// put is the next tree with those keys written, seen so many seconds after 1970.
func put(tree *Tree, second int64, keysAndValues ...string) *Tree {
	var changes []Change
	revision := tree.Revision() + 1
	for i := 0; i < len(keysAndValues); i += 2 {
		changes = append(changes, Change{KV: KV{
			Key: keysAndValues[i], Value: []byte(keysAndValues[i+1]),
			CreateRevision: revision, ModRevision: revision, Version: 1,
		}})
	}
	next, _ := tree.Apply(revision, time.Unix(second, 0), changes)
	return next
}

// dump lists everything below a node as "path type content", one a line.
func dump(n Node) []string {
	var lines []string
	var walk func(path string, n Node)
	walk = func(path string, n Node) {
		for child := range n.Children() {
			at := strings.TrimPrefix(path+"/"+child.Name(), "/")
			if child.IsDir() {
				lines = append(lines, fmt.Sprintf("%s/ %s", at, child.Type()))
				walk(at, child)
			} else {
				lines = append(lines, fmt.Sprintf("%s %s %q", at, child.Type(), child.Content()))
			}
		}
	}
	walk("", n)
	return lines
}

func TestTreeShows(t *testing.T) {
	tests := []struct {
		name string
		keys []string
		want []string
	}{
		{"nothing", nil, nil},
		{"scalars", []string{
			"/ovs/b", "true", "/ovs/n", "1.50e+3", "/ovs/s", `"x\u00e9\"\n"`, "/ovs/e", `""`, "/ovs/z", "null", "/ovs/sp", " 5 \n",
		}, []string{
			`b boolean "true\n"`, `e string ""`, `n number "1.50e+3\n"`, `s string "xé\"\n\n"`, `sp number "5\n"`, `z null "null\n"`,
		}},
		{"document", []string{"/ovs/d", `{"p": 26203, "ips": ["a", "b"], "o": {"x": {}}, "": 1}`}, []string{
			`d/ object`, `d/p number "26203\n"`, `d/ips/ array`, `d/ips/1 string "b\n"`, `d/ips/0 string "a\n"`,
			`d/o/ object`, `d/o/x/ object`, `d/%empty number "1\n"`,
		}},
		{"raw", []string{"/ovs/a", "[global]\nx = 1", "/ovs/b", "\x00\xff", "/ovs/c", "", "/ovs/d", "{]", "/ovs/e", "nl\n", "/ovs/f", " "}, []string{
			`a raw "[global]\nx = 1\n"`, `b raw "\x00\xff"`, `c raw ""`, `d raw "{]\n"`, `e raw "nl\n"`, `f raw " \n"`,
		}},
		{"marked raw", []string{
			"/ovs/arakoon/x/config", "{}", "/ovs/vpools/v/proxies/p/config/abm", `"x"`, "/ovs/a.ini", "1", "/ovs/a.raw", "true", "/ovs/arakoon/x/y/config", "{}",
		}, []string{
			`a.ini raw "1\n"`, `a.raw raw "true\n"`, `arakoon/ directory`, `arakoon/x/ directory`, `arakoon/x/config raw "{}\n"`,
			`arakoon/x/y/ directory`, `arakoon/x/y/config/ object`,
			`vpools/ directory`, `vpools/v/ directory`, `vpools/v/proxies/ directory`, `vpools/v/proxies/p/ directory`,
			`vpools/v/proxies/p/config/ directory`, `vpools/v/proxies/p/config/abm raw "\"x\"\n"`,
		}},
		{"key and directory", []string{"/ovs/a", "5", "/ovs/a/b", "6", "/ovs/d", `{"b": 1, "c": 2}`, "/ovs/d/b/x", "7"}, []string{
			`a/ directory`, `a/b number "6\n"`, `a/.value number "5\n"`,
			`d/ object`, `d/b/ directory`, `d/b/x number "7\n"`, `d/b%json number "1\n"`, `d/c number "2\n"`,
		}},
		{"duplicates", []string{"/ovs/d", `{"a": 1, "b": 0, "a": 2, "\u0061": 3}`, "/ovs/d/a", "9"}, []string{
			`d/ object`, `d/a number "9\n"`, `d/a%dup1 number "1\n"`, `d/b number "0\n"`, `d/a%dup2 number "2\n"`, `d/a%json number "3\n"`,
		}},
		{"array with keys below", []string{"/ovs/d", `[10, {"x": 1, "x": 2}]`, "/ovs/d/0", "9", "/ovs/d/01", "8"}, []string{
			`d/ array`, `d/0 number "9\n"`, `d/01 number "8\n"`, `d/1/ object`, `d/1/x%dup1 number "1\n"`, `d/1/x number "2\n"`, `d/0%json number "10\n"`,
		}},
		{"empty documents", []string{"/ovs/a", "{}", "/ovs/b", "[]", "/ovs/c", "{}", "/ovs/c/x", "1"}, []string{
			`a/ object`, `b/ array`, `c/ object`, `c/x number "1\n"`,
		}},
		{"names", []string{
			"/ovs//x", "1", "/ovs/", "2", "/ovs/./..", "3", "/ovs/%41", "4", "/ovs/.value", "5", "/ovs/o", `{".": 1, "a/b": 2, "\u0000": 3, ".ovscfgfs": 4}`,
		}, []string{
			// The key "/ovs/" and the directory of "/ovs//x" are one entry.
			`%empty/ directory`, `%empty/x number "1\n"`, `%empty/.value number "2\n"`, `%2541 number "4\n"`, `%2E/ directory`, `%2E/%2E%2E number "3\n"`,
			`%2Evalue number "5\n"`, `o/ object`, `o/%2E number "1\n"`, `o/a%2Fb number "2\n"`, `o/%00 number "3\n"`, `o/%2Eovscfgfs number "4\n"`,
		}},
		{"the prefix itself", []string{"/ovs", `{"a": 1}`, "/ovs/b", "2", "/ovsx", "3", "/other", "4"}, []string{
			`b number "2\n"`, `a number "1\n"`,
		}},
		{"too deep", []string{"/ovs/d", strings.Repeat("[", 201) + strings.Repeat("]", 201)}, []string{
			`d raw "` + strings.Repeat("[", 201) + strings.Repeat("]", 201) + `\n"`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := treeOf(t, test.keys...)
			// The order of a listing is that in which it can be removed (TestRemovingAllThatIsListed).
			got := slices.Sorted(slices.Values(dump(tree.Root())))
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			checkTree(t, tree)
		})
	}
}

// failer is what a test and a property of rapid have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkTree holds what is true of every node of every tree.
func checkTree(t failer, tree *Tree) {
	t.Helper()
	var walk func(path string, n Node)
	walk = func(path string, n Node) {
		if found, ok := tree.Lookup(path); !ok || found != n {
			t.Fatalf("Lookup(%q) does not find what is listed there", path)
		}
		if !n.Same(n) || n.Size() != int64(len(n.Content())) {
			t.Fatalf("%q: Size %d, Content %q", path, n.Size(), n.Content())
		}
		if n.Newline() && (len(n.Content()) == 0 || n.Content()[len(n.Content())-1] != '\n') {
			t.Fatalf("%q: a newline was added, but the content is %q", path, n.Content())
		}
		count, names := 0, map[string]bool{}
		for child := range n.Children() {
			count++
			name := child.Name()
			if names[name] || name == "" || len(name) > nameMax || strings.ContainsAny(name, "/\x00") {
				t.Fatalf("%q: name %q", path, name)
			}
			names[name] = true
			walk(strings.TrimPrefix(path+"/"+name, "/"), child)
		}
		if count != n.Len() || count > 0 && !n.IsDir() {
			t.Fatalf("%q: Len %d, %d children, IsDir %v", path, n.Len(), count, n.IsDir())
		}
	}
	walk("", tree.Root())
	keys := 0
	for kv := range tree.Under(tree.Settings().Prefix) {
		keys++
		path, ok := tree.PathOf(kv.Key)
		if key, err := tree.KeyOf(path); !ok || err != nil || key != kv.Key {
			t.Fatalf("PathOf(%q) = %q, KeyOf = %q, %v", kv.Key, path, key, err)
		}
		if n, ok := tree.Lookup(path); !ok || n.Key() != kv.Key {
			t.Fatalf("key %q is not found at its path %q", kv.Key, path)
		}
		if got, ok := tree.Get(kv.Key); !ok || got.ModRevision != kv.ModRevision {
			t.Fatalf("Get(%q) = %v, %v", kv.Key, got, ok)
		}
	}
	if _, ok := tree.Get(tree.Settings().Prefix); ok {
		keys++
	}
	if keys != tree.Keys() {
		t.Fatalf("Keys() = %d, counted %d", tree.Keys(), keys)
	}
}

func TestLookupFindsOnlyWhatIsListed(t *testing.T) {
	tree := treeOf(t,
		"/ovs/d", `{"a": 1, "b": 1, "b": 2, "c/d": 3, "list": [0, 1, [2]]}`, "/ovs/d/a", "2",
		"/ovs/s", "5", "/ovs/s/t", "6", "/ovs/leaf", "7")
	for _, path := range []string{
		"/", "/d", "d/", "d//a", "none", "%64", "d%json", "d/b%json", "d/b%dup0", "d/b%dup01", "d/b%dup2", "d/a%dup1", "d/c/d", "d/c%2fd", "d/.value", "d/%json", "d/%dup1",
		"d/list/3", "d/list/01", "d/list/-1", "d/list/+1", "d/list/4294967296", "d/list/18446744073709551616", "d/list/2/0/x", "d/list/%30", "d/list/1%json",
		"s/.value/x", "s/.value%json", "leaf/x", "leaf/.value", ".value", ".", "..", "d/.", "d/..", "d/" + strings.Repeat("x", 300), "d/%~", "%~", "d/x%~" + strings.Repeat("0", 32),
	} {
		if n, ok := tree.Lookup(path); ok || n.Valid() {
			t.Errorf("Lookup(%q) finds %s %q", path, n.Type(), n.Content())
		}
	}
	for path, want := range map[string]string{
		"d/a": "2\n", "d/a%json": "1\n", "d/b": "2\n", "d/b%dup1": "1\n", "d/c%2Fd": "3\n", "d/list/2/0": "2\n", "s/.value": "5\n", "s/t": "6\n",
	} {
		if n, ok := tree.Lookup(path); !ok || string(n.Content()) != want {
			t.Errorf("Lookup(%q) finds %v %q, want %q", path, ok, n.Content(), want)
		}
	}
}

func TestNothing(t *testing.T) {
	var n Node
	_, kv := n.KV()
	_, found := n.Lookup("x")
	if n.Valid() || n.IsDir() || n.Name() != "" || n.Key() != "" || n.Pointer() != "" || n.Content() != nil || n.Size() != 0 || n.Newline() ||
		n.Len() != 0 || n.Type() != "" || n.Index() != -1 || !n.Seen().IsZero() || n.Stored() != nil || kv || found || !n.Same(Node{}) {
		t.Errorf("the zero Node claims to be something: %+v", n)
	}
	tree := treeOf(t)
	if n.Same(tree.Root()) || tree.Root().Same(n) {
		t.Error("nothing is the same as an empty root")
	}
	for range n.Children() {
		t.Error("nothing has a child")
	}
}

func TestPaths(t *testing.T) {
	tree := treeOf(t, "/ovs/a", "1")
	for key, want := range map[string]string{"/ovs": "", "/ovs/a": "a", "/ovs/": "%empty", "/ovs/x/y%/.": "x/y%25/%2E", "/ovs//": "%empty/%empty"} {
		path, ok := tree.PathOf(key)
		back, err := tree.KeyOf(path)
		if !ok || path != want || err != nil || back != key {
			t.Errorf("PathOf(%q) = %q, %v, and back %q, %v; want %q", key, path, ok, back, err, want)
		}
	}
	for _, key := range []string{"", "/", "/ov", "/ovsx", "/ovsx/a", "ovs/a", "/other"} {
		if path, ok := tree.PathOf(key); ok {
			t.Errorf("PathOf(%q), outside the prefix, is %q", key, path)
		}
		if _, ok := tree.Get(key); ok {
			t.Errorf("Get(%q) finds something outside the prefix", key)
		}
	}
	for _, path := range []string{"/a", "a/", "a//b", ".", "a/..", "a/.value", "%", "%2f", "a%json", "a%2Fb"} {
		if key, err := tree.KeyOf(path); KindOf(err) != Invalid {
			t.Errorf("KeyOf(%q) = %q, %v; want Invalid", path, key, err)
		}
	}
}
