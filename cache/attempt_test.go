package cache

import (
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestWitness(t *testing.T) {
	plan := mapping.Plan{
		Puts:         []mapping.Put{{Key: "/ovs/a", Value: []byte("1")}, {Key: "/ovs/b", Value: []byte("2"), Lease: 7}},
		Deletes:      []string{"/ovs/c"},
		DeleteRanges: []mapping.Range{{Prefix: "/ovs/d/"}},
	}
	put := func(key, value string, lease int64) mapping.Change {
		return mapping.Change{KV: mapping.KV{Key: key, Value: []byte(value), Lease: lease}}
	}
	gone := func(key string) mapping.Change { return mapping.Change{KV: mapping.KV{Key: key}, Deleted: true} }
	for _, test := range []struct {
		name    string
		changes []mapping.Change
		want    bool
	}{
		{"all of it", []mapping.Change{put("/ovs/a", "1", 0), put("/ovs/b", "2", 7), gone("/ovs/c"), gone("/ovs/d/x")}, true},
		{"what it deletes was gone already", []mapping.Change{put("/ovs/b", "2", 7), put("/ovs/a", "1", 0)}, true},
		{"another value", []mapping.Change{put("/ovs/a", "9", 0), put("/ovs/b", "2", 7)}, false},
		{"another lease", []mapping.Change{put("/ovs/a", "1", 0), put("/ovs/b", "2", 8)}, false},
		{"a put is missing", []mapping.Change{put("/ovs/a", "1", 0), gone("/ovs/c")}, false},
		{"one more key", []mapping.Change{put("/ovs/a", "1", 0), put("/ovs/b", "2", 7), put("/ovs/z", "2", 0)}, false},
		{"one more removed", []mapping.Change{put("/ovs/a", "1", 0), put("/ovs/b", "2", 7), gone("/ovs/z")}, false},
		{"nothing of this prefix", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &attempt{plan: plan}
			a.witness(12, test.changes)
			if got := a.seen == 12; got != test.want {
				t.Errorf("recognised: %v", got)
			}
		})
	}
}
