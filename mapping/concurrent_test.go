package mapping

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// TestConcurrentFirstLook has many readers look into the same fresh documents
// while newer trees are made from theirs: all see one thing, and the race
// detector sees no fault.
func TestConcurrentFirstLook(t *testing.T) {
	tree := treeOf(t)
	for round := range 50 {
		var keys []string
		for i := range 10 {
			keys = append(keys, fmt.Sprintf("/ovs/d%d", i), fmt.Sprintf(`{"round": %d, "a": [1, {"b": "x"}], "same": "s", "same": "t"}`, round/2))
		}
		keys = append(keys, "/ovs/text", fmt.Sprint("line ", round))
		tree = put(tree, int64(round), keys...)
		shown := make([][]string, 8)
		var readers sync.WaitGroup
		for i := range shown {
			readers.Go(func() { shown[i] = dump(tree.Root()) })
		}
		next := put(tree, int64(round), append(keys, "/ovs/more", "1")...)
		readers.Wait()
		for _, s := range shown {
			if !slices.Equal(s, shown[0]) || len(s) != 10*8+1 {
				t.Fatalf("one reader saw %q, another %q", shown[0], s)
			}
		}
		if !tree.Root().Same(tree.Root()) || next.Root().Same(tree.Root()) {
			t.Fatal("Same does not tell the trees apart")
		}
		tree = next
		checkTree(t, tree)
		tree, _ = tree.Apply(tree.Revision()+1, tree.Root().Seen(), []Change{{KV: KV{Key: "/ovs/more"}, Deleted: true}})
	}
}
