package catalogue

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// sample is the sample tree, key -> stored value, with the keys that real
// clusters have beyond it. The caller may change it.
func sample(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"../../contrib/sample-tree.json", "testdata/sample-tree-extras.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var part map[string]string
		if err := json.Unmarshal(data, &part); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, part)
	}
	return all
}

func treeOf(t testing.TB, values map[string]string) *mapping.Tree {
	t.Helper()
	tree, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	var changes []mapping.Change
	for i, key := range slices.Sorted(maps.Keys(values)) {
		changes = append(changes, mapping.Change{KV: mapping.KV{
			Key: key, Value: []byte(values[key]), CreateRevision: int64(i + 1), ModRevision: int64(i + 1), Version: 1,
		}})
	}
	tree, _ = tree.Apply(int64(len(changes)+1), time.Unix(0, 0), changes)
	return tree
}

func load(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSampleTreeIsClean(t *testing.T) {
	c := load(t)
	for _, p := range c.Check(treeOf(t, sample(t)), "") {
		t.Error(p)
	}
}

// Every key of the sample tree, and so of the seed, is known, and so is each
// of its fields.
func TestSampleTreeIsCovered(t *testing.T) {
	c := load(t)
	tree := treeOf(t, sample(t))
	var walk func(path string, n mapping.Node)
	walk = func(path string, n mapping.Node) {
		if _, isKey := n.KV(); isKey {
			e, ok := c.Entry(path)
			if !ok {
				t.Errorf("%s is not in the catalogue", path)
				return
			}
			if (e.Kind == Raw) != (n.Type() == mapping.Raw) {
				t.Errorf("%s is %s in the catalogue and %s in the tree", path, e.Kind, n.Type())
			}
			if e.Class == "" && !n.IsDir() {
				t.Errorf("%s has no class", path)
			}
		}
		for child := range n.Children() {
			walk(join(path, child.Name()), child)
		}
	}
	for child := range tree.Root().Children() {
		walk(child.Name(), child)
	}
}

// What the catalogue calls a secret is one by its name or its text too, which
// is what the file system goes by.
func TestSecretsAreKnownByTheirLook(t *testing.T) {
	c := load(t)
	for path, text := range map[string]string{
		"framework/messagequeue/password":                             "x",
		"framework/webapps/oauth2/client_secret":                      "x",
		node + "/main/password":                                       "x",
		node + "/ipmi/pwd":                                            "x",
		router + "/backend_connection_manager/s3_connection_password": "x",
		router + "/event_publisher/events_amqp_uris/0/amqp_uri":       "amqp://ovs:x@10.0.0.1",
	} {
		if e, _ := c.Entry(path); !e.Secret {
			t.Errorf("%s is no secret in the catalogue", path)
		}
		if !mapping.Secret(path[strings.LastIndexByte(path, '/')+1:], []byte(text)) {
			t.Errorf("%s is no secret in the tree", path)
		}
	}
}
