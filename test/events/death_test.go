package events

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// deaths is how often something is killed.
func deaths() int {
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		return 50
	}
	return 4
}

// pour changes keys below dir without a pause until the test's end, or until
// stop is called: contents, new and removed keys.
func pour(t *testing.T, p *harness.Pair, dir string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var writers sync.WaitGroup
	writers.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			key := fmt.Sprintf("%s/k%d", dir, n%20)
			if n%5 == 4 {
				_, _ = p.Etcd.Client.Delete(ctx, key) // an error: it was cancelled
			} else {
				_, _ = p.Etcd.Client.Put(ctx, key, fmt.Sprint(n))
			}
		}
	})
	stop = sync.OnceFunc(func() { cancel(); writers.Wait() })
	t.Cleanup(stop)
	return stop
}

// awaitWatched puts values until a watcher has heard of one: it is watched.
func awaitWatched(t *testing.T, p *node, h heard, name string) {
	t.Helper()
	value := fmt.Sprint(p.next())
	put(t, p.Etcd, "/ovs/"+name, value)
	h.await(t, value)
}

func TestHelperKilledAmidEchoes(t *testing.T) {
	p := &node{Pair: eventful(t, func(e *harness.Etcd) { put(t, e, "/ovs/d/marker", "0") }), last: 1e6}
	h := watchWith(t, p.at("d"))
	awaitWatched(t, p, h, "d/marker")
	stop := pour(t, p.Pair, "/ovs/d")
	go discard(h)
	for range deaths() {
		before := statusOf(t, p.Dirs[1])
		if err := syscall.Kill(before.Helper, syscall.SIGKILL); err != nil {
			t.Fatalf("helper %+v: %v", before, err)
		}
		var now eventsStatus
		if !harness.Await(func() bool {
			now = statusOf(t, p.Dirs[1])
			return now.On && now.Helper != before.Helper && now.Raised > before.Raised
		}) {
			t.Fatalf("no other helper raises events: %+v, before %+v", now, before)
		}
	}
	stop()
	h2 := watchWith(t, p.at("d"))
	awaitWatched(t, p, h2, "d/marker")
	if left := hanging(p); len(left) > 0 {
		t.Errorf("processes hang: %q", left)
	}
}

func TestDaemonKilledAmidEchoes(t *testing.T) {
	p := &node{Pair: eventful(t, func(e *harness.Etcd) { put(t, e, "/ovs/d/marker", "0") }), last: 1e6}
	pour(t, p.Pair, "/ovs/d")
	for range deaths() {
		h := watchWith(t, p.at("d"))
		awaitWatched(t, p, h, "d/marker")
		go discard(h)
		pid, before := p.PID(1), statusOf(t, p.Dirs[1])
		if !harness.Await(func() bool { return statusOf(t, p.Dirs[1]).Raised > before.Raised+10 }) {
			t.Fatal("no events are raised")
		}
		p.Kill(1)
		if !harness.Await(func() bool { return !exists(pid) && !exists(before.Helper) }) {
			t.Fatalf("the daemon %d or its helper %d is still there: %q", pid, before.Helper, sleepers(p))
		}
		p.Mount(1)
		awaitEvents(t, p.Dirs[1])
	}
}

// A daemon that is killed while it begins to serve leaves no thread that waits
// for an answer of its own process.
func TestDaemonKilledAtItsStart(t *testing.T) {
	p := &node{Pair: eventful(t, func(e *harness.Etcd) { put(t, e, "/ovs/d/marker", "0") })}
	for k := range 2 * deaths() {
		p.Kill(1)
		cmd := p.Command(1)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		if !awaitMounted(p.Dirs[1]) {
			t.Fatal("it did not mount")
		}
		time.Sleep(time.Duration(k%8) * 2 * time.Millisecond) // another moment each time
		_ = cmd.Process.Kill()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatalf("the killed daemon does not end: %q", sleepers(p))
		}
		if err := syscall.Unmount(p.Dirs[1], syscall.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		p.Mount(1)
	}
	awaitEvents(t, p.Dirs[1])
	h := watchWith(t, p.at("d"))
	etcdctl(t, p.Pair, "put", "/ovs/d/marker", "4711")
	h.await(t, "4711")
}

func awaitMounted(dir string) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		table, err := os.ReadFile("/proc/self/mountinfo")
		if err == nil && strings.Contains(string(table), " "+dir+" ") {
			return true
		}
	}
	return false
}

func discard(h heard) {
	for range h {
	}
}

func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }
