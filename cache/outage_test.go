package cache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// awaitWritable waits until the node says that etcd is there, or that it is not.
func awaitWritable(t *testing.T, n *node, want bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for (n.Writable() == nil) != want {
		select {
		case <-ctx.Done():
			t.Fatalf("writable never became %v: %+v", want, n.Status())
		case <-tick.C:
		}
	}
}

func TestLossIsNoticedAndResumed(t *testing.T) {
	for _, test := range []struct {
		name        string
		lose, heal  string
		compactAway bool
	}{
		{name: "connection refused", lose: "cut"},
		{name: "black hole", lose: "stall"},
		{name: "compacted meanwhile", lose: "cut", compactAway: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newEtcd(t)
			e.put("/ovs/kept", "1", "/ovs/gone", "1", "/ovs/d/changed", "1", "/ovs/same", "1")
			proxy := proxied(t, e)
			n := open(t, proxy.Addr())
			if err := n.Writable(); err != nil {
				t.Fatal(err)
			}
			if test.lose == "cut" {
				proxy.Cut()
			} else {
				proxy.Stall()
			}
			awaitWritable(t, n, false) // idle: nobody asks anything of etcd
			wantKind(t, n.Writable(), mapping.ReadOnly)
			wantKind(t, n.Commit(e.ctx, set("/ovs/a", "1")), mapping.ReadOnly)
			if s := n.Status(); s.Connected || s.Error == "" {
				t.Errorf("%+v", s)
			}
			if kv, _ := n.Tree().Get("/ovs/kept"); string(kv.Value) != "1" {
				t.Error("the last tree is not shown any more")
			}

			before := n.len()
			e.put("/ovs/d/changed", "2", "/ovs/new", "1")
			e.put("/ovs/d/changed", "3", "/ovs/same", "1")
			e.txn(clientv3.OpDelete("/ovs/gone"))
			if test.compactAway {
				e.compactAll()
			}
			if test.lose == "stall" {
				proxy.Break() // what a keepalive does
			}
			proxy.Heal()
			awaitWritable(t, n, true)
			n.agree(e)
			if err := n.Commit(e.ctx, set("/ovs/a", "1")); err != nil {
				t.Fatal(err)
			}
			if !test.compactAway {
				if n.Status().Rereads != 0 {
					t.Error("the prefix was read again without need")
				}
				return
			}
			p := n.await(before, func(p publication) bool { return len(p.keys) > 0 })
			if got, want := fmt.Sprint(p.keys), "[/ovs/d/changed /ovs/gone /ovs/new]"; got != want {
				t.Errorf("the difference was %s, want %s", got, want)
			}
			if n.Status().Rereads != 1 {
				t.Errorf("%d readings", n.Status().Rereads)
			}
		})
	}
}

// TestForeignCluster leads the same address to another cluster, whose revision
// is lower or higher than the shown one.
func TestForeignCluster(t *testing.T) {
	for _, ahead := range []bool{false, true} {
		t.Run(fmt.Sprintf("ahead %v", ahead), func(t *testing.T) {
			first, second := newEtcd(t), newEtcd(t)
			behind, other := second, first
			if ahead {
				behind, other = first, second
			}
			for i := range 20 {
				other.put("/ovs/b", fmt.Sprint(i), fmt.Sprintf("/ovs/many/%d", i), "1")
			}
			behind.put("/ovs/a", "1", "/ovs/few", "1")
			proxy := proxied(t, first)
			n := open(t, proxy.Addr())
			proxy.SetTarget(second.addr)
			// Whether the loss is noticed by the commit or before it, it ends well.
			if err := n.Commit(second.ctx, set("/ovs/mine", "1")); err != nil {
				t.Fatal(err)
			}
			n.agree(second)
			if n.Status().Rereads == 0 {
				t.Error("the prefix was not read again")
			}
		})
	}
}

// TestManyOutages cuts the connection again and again while others write.
func TestManyOutages(t *testing.T) {
	e := newEtcd(t)
	proxy := proxied(t, e)
	n := open(t, proxy.Addr())
	for round := range 12 {
		for i := range 20 {
			e.put(fmt.Sprintf("/ovs/%d/%d", round, i), "1", "/ovs/x", fmt.Sprint(round, i), "/ovs/y", fmt.Sprint(round, i))
			if i == round {
				proxy.Break()
			}
		}
		if round%4 == 3 {
			proxy.Cut()
			e.put("/ovs/x", "z", "/ovs/y", "z")
			e.compactAll()
			proxy.Heal()
		}
		n.agree(e)
	}
	for _, p := range n.soFar() {
		x, _ := p.new.Get("/ovs/x")
		y, _ := p.new.Get("/ovs/y")
		if string(x.Value) != string(y.Value) {
			t.Fatalf("revision %d shows %s and %s", p.new.Revision(), x.Value, y.Value)
		}
	}
}
