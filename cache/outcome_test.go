package cache_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/test/faults"
)

// commitLosing starts a commit whose connection is broken as soon as the
// request has reached etcd, or before it does, and returns how it ended.
func commitLosing(t *testing.T, e *etcd, n *node, proxy *faults.Proxy, answer bool, edit mapping.Edit) error {
	t.Helper()
	if answer {
		proxy.HoldAnswers()
	} else {
		proxy.HoldRequests()
	}
	_, before := e.below("/ovs")
	ended := make(chan error, 1)
	go func() { ended <- n.Commit(e.ctx, edit) }()
	if answer {
		// The change is made, and nobody tells.
		for {
			if _, now := e.below("/ovs"); now > before {
				break
			}
			if e.ctx.Err() != nil {
				t.Fatal("the change was not made")
			}
		}
		proxy.AwaitHeld()
	} else {
		proxy.AwaitHeldRequests()
	}
	proxy.Break()
	proxy.Heal()
	return <-ended
}

func TestLostAnswer(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer bool // the answer is lost; else the request
	}{{"answer lost", true}, {"request lost", false}} {
		t.Run(test.name, func(t *testing.T) {
			e := newEtcd(t)
			e.put("/ovs/n", "0", "/ovs/from/a", "1", "/ovs/from/b", "2")
			proxy := proxied(t, e)
			n := open(t, proxy.Addr())
			for i := range 5 {
				if err := commitLosing(t, e, n, proxy, test.answer, add("/ovs/n")); err != nil {
					t.Fatal(err)
				}
				if kv, _ := n.Tree().Get("/ovs/n"); string(kv.Value) != fmt.Sprint(i+1) {
					t.Fatalf("counted %d times, shown is %s", i+1, kv.Value)
				}
				n.agree(e)
			}
			if err := commitLosing(t, e, n, proxy, test.answer, move("/ovs/from", "/ovs/to")); err != nil {
				t.Fatal(err)
			}
			n.agree(e)
			if err := commitLosing(t, e, n, proxy, test.answer, func(tree *mapping.Tree) (mapping.Plan, error) {
				if _, ok := tree.Get("/ovs/to/a"); !ok {
					return mapping.Plan{}, mapping.Errorf(mapping.NotFound, "to/a", "gone already")
				}
				return mapping.Plan{Deletes: []string{"/ovs/to/a"}}, nil
			}); err != nil {
				t.Fatal(err)
			}
			n.agree(e)
		})
	}
}

// TestLostAnswerOverwritten: the change was made, the answer was lost, and somebody else
// has changed the same key since. It counts as made, once.
func TestLostAnswerOverwritten(t *testing.T) {
	for _, compact := range []bool{false, true} {
		t.Run(fmt.Sprintf("compacted %v", compact), func(t *testing.T) {
			e := newEtcd(t)
			e.put("/ovs/n", "0", "/ovs/m", "0")
			proxy := proxied(t, e)
			n := open(t, proxy.Addr())
			proxy.HoldAnswers()
			ended := make(chan error, 1)
			go func() { ended <- n.Commit(e.ctx, add("/ovs/n")) }()
			for {
				all, _ := e.below("/ovs")
				if string(all["/ovs/n"].Value) == "1" {
					break
				}
				if e.ctx.Err() != nil {
					t.Fatal("the change was not made")
				}
			}
			want := "1"
			if compact {
				e.put("/ovs/m", "5")
				e.compactAll()
			} else {
				e.put("/ovs/n", "50")
				want = "50"
			}
			proxy.Break()
			proxy.Heal()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			n.agree(e)
			if kv, _ := n.Tree().Get("/ovs/n"); string(kv.Value) != want {
				t.Errorf("%s, want %s", kv.Value, want)
			}
		})
	}
}

func TestOutcomeThatCannotBeLearned(t *testing.T) {
	e := newEtcd(t)
	e.put("/ovs/n", "0")
	proxy := proxied(t, e)
	n := open(t, proxy.Addr())
	proxy.HoldAnswers()
	ctx, cancel := context.WithTimeout(e.ctx, time.Second)
	defer cancel()
	wantKind(t, n.Commit(ctx, add("/ovs/n")), mapping.TimedOut)

	proxy.Break()
	proxy.Heal()
	n.agree(e)
}

// TestCountingThroughOutages: two nodes count up one number each while connections
// break all the time; every addition that was acknowledged counts once.
func TestCountingThroughOutages(t *testing.T) {
	const each = 60
	e := newEtcd(t)
	proxy := proxied(t, e)
	nodes := []*node{open(t, proxy.Addr()), open(t, proxy.Addr())}
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for range each {
				if err := n.Commit(e.ctx, add(fmt.Sprintf("/ovs/%d", i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	var breaker sync.WaitGroup
	breaker.Go(func() {
		tick := time.NewTicker(15 * time.Millisecond)
		defer tick.Stop()
		for i := 0; i < 40; i++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if i%3 == 0 {
				proxy.HoldAnswers()
			} else {
				proxy.Break()
				proxy.Heal()
			}
		}
		proxy.Break()
		proxy.Heal()
	})
	wg.Wait()
	close(done)
	breaker.Wait()
	proxy.Heal()
	for i, n := range nodes {
		n.agree(e)
		if kv, _ := n.Tree().Get(fmt.Sprintf("/ovs/%d", i)); string(kv.Value) != fmt.Sprint(each) {
			t.Errorf("%d additions made %s", each, kv.Value)
		}
	}
}
