package mapping

import (
	"testing"
	"time"
)

// storedTree builds a tree of full keys.
func storedTree(t testing.TB, pairs map[string]string) *Tree {
	t.Helper()
	tree, err := NewTree(Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	return withKeys(tree, 10, pairs)
}

func withKeys(tree *Tree, revision int64, pairs map[string]string) *Tree {
	var changes []Change
	for k, v := range pairs {
		changes = append(changes, Change{KV: KV{Key: k, Value: []byte(v), ModRevision: revision, CreateRevision: revision, Version: 1}})
	}
	tree, _ = tree.Apply(revision, time.Unix(1000, 0), changes)
	return tree
}

func TestWriteKeepsTheRestOfTheDocument(t *testing.T) {
	tree := storedTree(t, map[string]string{"/ovs/a": "{\n    \"port\" :  8500,\n    \"n\": 1.50, \"s\": \"x\\/y\"\n}"})
	for _, c := range []struct{ path, content, want string }{
		{"a/port", "9\n", "{\n    \"port\" :  9,\n    \"n\": 1.50, \"s\": \"x\\/y\"\n}"},
		{"a/port", "8500\n", ""},
		{"a/s", "x/y\n", ""},
		{"a/s", "z", "{\n    \"port\" :  8500,\n    \"n\": 1.50, \"s\": \"z\"\n}"},
	} {
		plan, err := Write(c.path, []byte(c.content), WriteOptions{})(tree)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(plan.Puts) == 1 {
			got = string(plan.Puts[0].Value)
		}
		if got != c.want {
			t.Errorf("writing %q to %s stores\n%q, want\n%q", c.content, c.path, got, c.want)
		}
	}
}
