package clusterlock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache/clusterlock"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/lock"
	"github.com/openvstorage/ovscfgfs/test/faults"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const long = time.Minute

// lab is an etcd and a client of it.
type lab struct {
	t      *testing.T
	addr   string
	client *clientv3.Client
	ctx    context.Context
}

func newLab(t *testing.T) *lab {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), "http://127.0.0.1:0", nil, embedded.UnsafeNoFsync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), long)
	t.Cleanup(cancel)
	e := &lab{t: t, addr: strings.TrimPrefix(server.Endpoints()[0], "http://"), ctx: ctx}
	e.client = e.dial(e.addr)
	return e
}

func (e *lab) dial(addr string) *clientv3.Client {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, Logger: zap.NewNop()})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { client.Close() })
	return client
}

// mount is the locker of one mount.
func (e *lab) mount(addr string) *clusterlock.Locker {
	l := clusterlock.New(clusterlock.Options{Client: e.dial(addr), TTL: 2 * time.Second, Timeout: 2 * time.Second})
	e.t.Cleanup(l.Close)
	return l
}

func (e *lab) keys() []string {
	e.t.Helper()
	got, err := e.client.Get(e.ctx, clusterlock.DefaultBase, clientv3.WithPrefix())
	if err != nil {
		e.t.Fatal(err)
	}
	var keys []string
	for _, kv := range got.Kvs {
		keys = append(keys, string(kv.Key)+" "+string(kv.Value))
	}
	return keys
}

// awaitKeys returns when there are n keys that contain part.
func (e *lab) awaitKeys(part string, n int) {
	e.t.Helper()
	for {
		count := 0
		for _, key := range e.keys() {
			if strings.Contains(key, part) {
				count++
			}
		}
		if count == n {
			return
		}
	}
}

func whole(name string) lock.File  { return lock.File{Name: name, Kind: lock.Whole} }
func ranges(name string) lock.File { return lock.File{Name: name, Kind: lock.Ranges} }

func exclusive(owner uint64) lock.Lock {
	return lock.Lock{Owner: owner, End: lock.Last, Exclusive: true, PID: uint32(100 + owner)}
}

func shared(owner uint64) lock.Lock { return lock.Lock{Owner: owner, End: lock.Last} }

func part(owner, start, end uint64) lock.Lock {
	return lock.Lock{Owner: owner, Start: start, End: end, Exclusive: true, PID: uint32(100 + owner)}
}

func want(t *testing.T, err error, kind mapping.Kind) {
	t.Helper()
	if err == nil || mapping.KindOf(err) != kind {
		t.Fatalf("error %v, want of kind %v", err, kind)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Fatalf("several lines: %q", err)
	}
	t.Log(err)
}

func (e *lab) lock(l *clusterlock.Locker, f lock.File, w lock.Lock, wait bool) {
	e.t.Helper()
	if err := l.Lock(e.ctx, f, w, wait); err != nil {
		e.t.Fatal(err)
	}
}

func TestExclusion(t *testing.T) {
	e := newLab(t)
	a, b := e.mount(e.addr), e.mount(e.addr)
	f := whole("/ovs/x")
	e.lock(a, f, exclusive(1), false)
	want(t, b.Lock(e.ctx, f, exclusive(1), false), mapping.Locked) // the same number is another owner there
	want(t, a.Lock(e.ctx, f, shared(2), false), mapping.Locked)
	e.lock(b, whole("/ovs/y"), exclusive(1), false)
	e.lock(b, ranges("/ovs/x"), exclusive(1), false)
	e.lock(a, f, shared(1), false) // less than before
	e.lock(b, f, shared(1), false)
	want(t, b.Lock(e.ctx, f, exclusive(1), false), mapping.Locked)
	a.Unlock(f, 1, 0, lock.Last)
	e.lock(b, f, exclusive(1), false)
	b.Close()
	if keys := e.keys(); len(keys) != 0 {
		t.Errorf("left after the end: %q", keys)
	}
}

func TestRangesAndTheirHolders(t *testing.T) {
	e := newLab(t)
	a, b := e.mount(e.addr), e.mount(e.addr)
	f := ranges("/ovs/x")
	e.lock(a, f, part(1, 0, 99), false)
	e.lock(b, f, part(1, 100, 199), false)
	e.lock(a, f, part(2, 200, lock.Last), false)
	want(t, b.Lock(e.ctx, f, part(1, 50, 60), false), mapping.Locked)
	a.Unlock(f, 1, 50, 60)
	e.lock(b, f, part(1, 50, 60), false)
	for _, test := range []struct {
		asks  *clusterlock.Locker
		asked lock.Lock
		start uint64
		pid   uint32
	}{
		{a, part(3, 0, 10), 0, 101},
		{b, part(3, 0, 10), 0, 0}, // remote
		{b, part(3, 61, 90), 61, 0},
		{b, part(3, 55, 55), 50, 101},
	} {
		by, ok, err := test.asks.Test(e.ctx, f, test.asked)
		if err != nil || !ok || by.Start != test.start || by.PID != test.pid {
			t.Errorf("%+v: %+v, %v, %v", test.asked, by, ok, err)
		}
	}
	if by, ok, err := a.Test(e.ctx, f, part(1, 0, 49)); ok || err != nil {
		t.Errorf("an owner is in its own way: %+v %v", by, err)
	}
}

// TestTurns: who waits gets it in the order of coming, shared ones together.
func TestTurns(t *testing.T) {
	e := newLab(t)
	mounts := []*clusterlock.Locker{e.mount(e.addr), e.mount(e.addr)}
	f := whole("/ovs/x")
	e.lock(mounts[0], f, exclusive(99), false)
	got := make(chan uint64, 10)
	var waiting sync.WaitGroup
	for i := range uint64(6) {
		w := exclusive(i)
		if i == 3 || i == 4 {
			w = shared(i)
		}
		waiting.Go(func() {
			if err := mounts[i%2].Lock(e.ctx, f, w, true); err != nil {
				t.Error(err)
			}
			got <- i
		})
		e.awaitKeys("/wait/", int(i)+1)
	}
	// Nobody overtakes them.
	want(t, mounts[1].Lock(e.ctx, f, shared(50), false), mapping.Locked)
	mounts[0].Unlock(f, 99, 0, lock.Last)
	for i := range uint64(3) {
		if g := <-got; g != i {
			t.Fatalf("%d came before %d", g, i)
		}
		mounts[i%2].Unlock(f, i, 0, lock.Last)
	}
	if g, h := <-got, <-got; g+h != 7 {
		t.Fatalf("%d and %d", g, h)
	}
	e.awaitKeys("/wait/", 1)
	mounts[1].Unlock(f, 3, 0, lock.Last)
	mounts[0].Unlock(f, 4, 0, lock.Last)
	<-got
	waiting.Wait()
}

func TestCounter(t *testing.T) {
	e := newLab(t)
	mounts := []*clusterlock.Locker{e.mount(e.addr), e.mount(e.addr)}
	const rounds = 50
	var counter, inside int
	var workers sync.WaitGroup
	for i := range uint64(4) {
		workers.Go(func() {
			l := mounts[i%2]
			for range rounds {
				if err := l.Lock(e.ctx, ranges("/ovs/n"), exclusive(i), true); err != nil {
					t.Error(err)
					return
				}
				inside++
				if inside != 1 {
					t.Errorf("%d are inside", inside)
				}
				counter++
				inside--
				l.Unlock(ranges("/ovs/n"), i, 0, lock.Last)
			}
		})
	}
	workers.Wait()
	if counter != 4*rounds {
		t.Errorf("counted %d", counter)
	}
	e.awaitKeys("", 0)
}

// TestInterrupt: who is interrupted ends at once, also without an etcd, has nothing, and is in nobody's way.
func TestInterrupt(t *testing.T) {
	e := newLab(t)
	proxy, err := faults.NewProxy(e.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	a, b := e.mount(e.addr), e.mount(proxy.Addr())
	f := whole("/ovs/x")
	e.lock(a, f, exclusive(1), false)
	e.lock(b, whole("/ovs/other"), exclusive(1), false)
	for _, cut := range []bool{false, true} {
		ctx, cancel := context.WithCancel(e.ctx)
		ended := make(chan error, 1)
		go func() { ended <- b.Lock(ctx, f, exclusive(2), true) }()
		e.awaitKeys("/wait/", 1)
		if cut {
			proxy.HoldRequests()
		}
		cancel()
		want(t, <-ended, mapping.Canceled)
		if cut {
			proxy.Break()
			proxy.Heal()
		}
		e.awaitKeys("/wait/", 0)
	}
	a.Unlock(f, 1, 0, lock.Last)
	e.lock(a, f, exclusive(3), false)
}

// TestLost: a lease that ends takes the locks along, others get them, the owner's fence falls, and
// its waiting ones go on waiting.
func TestLost(t *testing.T) {
	e := newLab(t)
	a, b := e.mount(e.addr), e.mount(e.addr)
	f := whole("/ovs/x")
	e.lock(a, f, exclusive(1), false)
	e.lock(b, whole("/ovs/y"), exclusive(1), false)
	key, err := a.Fence(f, 1)
	if err != nil || key == "" {
		t.Fatal(key, err)
	}
	if key, err := a.Fence(f, 2); err != nil || key != "" {
		t.Fatal(key, err)
	}
	waited := make(chan error, 1)
	go func() { waited <- a.Lock(e.ctx, whole("/ovs/y"), exclusive(1), true) }()
	e.awaitKeys("/wait/", 1)

	lease := key[strings.LastIndexByte(key, '/')+1:]
	var id int64
	if _, err := fmt.Sscanf(lease, "%x", &id); err != nil {
		t.Fatal(err)
	}
	if _, err := e.client.Revoke(e.ctx, clientv3.LeaseID(id)); err != nil {
		t.Fatal(err)
	}
	e.lock(b, f, exclusive(1), true)
	for err = nil; err == nil && e.ctx.Err() == nil; {
		_, err = a.Fence(f, 1)
	}
	want(t, err, mapping.LockLost)
	want(t, a.Lock(e.ctx, f, exclusive(1), false), mapping.Locked)
	if _, err := a.Fence(f, 1); err == nil {
		t.Error("an attempt that failed gave the lost lock back")
	}
	b.Unlock(f, 1, 0, lock.Last)
	e.lock(a, f, exclusive(1), true)
	if again, err := a.Fence(f, 1); err != nil || again == key || again == "" {
		t.Error(again, err)
	}
	b.Unlock(whole("/ovs/y"), 1, 0, lock.Last)
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

// TestAway: without etcd a try fails with words, who waits waits, and a lock is lost after its time.
func TestAway(t *testing.T) {
	e := newLab(t)
	proxy, err := faults.NewProxy(e.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	a, b := e.mount(proxy.Addr()), e.mount(e.addr)
	f := whole("/ovs/x")
	e.lock(a, f, exclusive(1), false)
	proxy.HoldRequests()
	proxy.Break()
	want(t, a.Lock(e.ctx, whole("/ovs/y"), exclusive(1), false), mapping.NoLocks)
	waited := make(chan error, 1)
	go func() { waited <- a.Lock(e.ctx, whole("/ovs/y"), exclusive(2), true) }()
	e.lock(b, f, exclusive(1), true) // when the lease has ended
	for err = nil; err == nil && e.ctx.Err() == nil; {
		_, err = a.Fence(f, 1)
	}
	want(t, err, mapping.LockLost)
	a.Unlock(f, 1, 0, lock.Last)
	if key, err := a.Fence(f, 1); err != nil || key != "" {
		t.Errorf("given back, and still: %q %v", key, err)
	}
	proxy.Heal()
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if errors.Is(e.ctx.Err(), context.DeadlineExceeded) {
		t.Error("too late")
	}
}
