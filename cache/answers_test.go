package cache

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// What a commit applies by itself, without waiting for the watch, is what the
// watch says of that revision, with all metadata.
func TestAnswersSayWhatTheWatchSays(t *testing.T) {
	server, err := embedded.Start(t.TempDir(), "http://127.0.0.1:0", nil, embedded.UnsafeNoFsync())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := clientv3.New(clientv3.Config{Endpoints: server.Endpoints(), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := Open(ctx, Options{Client: client, Settings: mapping.Settings{Prefix: "/ovs"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lease, err := client.Grant(ctx, 1000)
	if err != nil {
		t.Fatal(err)
	}
	watcher := clientv3.NewWatcher(client)
	defer watcher.Close()
	events := watcher.Watch(ctx, "/ovs", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events

	r := rand.New(rand.NewPCG(5, 6))
	for round := range 200 {
		a := &attempt{}
		var base *mapping.Tree
		err := c.Commit(ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
			base, a.plan = tree, randomPlan(r, tree, int64(lease.ID), round)
			return a.plan, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		response := <-events
		want := map[string]mapping.Change{}
		for revision, changes := range c.revisions(response) {
			for _, change := range changes {
				want[change.Key] = change
			}
			if revision != base.Revision()+1 {
				t.Fatalf("revision %d after %d", revision, base.Revision())
			}
		}
		changes, ok := a.changes(c, base, base.Revision()+1)
		if !ok {
			t.Fatal("it cannot be said what the answer means")
		}
		got := map[string]mapping.Change{}
		for _, change := range changes {
			got[change.Key] = change
		}
		if !maps.EqualFunc(got, want, func(a, b mapping.Change) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Fatalf("round %d: the answer says\n%v, the watch\n%v", round, got, want)
		}
	}
}

// randomPlan puts some keys, new and old, with and without a lease, and removes
// others, one by one and a directory whole.
func randomPlan(r *rand.Rand, tree *mapping.Tree, lease int64, round int) mapping.Plan {
	plan := mapping.Plan{Puts: []mapping.Put{{Key: "/ovs/round", Value: fmt.Append(nil, round)}}}
	for i := range 10 {
		key := fmt.Sprintf("/ovs/d%d/k%d", i%3, i)
		switch r.IntN(4) {
		case 0:
			put := mapping.Put{Key: key, Value: fmt.Append(nil, round)}
			if r.IntN(2) == 0 {
				put.Lease = lease
			}
			plan.Puts = append(plan.Puts, put)
		case 1:
			plan.Deletes = append(plan.Deletes, key)
		}
	}
	if r.IntN(3) == 0 {
		var n int64
		for range tree.Under("/ovs/e") {
			n++
		}
		if n > 0 {
			plan.DeleteRanges = append(plan.DeleteRanges, mapping.Range{Prefix: "/ovs/e/", Count: n, MaxModRevision: tree.Revision()})
		}
	} else {
		plan.Puts = append(plan.Puts, mapping.Put{Key: fmt.Sprintf("/ovs/e/%d", r.IntN(5)), Value: []byte("e")})
	}
	return plan
}
