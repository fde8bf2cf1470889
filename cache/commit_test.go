package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestCommitIsShownWhenItReturns(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	for i := range 200 {
		value := fmt.Sprint(i)
		if i%3 == 0 {
			e.put("/elsewhere", value, "/ovs/other", value)
		}
		if err := n.Commit(e.ctx, set("/ovs/a", value)); err != nil {
			t.Fatal(err)
		}
		if kv, _ := n.Tree().Get("/ovs/a"); string(kv.Value) != value {
			t.Fatalf("after storing %s: %s is shown", value, kv.Value)
		}
	}
	n.agree(e)
	// What the commits applied themselves is what the watch would have.
	for _, p := range n.soFar() {
		if kv, ok := p.new.Get("/ovs/a"); ok && (kv.ModRevision > p.new.Revision() || kv.Version < 1 || kv.CreateRevision > kv.ModRevision) {
			t.Fatalf("revision %d shows %+v", p.new.Revision(), kv)
		}
	}
}

func TestCommitOfNothing(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	_, before := e.below("/ovs")
	if err := n.Commit(e.ctx, func(*mapping.Tree) (mapping.Plan, error) { return mapping.Plan{}, nil }); err != nil {
		t.Fatal(err)
	}
	refused := mapping.Errorf(mapping.Stale, "a", "changed meanwhile")
	if err := n.Commit(e.ctx, func(*mapping.Tree) (mapping.Plan, error) { return mapping.Plan{}, refused }); !errors.Is(err, refused) {
		t.Errorf("the edit's error became %v", err)
	}
	// Deleting what is not there makes no revision.
	if err := n.Commit(e.ctx, func(*mapping.Tree) (mapping.Plan, error) { return mapping.Plan{Deletes: []string{"/ovs/no"}}, nil }); err != nil {
		t.Fatal(err)
	}
	if _, after := e.below("/ovs"); after != before {
		t.Errorf("revision %d became %d", before, after)
	}
}

// TestUnchanged has another node write among the keys that an edit has looked at as a
// whole, after it was planned: it is planned again.
func TestUnchanged(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	e.put("/ovs/all/1", "1")
	plans := 0
	err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
		if plans++; plans == 1 {
			e.put("/ovs/all/2", "2")
		}
		if _, ok := tree.Get("/ovs/all/2"); ok {
			return mapping.Plan{}, mapping.Errorf(mapping.Exists, "all", "there are two")
		}
		return mapping.Plan{Unchanged: []string{"/ovs/all/"}, Puts: []mapping.Put{{Key: "/ovs/one", Value: []byte("1")}}}, nil
	})
	if mapping.KindOf(err) != mapping.Exists || plans < 2 {
		t.Errorf("%v after %d plans", err, plans)
	}
	err = n.Commit(e.ctx, func(*mapping.Tree) (mapping.Plan, error) {
		return mapping.Plan{Unchanged: []string{"/ovs/all/", "/ovs/none/"}, Puts: []mapping.Put{{Key: "/ovs/all/3", Value: []byte("1")}}}, nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTwoNodesCount lets four writers on two nodes add to one number.
func TestTwoNodesCount(t *testing.T) {
	const writers, each = 4, 125
	e := newEtcd(t)
	nodes := []*node{open(t, e.addr), open(t, e.addr)}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				if err := nodes[w%2].Commit(e.ctx, add("/ovs/n")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, n := range nodes {
		n.agree(e)
		if kv, _ := n.Tree().Get("/ovs/n"); string(kv.Value) != fmt.Sprint(writers*each) {
			t.Errorf("%d additions made %s", writers*each, kv.Value)
		}
	}
}

func TestMoveOfALargeDirectory(t *testing.T) {
	const keys = 5_000
	e := newEtcd(t)
	var pairs []string
	for i := range keys {
		pairs = append(pairs, fmt.Sprintf("/ovs/from/%d/%d", i%50, i), fmt.Sprint(i))
	}
	e.put(pairs...)
	n, other := open(t, e.addr), open(t, e.addr)
	want := shown(n.Tree())
	if err := n.Commit(e.ctx, move("/ovs/from", "/ovs/to")); err != nil {
		t.Fatal(err)
	}
	got := shown(n.Tree())
	for key, kv := range want {
		moved := strings.Replace(key, "/from/", "/to/", 1)
		if string(got[moved].Value) != string(kv.Value) || got[moved].ModRevision != n.Tree().Revision() {
			t.Fatalf("%s: %+v", moved, got[moved])
		}
	}
	n.agree(e)
	p := other.await(0, func(p publication) bool { return len(p.keys) > 0 })
	if len(p.keys) != 2*keys || p.new.Revision() != n.Tree().Revision() {
		t.Errorf("another node saw revision %d with %d keys first", p.new.Revision(), len(p.keys))
	}
	// The target is taken now.
	e.put("/ovs/from/again", "1")
	n.agree(e)
	wantKind(t, n.Commit(e.ctx, move("/ovs/from", "/ovs/to")), mapping.Busy)
}

func TestForeignChangesAreNotLost(t *testing.T) {
	for _, test := range []struct {
		name    string
		keys    int
		foreign func(e *etcd)
		want    map[string]string
	}{
		{"changed", 3, func(e *etcd) { e.put("/ovs/from/1", "new") }, map[string]string{"/ovs/to/1": "new"}},
		{"changed in a large one", 300, func(e *etcd) { e.put("/ovs/from/1", "new") }, map[string]string{"/ovs/to/1": "new"}},
		{"added", 3, func(e *etcd) { e.put("/ovs/from/new", "x") }, map[string]string{"/ovs/to/new": "x"}},
		{"added in a large one", 300, func(e *etcd) { e.put("/ovs/from/new", "x") }, map[string]string{"/ovs/to/new": "x"}},
		{"removed", 3, func(e *etcd) { e.txn(clientv3.OpDelete("/ovs/from/1")) }, map[string]string{"/ovs/to/1": ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEtcd(t)
			var pairs []string
			for i := range test.keys {
				pairs = append(pairs, fmt.Sprintf("/ovs/from/%d", i), "old")
			}
			e.put(pairs...)
			n := open(t, e.addr)
			first := true
			err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
				plan, err := move("/ovs/from", "/ovs/to")(tree)
				if first { // planned, not sent
					first = false
					test.foreign(e)
				}
				return plan, err
			})
			if err != nil {
				t.Fatal(err)
			}
			n.agree(e)
			for key, value := range test.want {
				if kv, ok := n.Tree().Get(key); string(kv.Value) != value || ok != (value != "") {
					t.Errorf("%s: %q", key, kv.Value)
				}
			}
			for kv := range n.Tree().Under("/ovs/from") {
				t.Errorf("%s is left", kv.Key)
			}
		})
	}
}

// TestForeignDeletesInALargeMove: who removes keys of a directory while it is moved is either before
// the move, which then has none of them, or after it.
func TestForeignDeletesInALargeMove(t *testing.T) {
	const keys = 1_000
	e := newEtcd(t)
	var pairs []string
	for i := range keys {
		pairs = append(pairs, fmt.Sprintf("/ovs/a/%04d", i), "old")
	}
	e.put(pairs...)
	n := open(t, e.addr)
	from, to := "/ovs/a", "/ovs/b"
	left := keys
	for round := range 10 {
		planned := 0
		err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
			plan, err := move(from, to)(tree)
			if planned++; planned == 1 {
				// It is planned with keys that are gone when it arrives.
				e.txn(clientv3.OpDelete(fmt.Sprintf("%s/%04d", from, 7*round)), clientv3.OpDelete(fmt.Sprintf("%s/%04d", from, keys-1-7*round)))
				left -= 2
			}
			return plan, err
		})
		if err != nil || planned != 2 {
			t.Fatalf("%v, planned %d times", err, planned)
		}
		n.agree(e)
		stored, _ := e.below("/ovs")
		if len(stored) != left {
			t.Fatalf("%d keys, want %d: what was removed came back", len(stored), left)
		}
		for key := range stored {
			if !strings.HasPrefix(key, to+"/") {
				t.Fatalf("%s is left behind", key)
			}
		}
		from, to = to, from
	}
}

// TestSmallerServer: a server that takes less than the mount believes gets a move without what
// only makes it surer.
func TestSmallerServer(t *testing.T) {
	e := newEtcd(t, embedded.MaxRequestBytes(100_000))
	var pairs []string
	for i := range 1_500 {
		pairs = append(pairs, fmt.Sprintf("/ovs/from/%04d", i), "0123456789")
	}
	e.put(pairs...)
	n := open(t, e.addr)
	if err := n.Commit(e.ctx, move("/ovs/from", "/ovs/to")); err != nil {
		t.Fatal(err)
	}
	n.agree(e)
}

// TestVanishedKeyIsReported: where the request has no room for compares a key that was removed
// meanwhile is noticed afterwards, and said.
func TestVanishedKeyIsReported(t *testing.T) {
	e := newEtcd(t)
	var pairs []string
	for i := range 300 {
		pairs = append(pairs, fmt.Sprintf("/ovs/from/%03d", i), "old")
	}
	e.put(pairs...)
	n := open(t, e.addr, func(o *cache.Options) { o.RequestLimit = 9_800 })
	err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
		plan, err := move("/ovs/from", "/ovs/to")(tree)
		e.txn(clientv3.OpDelete("/ovs/from/200"))
		return plan, err
	})
	wantKind(t, err, mapping.Busy)
	n.agree(e)
}

// TestPresent: a change that relies on a key outside the tree is made while it is there, and refused
// as LockLost after that, alone and with more guards than the top level has room for.
func TestPresent(t *testing.T) {
	e := newEtcd(t)
	pairs := []string{"/locks/held", "x"}
	for i := range 300 {
		pairs = append(pairs, fmt.Sprintf("/ovs/from/%03d", i), "old")
	}
	e.put(pairs...)
	n := open(t, e.addr)
	relying := func(edit mapping.Edit) mapping.Edit {
		return func(tree *mapping.Tree) (mapping.Plan, error) {
			plan, err := edit(tree)
			plan.Present = []string{"/locks/held"}
			return plan, err
		}
	}
	for _, there := range []bool{true, false} {
		for _, edit := range []mapping.Edit{set("/ovs/a", fmt.Sprint(there)), move("/ovs/from", "/ovs/to")} {
			if err := n.Commit(e.ctx, relying(edit)); there && err != nil {
				t.Fatal(err)
			} else if !there {
				wantKind(t, err, mapping.LockLost)
			}
		}
		e.txn(clientv3.OpDelete("/locks/held"), clientv3.OpDelete("/ovs/to/", clientv3.WithPrefix()))
		e.put(pairs[2:]...)
		if _, err := n.Barrier(e.ctx); err != nil {
			t.Fatal(err)
		}
	}
	n.agree(e)
	if kv, _ := n.Tree().Get("/ovs/a"); string(kv.Value) != "true" {
		t.Errorf("%q", kv.Value)
	}
}

func TestOthersNeverStop(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	err := n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
		plan, err := set("/ovs/a", "mine")(tree)
		e.put("/ovs/a", "theirs")
		return plan, err
	})
	wantKind(t, err, mapping.Busy)
}

func TestLeaseStaysAttached(t *testing.T) {
	e := newEtcd(t)
	lease, err := e.Grant(e.ctx, 3600)
	if err != nil {
		t.Fatal(err)
	}
	e.txn(clientv3.OpPut("/ovs/from/a", "x", clientv3.WithLease(lease.ID)))
	n := open(t, e.addr)
	if err := n.Commit(e.ctx, move("/ovs/from", "/ovs/to")); err != nil {
		t.Fatal(err)
	}
	if kv, _ := n.Tree().Get("/ovs/to/a"); kv.Lease != int64(lease.ID) {
		t.Errorf("%+v", kv)
	}
	n.agree(e)
	// A lease that ends between planning and sending takes its key along; the edit is made again.
	revoked := false
	err = n.Commit(e.ctx, func(tree *mapping.Tree) (mapping.Plan, error) {
		plan, err := move("/ovs/to", "/ovs/there")(tree)
		if !revoked {
			revoked = true
			if _, err := e.Revoke(e.ctx, lease.ID); err != nil {
				t.Error(err)
			}
		}
		return plan, err
	})
	if err != nil {
		t.Fatal(err)
	}
	n.agree(e)
}

func TestCommitAfterClose(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	if err := n.Commit(e.ctx, set("/ovs/a", "1")); err != nil {
		t.Fatal(err)
	}
	n.Close()
	if kv, _ := n.Tree().Get("/ovs/a"); string(kv.Value) != "1" {
		t.Error("the last tree is gone")
	}
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	wantKind(t, n.Commit(ctx, set("/ovs/a", "2")), mapping.Canceled)
}
