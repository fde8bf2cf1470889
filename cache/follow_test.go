package cache_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// TestFollowEqualsRange lets somebody else change many keys in random
// transactions, each of which also writes one number to three keys: no shown tree may hold two
// of them, and every shown tree is that of its revision.
func TestFollowEqualsRange(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			e := newEtcd(t)
			n := open(t, e.addr)
			lease, err := e.Grant(e.ctx, 3600)
			if err != nil {
				t.Fatal(err)
			}
			history := map[int64]map[string]mapping.KV{}
			for round := range 150 {
				number := fmt.Sprint(round)
				ops := []clientv3.Op{clientv3.OpPut("/ovs/x", number), clientv3.OpPut("/ovs/d/y", number), clientv3.OpPut("/ovs/z", `{"n":`+number+`}`)}
				used := map[string]bool{}
				for range random.IntN(12) {
					key := hostile[random.IntN(len(hostile))]
					if used[key] {
						continue
					}
					used[key] = true
					switch random.IntN(4) {
					case 0:
						ops = append(ops, clientv3.OpDelete(key))
					case 1:
						ops = append(ops, clientv3.OpPut(key, number, clientv3.WithLease(lease.ID)))
					default:
						ops = append(ops, clientv3.OpPut(key, fmt.Sprint(random.IntN(3))))
					}
				}
				e.txn(ops...)
				if random.IntN(10) == 0 {
					all, revision := e.below("/ovs")
					history[revision] = all
				}
				if random.IntN(40) == 0 {
					e.txn(clientv3.OpDelete("/ovs/", clientv3.WithPrefix()))
				}
			}
			n.agree(e)
			if _, err := e.Revoke(e.ctx, lease.ID); err != nil {
				t.Fatal(err)
			}
			n.agree(e)

			for _, p := range n.soFar() {
				var numbers []string
				for _, key := range []string{"/ovs/x", "/ovs/d/y", "/ovs/z"} {
					kv, _ := p.new.Get(key)
					numbers = append(numbers, string(kv.Value))
				}
				if numbers[0] != numbers[1] || numbers[0] != "" && numbers[2] != `{"n":`+numbers[0]+`}` {
					t.Fatalf("revision %d shows half a transaction: %q", p.new.Revision(), numbers)
				}
				if want, ok := history[p.new.Revision()]; ok {
					equal(t, shown(p.new), want)
				}
			}
		})
	}
}

// TestLargeRevision removes so many keys at once that the events exceed what a
// request may hold (1.5 MiB). They are shown as one change, and soon.
func TestLargeRevision(t *testing.T) {
	const keys, groups = 4_000, 4
	e := newEtcd(t)
	long := strings.Repeat("long", 175)
	for group := range groups {
		var pairs []string
		for i := range keys / groups {
			pairs = append(pairs, fmt.Sprintf("/ovs/d/%d/%s%d", group, long, i), "")
		}
		e.put(pairs...)
	}
	n := open(t, e.addr)
	revision := e.txn(clientv3.OpPut("/ovs/a", "1"), clientv3.OpDelete("/ovs/d/", clientv3.WithPrefix()))
	p := n.await(0, func(p publication) bool { return len(p.keys) > 0 })
	if p.new.Revision() != revision || len(p.keys) != keys+1 || p.new.Keys() != 1 {
		t.Errorf("the first change shown is of revision %d with %d keys and leaves %d; want %d, %d and 1",
			p.new.Revision(), len(p.keys), p.new.Keys(), revision, keys+1)
	}
}

// TestSameValue: a rewrite of the same bytes is no change, only newer metadata.
func TestSameValue(t *testing.T) {
	e := newEtcd(t)
	e.put("/ovs/a", "1")
	n := open(t, e.addr)
	revision := e.put("/ovs/a", "1")
	p := n.await(0, func(p publication) bool { return p.new.Revision() == revision })
	if kv, _ := p.new.Get("/ovs/a"); len(p.keys) != 0 || kv.ModRevision != revision || kv.Version != 2 {
		t.Errorf("keys %q, %+v", p.keys, kv)
	}
}

// TestBarrierWithOtherKeys: the newest revision is of a key that is not shown.
func TestBarrierWithOtherKeys(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	for _, key := range []string{"/elsewhere", "/ovs-x", "/ovs/a"} {
		revision := e.put(key, "1")
		got, err := n.Barrier(e.ctx)
		if err != nil || got != revision || n.Tree().Revision() != revision {
			t.Errorf("after %s: barrier %d, %v, shown %d; want %d", key, got, err, n.Tree().Revision(), revision)
		}
	}
}
