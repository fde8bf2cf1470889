package mapping

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestSampleTree shows the sample tree, whose every value is held against encoding/json.
func TestSampleTree(t *testing.T) {
	text, err := os.ReadFile("../contrib/sample-tree.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample map[string]string
	if err := json.Unmarshal(text, &sample); err != nil {
		t.Fatal(err)
	}
	var keysAndValues []string
	for key, value := range sample {
		keysAndValues = append(keysAndValues, key, value)
	}
	tree := treeOf(t, keysAndValues...)
	checkTree(t, tree)
	if tree.Keys() != len(sample) {
		t.Errorf("%d keys, want %d", tree.Keys(), len(sample))
	}
	raw := 0
	for key, value := range sample {
		path, _ := tree.PathOf(key)
		n, ok := tree.Lookup(path)
		if !ok {
			t.Fatalf("%s is not found at %s", key, path)
		}
		if n.Type() == Raw {
			raw++
			if !strings.HasSuffix(key, "/config") && !strings.HasSuffix(key, "/abm") || string(n.Content()) != strings.TrimSuffix(value, "\n")+"\n" {
				t.Errorf("%s is raw and reads %q", key, n.Content())
			}
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(value))
		decoder.UseNumber()
		compareNode(t, decoder, n)
	}
	if raw == 0 || raw == len(sample) {
		t.Errorf("%d of %d values are raw", raw, len(sample))
	}
}
