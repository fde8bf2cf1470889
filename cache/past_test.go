package cache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// states makes revisions of all sorts and returns what etcd held at each.
func states(e *etcd) map[int64]map[string]mapping.KV {
	all := map[int64]map[string]mapping.KV{}
	note := func(revision int64) {
		held, _ := e.below("/ovs")
		all[revision] = held
	}
	note(e.put("/ovs/a", "1", "/ovs/b/c", `{"x": 1}`, "/ovs/b/d", "raw\ntext", "/other", "x"))
	note(e.put("/ovs/b/c", `{"x": 2}`))
	note(e.txn(clientv3.OpDelete("/ovs/a"), clientv3.OpPut("/ovs/e/f/g", "new")))
	note(e.put("/other", "y"))
	note(e.put("/ovs/a", "again"))
	note(e.put("/ovs/b/c", `{"x": 2}`)) // the same bytes
	note(e.txn(clientv3.OpDelete("/ovs/b/", clientv3.WithPrefix())))
	note(e.put("/ovs", "of the prefix itself", "/ovs-not", "x"))
	return all
}

func TestAtIsWhatEtcdHeld(t *testing.T) {
	e := newEtcd(t)
	all := states(e)
	n := open(t, e.addr)
	for revision, want := range all {
		tree, err := n.At(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		if tree.Revision() != revision {
			t.Errorf("revision %d has the number %d", revision, tree.Revision())
		}
		equal(t, shown(tree), want)
		if again, err := n.At(t.Context(), revision); again != tree || err != nil {
			t.Errorf("revision %d asked for twice is two trees (%v)", revision, err)
		}
	}
	if tree, err := n.At(t.Context(), 1); err != nil || tree.Keys() != 0 {
		t.Errorf("the first revision of a store is %v, %v", tree, err)
	}
}

// Of a large tree that has changed in few places only these are read; what was
// written, deleted, and made again, must be found wherever it lies.
func TestAtFindsFewChangesAmongMany(t *testing.T) {
	e := newEtcd(t)
	fill(e, 8_000)
	random := rand.New(rand.NewPCG(3, 4))
	all := map[int64]map[string]mapping.KV{}
	for range 12 {
		held, revision := e.below("/ovs")
		all[revision] = held
		for range 1 + random.IntN(4) {
			i := random.IntN(8_200) // some are new
			if random.IntN(8) == 0 {
				i = []int{0, 7_999}[random.IntN(2)]
			}
			key := fmt.Sprintf("/ovs/%03d/%03d/%d", i/1000, i/10%100, i%10)
			if random.IntN(2) == 0 {
				e.txn(clientv3.OpDelete(key))
			}
			if random.IntN(3) > 0 {
				e.put(key, fmt.Sprint(random.IntN(100)))
			}
		}
	}
	e.txn(clientv3.OpPut("/ovs-near", "not of the prefix"), clientv3.OpPut("/ovs", "own"))
	n := open(t, e.addr)
	for revision, want := range all {
		tree, err := n.At(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, shown(tree), want)
	}
	e.txn(clientv3.OpDelete("/ovs/003", clientv3.WithPrefix()))
	n.agree(e)
	for revision, want := range all {
		tree, err := n.At(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, shown(tree), want)
	}
}

func TestAtSharesWithThePresent(t *testing.T) {
	e := newEtcd(t)
	old := e.put("/ovs/a/same", `{"x": [1, 2]}`, "/ovs/b/same", "1", "/ovs/b/other", "1")
	e.put("/ovs/b/other", "2")
	n := open(t, e.addr)
	then, err := n.At(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a", "a/same/x/0", "b/same"} {
		was, _ := then.Lookup(path)
		is, ok := n.Tree().Lookup(path)
		if !ok || was != is {
			t.Errorf("%s is stored twice", path)
		}
	}
	if was, _ := then.Lookup("b/other"); string(was.Content()) != "1\n" {
		t.Errorf("b/other was %q", was.Content())
	}
}

// Where all has changed since, two revisions of the past share what was the same in both.
func TestAtSharesWithTheNextOfThePast(t *testing.T) {
	e := newEtcd(t)
	older := e.put("/ovs/a/same", `{"x": [1, 2]}`, "/ovs/b/other", "1")
	newer := e.put("/ovs/b/other", "2")
	last := e.put("/ovs/a/same", "3", "/ovs/b/other", "3")
	n := open(t, e.addr)
	var trees []*mapping.Tree
	for _, revision := range []int64{last, newer, older} {
		tree, err := n.At(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	was, _ := trees[2].Lookup("a/same/x/0")
	if then, ok := trees[1].Lookup("a/same/x/0"); !ok || was != then {
		t.Error("a/same is stored twice")
	}
	if other, _ := trees[2].Lookup("b/other"); string(other.Content()) != "1\n" {
		t.Errorf("b/other was %q", other.Content())
	}
}

// Of a tree that is gone, all is read, page by page as there is nothing to divide it by; likewise one
// that was written anew.
func TestAtOfWhatIsGone(t *testing.T) {
	e := newEtcd(t)
	fill(e, 20_000)
	want, whole := e.below("/ovs")
	half := e.txn(clientv3.OpDelete("/ovs/00", clientv3.WithPrefix()))
	left, _ := e.below("/ovs")
	e.txn(clientv3.OpDelete("/ovs/", clientv3.WithPrefix()))
	n := open(t, e.addr)
	for range 2 {
		for revision, want := range map[int64]map[string]mapping.KV{whole: want, half: left, 1: nil} {
			tree, err := n.At(t.Context(), revision)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, shown(tree), want)
		}
		fill(e, 20_000)
		n.agree(e)
	}
}

// Who looks back over few changes asks little, wherever they lie.
func TestAtAsksLittle(t *testing.T) {
	e := newEtcd(t)
	fill(e, 8_000)
	_, first := e.below("/ovs")
	for i := range 50 {
		e.put(fmt.Sprintf("/ovs/%03d/%03d/3", i%8, 2*i), "changed")
	}
	e.put("/ovs/new/1", "1")
	_, changed := e.below("/ovs")
	e.txn(clientv3.OpDelete("/ovs/004/050/5"))
	requests, keys := 0, 0
	var mu sync.Mutex
	count := func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
		err := invoke(ctx, method, request, reply, cc, o...)
		mu.Lock()
		defer mu.Unlock()
		requests++
		switch r := reply.(type) {
		case *pb.RangeResponse:
			keys += len(r.Kvs)
		case *pb.TxnResponse:
			for _, op := range r.Responses {
				keys += len(op.GetResponseRange().GetKvs())
			}
		}
		return err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.addr}, Logger: zap.NewNop(), DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(count)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	n := open(t, e.addr, func(o *cache.Options) { o.Client = client })
	for _, c := range []struct {
		name           string
		revision       int64
		requests, keys int
	}{{"one deleted", changed, 20, 100}, {"50 changed and one deleted", first, 20, 150}} {
		mu.Lock()
		requests, keys = 0, 0
		mu.Unlock()
		if _, err := n.At(t.Context(), c.revision); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if requests > c.requests || keys > c.keys {
			t.Errorf("%s: %d requests and %d keys, want at most %d and %d", c.name, requests, keys, c.requests, c.keys)
		}
		mu.Unlock()
	}
}

// A tree that nobody holds is not kept.
func TestAtIsHeldWeakly(t *testing.T) {
	e := newEtcd(t)
	old := e.put("/ovs/a", "1")
	e.put("/ovs/a", "2")
	n := open(t, e.addr)
	let := make(chan struct{})
	func() {
		tree, err := n.At(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(tree, func(c chan struct{}) { close(c) }, let)
	}()
	expired := time.After(long)
	for {
		runtime.GC()
		select {
		case <-let:
			return
		case <-expired:
			t.Fatal("the tree is still kept")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestAtRefuses(t *testing.T) {
	e := newEtcd(t)
	first := e.put("/ovs/a", "1")
	for n := range 5 {
		e.put("/ovs/a", fmt.Sprint(n))
	}
	last := e.put("/other", "x")
	if _, err := e.Compact(e.ctx, last-2, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	n := open(t, e.addr)
	for revision, words := range map[int64]string{
		first:    fmt.Sprintf("the oldest one that it keeps is %d", last-2),
		last - 3: fmt.Sprintf("the oldest one that it keeps is %d", last-2),
		last + 9: "there is no revision",
		0:        "there is no revision 0",
		-7:       "there is no revision -7",
	} {
		_, err := n.At(t.Context(), revision)
		wantKind(t, err, mapping.NotFound)
		if !strings.Contains(err.Error(), words) {
			t.Errorf("revision %d: %v, want %q", revision, err, words)
		}
	}
	for revision := last - 2; revision <= last; revision++ {
		if _, err := n.At(t.Context(), revision); err != nil {
			t.Errorf("revision %d: %v", revision, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := n.At(ctx, last-1)
	if err != nil {
		wantKind(t, err, mapping.Canceled)
	}
}

func TestAtWaitsForEtcd(t *testing.T) {
	e := newEtcd(t)
	old := e.put("/ovs/a", "1")
	e.put("/ovs/a", "2")
	p := proxied(t, e)
	n := open(t, p.Addr())
	p.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := n.At(ctx, old)
	wantKind(t, err, mapping.TimedOut)
	p.Heal()
	tree, err := n.At(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, shown(tree), map[string]mapping.KV{"/ovs/a": {Key: "/ovs/a", Value: []byte("1"), CreateRevision: old, ModRevision: old, Version: 1}})
}

// BenchmarkAt reads an older revision of 100,000 keys, of which some have changed since,
// beside one bare range of them.
func BenchmarkAt(b *testing.B) {
	const keys = 100_000
	for _, changed := range []int{10, 10_000, keys} {
		e := newEtcd(b)
		fill(e, keys)
		_, revision := e.below("/ovs")
		for from := 0; from < changed; from += 10_000 {
			var ops []clientv3.Op
			for i := from; i < min(changed, from+10_000); i++ {
				ops = append(ops, clientv3.OpPut(fmt.Sprintf("/ovs/%03d/%03d/%d", i/1000, i/10%100, i%10), fmt.Sprintf("%011d", i)))
			}
			e.txn(ops...)
		}
		n := open(b, e.addr)
		b.Run(fmt.Sprintf("changed=%d/bare", changed), func(b *testing.B) {
			for b.Loop() {
				r, err := e.Get(b.Context(), "/ovs/", clientv3.WithRange("/ovs0"), clientv3.WithRev(revision))
				if err != nil || len(r.Kvs) != keys {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("changed=%d/at", changed), func(b *testing.B) {
			for b.Loop() {
				tree, err := n.At(b.Context(), revision)
				if err != nil || tree.Keys() != keys {
					b.Fatal(err)
				}
				b.StopTimer()
				tree = nil
				runtime.GC()
				runtime.GC()
				b.StartTimer()
			}
		})
	}
}
