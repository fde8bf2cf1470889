package locks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

const base = "/ovscfgfs/locks"

// rounds is how many each of the four processes makes.
func rounds() int {
	if os.Getenv("OVSCFGFS_TEST_LONG") == "1" {
		return 1_000
	}
	return 50
}

func start(t *testing.T, flags ...string) *harness.Pair {
	t.Helper()
	return harness.StartPair(t, func(e *harness.Etcd) {
		for key, value := range map[string]string{"/ovs/n": "0", "/ovs/c": `{"n": 0, "text": "some"}`, "/ovs/lock": `""`} {
			if _, err := e.Client.Put(context.Background(), key, value); err != nil {
				t.Fatal(err)
			}
		}
	}, append([]string{"--lock-ttl", "2s"}, flags...)...)
}

// awaitKeys returns when etcd has n keys of locks that contain part.
func awaitKeys(t *testing.T, p *harness.Pair, part string, n int) {
	t.Helper()
	var keys []string
	if !harness.Await(func() bool {
		keys = nil
		got, err := p.Etcd.Client.Get(context.Background(), base, clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range got.Kvs {
			if strings.Contains(string(kv.Key), part) {
				keys = append(keys, string(kv.Key))
			}
		}
		return len(keys) == n
	}) {
		t.Fatalf("%d keys of %q, want %d: %q", len(keys), part, n, keys)
	}
}

// TestCounter has four processes on two mounts count: nothing is lost.
func TestCounter(t *testing.T) {
	for _, how := range []string{"flock", "fcntl", "flock(1)"} {
		t.Run(how, func(t *testing.T) {
			p := start(t)
			var processes sync.WaitGroup
			for i := range 4 {
				dir := p.Dirs[i%2]
				cmd := role("count", filepath.Join(dir, "c/n"), strconv.Itoa(rounds()), how)
				if how == "flock(1)" {
					cmd = exec.Command("bash", "-c", fmt.Sprintf(`for ((i = 0; i < %d; i++)); do flock lock sh -c 'read n < c/n && echo $((n + 1)) > c/n' || exit 1; done`, rounds()))
					cmd.Dir = dir
				}
				processes.Go(func() {
					if output, err := cmd.Output(); err != nil {
						t.Errorf("%v: %s", err, output)
					}
				})
			}
			processes.Wait()
			for i, dir := range p.Dirs {
				if _, err := p.Barrier(i); err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(filepath.Join(dir, "c/n")); err != nil || string(got) != fmt.Sprintln(4*rounds()) {
					t.Errorf("mount %d: counted %q, want %d; %v", i, got, 4*rounds(), err)
				}
			}
			awaitKeys(t, p, "/", 0)
		})
	}
}

// TestRanges: ranges of fcntl(2) as a database uses them, and who has them.
func TestRanges(t *testing.T) {
	p := start(t)
	a, b := newHolder(t, p.Dirs[0]+"/n"), newHolder(t, p.Dirs[0]+"/n")
	c := newHolder(t, p.Dirs[1]+"/n")
	const pending, reserved, first, size = 1 << 30, 1<<30 + 1, 1<<30 + 2, 510
	for _, h := range []*holder{a, b, c} {
		h.does(fmt.Sprintf("lock r %d %d", first, size), "ok")
	}
	a.does(fmt.Sprintf("lock w %d 1", reserved), "ok")
	b.does(fmt.Sprintf("lock w %d 1", reserved), "EAGAIN")
	c.does(fmt.Sprintf("lock w %d 1", reserved), "EAGAIN")
	b.does(fmt.Sprintf("who w %d 1", reserved), fmt.Sprintf("1 %d 1 %d", reserved, a.cmd.Process.Pid))
	c.does(fmt.Sprintf("who w %d 1", reserved), fmt.Sprintf("1 %d 1 0", reserved))
	a.does(fmt.Sprintf("lock w %d 1", pending), "ok")
	a.does(fmt.Sprintf("lock w %d %d", first, size), "EAGAIN")
	b.does(fmt.Sprintf("lock u %d %d", first, size), "ok")
	a.tell(fmt.Sprintf("wait w %d %d", first, size))
	awaitKeys(t, p, "/wait/", 1)
	c.does(fmt.Sprintf("lock u %d %d", first, size), "ok")
	if got := a.answer(); got != "ok" {
		t.Fatal(got)
	}
	c.does(fmt.Sprintf("lock r %d 1", first+7), "EAGAIN")
	// As POSIX has it, any close of the file ends all locks of the process.
	a.does("twice", "ok")
	c.does("lock w 0 0", "ok")
	c.does("who w 0 0", "2 0 0 0")
	// Those of an open file do not end so.
	c.does("lock u 0 0", "ok")
	a.does("ofd w 0 0", "ok")
	a.does("twice", "ok")
	c.does("lock w 5 1", "EAGAIN")
	a.does("open", "ok")
	if !harness.Await(func() bool { c.tell("lock w 5 1"); return c.answer() == "ok" }) {
		t.Error("the lock of an open file did not end with it")
	}
}

// TestHolderSees: who gets a lock reads what the one before has written, also through a file
// that was open before, and what he writes is there for the next before he has it.
func TestHolderSees(t *testing.T) {
	p := start(t)
	for _, name := range []string{"n", "c/n"} {
		if err := os.WriteFile(filepath.Join(p.Dirs[0], name), []byte("1000\n"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Barrier(1); err != nil {
			t.Fatal(err)
		}
		a, b := newHolder(t, filepath.Join(p.Dirs[0], name)), newHolder(t, filepath.Join(p.Dirs[1], name))
		for i := range 50 {
			one, other := a, b
			if i%2 == 1 {
				one, other = b, a
			}
			one.does("flock ex", "ok")
			one.does("read", strconv.Itoa(1000+i))
			one.does("pwrite "+strconv.Itoa(1001+i), "ok") // same length, so it is whole
			other.tell("flock ex")
			awaitKeys(t, p, "/wait/", 1)
			one.does("flock un", "ok")
			if got := other.answer(); got != "ok" {
				t.Fatal(got)
			}
			other.does("read", strconv.Itoa(1001+i))
			other.does("flock un", "ok")
		}
	}
}

// TestDeaths: what a process, a daemon or a lease had is free when it is gone.
func TestDeaths(t *testing.T) {
	p := start(t)
	file := p.Dirs[1] + "/c/text"
	a, b := newHolder(t, p.Dirs[0]+"/c/text"), newHolder(t, file)
	a.does("flock ex", "ok")
	b.does("flock exnb", "EAGAIN")
	b.tell("flock ex")
	awaitKeys(t, p, "/wait/", 1)
	a.end()
	if got := b.answer(); got != "ok" {
		t.Fatal(got)
	}
	// One that waits can be killed at once, and is in nobody's way after that.
	c := newHolder(t, p.Dirs[0]+"/c/text")
	c.tell("flock ex")
	awaitKeys(t, p, "/wait/", 1)
	c.end()
	awaitKeys(t, p, "/wait/", 0)
	// A fcntl lock ends with the process, too.
	d := newHolder(t, p.Dirs[0]+"/c/text")
	d.does("lock w 0 0", "ok")
	b.tell("wait w 0 0")
	awaitKeys(t, p, "/wait/", 1)
	d.end()
	if got := b.answer(); got != "ok" {
		t.Fatal(got)
	}
	// The other node dies.
	e := newHolder(t, p.Dirs[0]+"/c/text")
	e.tell("flock ex")
	awaitKeys(t, p, "/wait/", 1)
	p.Kill(1)
	if got := e.answer(); got != "ok" {
		t.Fatal(got)
	}
}

// TestLostLease: the holder's next write fails, with words, until he locks anew.
func TestLostLease(t *testing.T) {
	p := start(t)
	a, b := newHolder(t, p.Dirs[0]+"/c/n"), newHolder(t, p.Dirs[1]+"/c/n")
	a.does("flock ex", "ok")
	a.does("write 1", "ok")
	got, err := p.Etcd.Client.Get(context.Background(), base, clientv3.WithPrefix())
	if err != nil || len(got.Kvs) != 1 {
		t.Fatal(got, err)
	}
	if _, err := p.Etcd.Client.Revoke(context.Background(), clientv3.LeaseID(got.Kvs[0].Lease)); err != nil {
		t.Fatal(err)
	}
	// At once, though the daemon has not noticed yet.
	a.does("write 2", "EIO")
	b.does("flock ex", "ok")
	b.does("write 7", "ok")
	a.does("write 3", "EIO")
	b.does("flock un", "ok")
	errors, err := os.ReadFile(p.Dirs[0] + "/.ovscfgfs/errors")
	if err != nil || !strings.Contains(string(errors), "the lock on this file was lost") {
		t.Errorf("%s %v", errors, err)
	}
	a.does("flock ex", "ok")
	a.does("read", "7")
	a.does("write 8", "ok")
	a.does("flock un", "ok")
	b.does("flock ex", "ok")
	b.does("read", "8")
}

// TestLocalLocks: with --local-locks, mounts do not know of each other's locks, and etcd has none.
func TestLocalLocks(t *testing.T) {
	p := start(t, "--local-locks")
	a, b, c := newHolder(t, p.Dirs[0]+"/n"), newHolder(t, p.Dirs[0]+"/n"), newHolder(t, p.Dirs[1]+"/n")
	a.does("flock ex", "ok")
	b.does("flock exnb", "EAGAIN")
	c.does("flock exnb", "ok")
	a.does("lock w 0 1", "ok")
	b.does("lock w 0 1", "EAGAIN")
	c.does("lock w 0 1", "ok")
	awaitKeys(t, p, "/", 0)
}
