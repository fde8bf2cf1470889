package cache_test

import (
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// TestNothingComesBetween has another node store a document above a new key, or a key below a new document, after that
// was planned: it is planned again, on what is there then.
func TestNothingComesBetween(t *testing.T) {
	for name, c := range map[string]struct {
		edit       mapping.Edit
		key, value string
		kind       mapping.Kind
		want       map[string]string
	}{
		"a document above":                  {mapping.Write("d/a", []byte("7\n"), mapping.WriteOptions{}), "/ovs/d", `{"b": 1}`, 0, map[string]string{"/ovs/d": `{"b": 1, "a": 7}`}},
		"two levels above":                  {mapping.Write("d/a/c", []byte("7\n"), mapping.WriteOptions{}), "/ovs/d", `{"b": 1}`, mapping.NotFound, map[string]string{"/ovs/d": `{"b": 1}`}},
		"a key below":                       {mapping.Write("d", []byte("7\n"), mapping.WriteOptions{}), "/ovs/d/b", "1", mapping.IsDirectory, map[string]string{"/ovs/d/b": "1"}},
		"a key below, of two that are made": {mapping.Together(mapping.Write("d", []byte("7\n"), mapping.WriteOptions{}), mapping.Write("e", []byte("7\n"), mapping.WriteOptions{})), "/ovs/d/b", "1", mapping.IsDirectory, map[string]string{"/ovs/d/b": "1"}},
		"where it moves":                    {mapping.Rename("k", "d/k", 0), "/ovs/d", `{"b": 1}`, 0, map[string]string{"/ovs/d": `{"b": 1, "k": 5}`}},
		"where keys move":                   {mapping.Rename("keys", "d/keys", 0), "/ovs/d", `{"b": 1}`, mapping.CrossDevice, map[string]string{"/ovs/d": `{"b": 1}`, "/ovs/keys/1": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEtcd(t)
			n := open(t, e.addr)
			e.put("/ovs/k", "5", "/ovs/keys/1", "1")
			n.agree(e)
			planned := false
			err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
				plan, err := c.edit(tree)
				if !planned {
					planned = true
					e.put(c.key, c.value)
				}
				return plan, err
			})
			if c.kind == 0 && err != nil || c.kind != 0 && mapping.KindOf(err) != c.kind {
				t.Errorf("got %v", err)
			}
			values, _ := e.below("/ovs")
			for key, want := range c.want {
				if got := string(values[key].Value); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			if _, mixed := values["/ovs/d/a"]; mixed {
				t.Error("the key is beside the document")
			}
		})
	}
}
