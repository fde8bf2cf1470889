package cache

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// listing makes keys and values of fuzzed bytes: each pair is one key, made of the
// characters that matter to the order of keys, and one value.
func listing(data []byte, revision int64) map[string]mapping.KV {
	const letters = "a/-.0b~\xff"
	all := map[string]mapping.KV{}
	for len(data) >= 3 {
		key := "/ovs/" + string([]byte{letters[data[0]%8], letters[data[0]/8%8], letters[data[1]%8]})
		if data[1]&8 != 0 {
			key += "/" + string(letters[data[1]/16%8])
		}
		if data[1] == 255 {
			key = "/ovs"
		}
		all[key] = mapping.KV{Key: key, Value: data[2:3], ModRevision: revision + int64(data[2]%2), CreateRevision: 1, Version: 1}
		data = data[3:]
	}
	return all
}

func sorted(all map[string]mapping.KV) []mapping.Change {
	var changes []mapping.Change
	for _, kv := range all {
		changes = append(changes, mapping.Change{KV: kv})
	}
	slices.SortFunc(changes, func(a, b mapping.Change) int { return strings.Compare(a.Key, b.Key) })
	return changes
}

// FuzzDifference: a tree with the difference to a reading applied is that reading, and
// what is equal in both is not in it.
func FuzzDifference(f *testing.F) {
	f.Add([]byte{}, []byte{1, 2, 3})
	f.Add([]byte{1, 2, 3, 4, 5, 6}, []byte{})
	f.Add([]byte("a key-a/key.and more keys of all sorts"), []byte("a key/a-key.and other keys of all sorts"))
	f.Add([]byte{1, 255, 3, 0, 8, 1, 0, 24, 1}, []byte{0, 2, 1, 0, 8, 1, 0, 3, 1})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		c := &Cache{prefix: "/ovs"}
		empty, err := mapping.NewTree(mapping.Settings{Prefix: c.prefix})
		if err != nil {
			t.Fatal(err)
		}
		old, now := listing(before, 10), listing(after, 11)
		tree, _ := empty.Apply(12, time.Time{}, sorted(old))

		d := newDifference(c.keys(tree))
		defer d.stop()
		read := sorted(now)
		for i := range read {
			d.add(&read[i])
		}
		changes := d.close(20)
		for _, change := range changes {
			o, had := old[change.Key]
			n, has := now[change.Key]
			if change.Deleted != (had && !has) || had && has && same(&o, &n) {
				t.Errorf("%q: %+v, before %v, after %v", change.Key, change, had, has)
			}
		}
		result, _ := tree.Apply(20, time.Time{}, changes)
		var got []mapping.Change
		for kv := range c.keys(result) {
			got = append(got, mapping.Change{KV: kv})
		}
		if fmt.Sprint(got) != fmt.Sprint(read) {
			t.Errorf("got %q\nwant %q", fmt.Sprint(got), fmt.Sprint(read))
		}
	})
}
