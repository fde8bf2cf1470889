package transfer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func treeOf(t *testing.T, stored map[string]string) *mapping.Tree {
	t.Helper()
	tree, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	var values []mapping.Value
	for key, value := range stored {
		values = append(values, mapping.Value{Key: key, Bytes: []byte(value)})
	}
	plan, err := mapping.PutKeys(values, false)(tree)
	if err != nil {
		t.Fatal(err)
	}
	tree, _ = tree.With(&plan, time.Time{})
	return tree
}

func keysOf(tree *mapping.Tree) map[string]string {
	keys := map[string]string{}
	if kv, ok := tree.Get("/ovs"); ok {
		keys["/ovs"] = string(kv.Value)
	}
	for kv := range tree.Under("/ovs") {
		keys[kv.Key] = string(kv.Value)
	}
	return keys
}

// after is what an import of a directory makes of a tree.
func after(t *testing.T, dir string, tree *mapping.Tree, prune bool) map[string]string {
	t.Helper()
	d, err := ReadDirectory(dir, func(name string) bool { return strings.HasSuffix(name, "~") })
	if err != nil {
		t.Fatal(err)
	}
	plan, err := d.Edit(prune)(tree)
	if err != nil {
		t.Fatal(err)
	}
	now, _ := tree.With(&plan, time.Time{})
	return keysOf(now)
}

func wantKeys(t *testing.T, got, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s is there: %q", key, got[key])
		}
	}
}

func needXattrs(t *testing.T, dir string) {
	t.Helper()
	if unix.Setxattr(dir, "user.test", []byte("1"), 0) != nil {
		t.Skip("the file system of the temporary directory keeps no attributes")
	}
}

func TestDirectoryRestoresAllBytes(t *testing.T) {
	needXattrs(t, t.TempDir())
	stored := map[string]string{
		"/ovs/doc":    `{ "b":1, "a" : {"x/y": [], "": null}, "l": [10, 2, 3, 4, 5, 6, 7, 8, 9, 10, "11"] }`,
		"/ovs/number": "5", "/ovs/text": `"5"`, "/ovs/escaped": `"\u0041\ud800"`, "/ovs/raw": "no newline", "/ovs/lines": "a\nb\n",
		"/ovs/empty":       "",
		"/ovs/bytes":       "\xff\x00",
		"/ovs/with/values": "true", "/ovs/with": `"and one of its own"`,
		"/ovs/a//b": "1", "/ovs/100%": "2", "/ovs/" + strings.Repeat("n", 300): "3",
		"/ovs/spaced": " 5\n", "/ovs/twice": `{"n": 1.0, "n": 2}` + "\n",
	}
	tree := treeOf(t, stored)
	dir := filepath.Join(t.TempDir(), "tree")
	if _, notes, err := ExportDirectory(dir, tree); err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	wantKeys(t, after(t, dir, treeOf(t, nil), false), stored)
	wantKeys(t, after(t, dir, tree, true), stored)
}

func TestDirectoryIsWhatACopyWouldMake(t *testing.T) {
	tree := treeOf(t, map[string]string{"/ovs/doc": `{"n": 1, "s": "x", "list": [1, 2, 3]}`, "/ovs/gone": "1", "/ovs/d/gone": "1", "/ovs/same": "7"})
	dir := t.TempDir()
	for name, content := range map[string]string{"doc/s": "5\n", "doc/new": "6\n", "doc/list/0": "9\n", "new/key": "text\n", "same": "7\n", "backup~": "x"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wantKeys(t, after(t, dir, tree, false), map[string]string{
		"/ovs/doc": `{"n": 1, "s": "5", "list": [9, 2, 3], "new": 6}`, "/ovs/gone": "1", "/ovs/d/gone": "1", "/ovs/same": "7", "/ovs/new/key": `"text"`,
	})
	wantKeys(t, after(t, dir, tree, true), map[string]string{
		"/ovs/doc": `{"s": "5", "list": [9], "new": 6}`, "/ovs/same": "7", "/ovs/new/key": `"text"`,
	})
	if err := os.WriteFile(filepath.Join(dir, "doc", "n"), []byte("soon\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := ReadDirectory(dir, func(string) bool { return false })
	if err != nil || len(d.Skipped) != 0 {
		t.Fatal(err)
	}
	if _, err := d.Edit(false)(tree); mapping.KindOf(err) != mapping.Invalid || !strings.Contains(err.Error(), dir+"/doc/n: is a number") {
		t.Errorf("a wrong value: %v", err)
	}
}
