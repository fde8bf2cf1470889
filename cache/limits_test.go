package cache_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// TestManyGuards: an edit that read more keys than a transaction compares one by one.
func TestManyGuards(t *testing.T) {
	const keys = 1_000
	e := newEtcd(t)
	var pairs []string
	for i := range keys {
		pairs = append(pairs, fmt.Sprintf("/ovs/d/%04d", i), "0")
	}
	e.put(pairs...)
	n := open(t, e.addr)
	tries := 0
	err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
		var plan mapping.Plan
		for kv := range tree.Under("/ovs/d") {
			plan.Guards = append(plan.Guards, mapping.Guard{Key: kv.Key, ModRevision: kv.ModRevision})
			plan.Puts = append(plan.Puts, mapping.Put{Key: kv.Key, Value: append([]byte("1"), kv.Value...)})
		}
		if tries++; tries == 1 {
			e.put("/ovs/d/0777", "foreign")
		}
		return plan, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n.agree(e)
	if kv, _ := n.Tree().Get("/ovs/d/0777"); string(kv.Value) != "1foreign" || tries != 2 {
		t.Errorf("%q after %d tries", kv.Value, tries)
	}
}

func TestTooLarge(t *testing.T) {
	e := newEtcd(t, embedded.MaxRequestBytes(100_000))
	large := strings.Repeat("x", 99_800)
	e.put("/ovs/a/1", large, "/ovs/b", "1")
	known := open(t, e.addr, func(o *cache.Options) { o.RequestLimit = 100_000 })
	unknown := open(t, e.addr)
	_, before := e.below("/ovs")
	for _, n := range []*node{known, unknown} {
		wantKind(t, n.Commit(e.ctx, set("/ovs/b", large+large)), mapping.TooLarge)
		wantKind(t, n.Commit(e.ctx, move("/ovs/a", "/ovs/"+strings.Repeat("n", 200))), mapping.MoveTooLarge)
		wantKind(t, n.Commit(e.ctx, set("/ovs/b", strings.Repeat(large, 40))), mapping.TooLarge)
	}
	if _, after := e.below("/ovs"); after != before {
		t.Errorf("revision %d became %d", before, after)
	}
	if err := known.Commit(e.ctx, set("/ovs/b", large)); err != nil {
		t.Error(err)
	}
}

func TestQuota(t *testing.T) {
	e := newEtcd(t, embedded.Quota(4<<20))
	n := open(t, e.addr)
	value := strings.Repeat("x", 1<<20)
	var err error
	for i := 0; err == nil && i < 20; i++ {
		err = n.Commit(e.ctx, set(fmt.Sprintf("/ovs/%d", i), value))
	}
	wantKind(t, err, mapping.NoSpace)
	if !e.alarm() {
		t.Error("etcd has not raised its alarm")
	}
	n.agree(e)
	e.t.Log(n.Usage())
}
