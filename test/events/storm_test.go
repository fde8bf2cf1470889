package events

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

const (
	stormUsers = 16
	stormNames = 12
)

var stormDirs = []string{"d", "e", "d/s"}

// Users work in the directories of one mount while they change elsewhere, and
// everything is watched: nobody hangs, and in the end the kernel of that node has
// what etcd has.
func TestStorm(t *testing.T) {
	length := 5 * time.Second
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		length = time.Minute
	}
	p := &node{Pair: eventful(t, func(e *harness.Etcd) {
		for _, dir := range stormDirs {
			put(t, e, "/ovs/"+dir+"/keep", "0")
		}
		put(t, e, "/ovs/doc", `{"n0": 0, "n1": 1}`)
	})}
	h := watchWith(t, p.at("d"), p.at("e"), p.at("d/s"), p.at("doc"))
	go discard(h)

	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	s := &storm{p: p}
	var all sync.WaitGroup
	for k := range stormUsers {
		r := rand.New(rand.NewPCG(uint64(k), 1))
		all.Go(func() { s.each(ctx, k, func() { s.use(r) }) })
	}
	for k := range 2 {
		r := rand.New(rand.NewPCG(uint64(k), 2))
		all.Go(func() { s.each(ctx, stormUsers+k, func() { s.pour(ctx, r) }) })
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	s.guard(t, ended)
	done := int64(0)
	for k := range s.steps {
		done += s.steps[k].Load()
	}
	t.Logf("%d operations, %d changes elsewhere, %d changes repeated in %v", done, s.changes.Load(), statusOf(t, p.Dirs[1]).Raised, length)
	sameAsEtcd(t, p)
}

// storm is what all of its users share.
type storm struct {
	p       *node
	steps   [stormUsers + 2]atomic.Int64
	changes atomic.Int64
}

func (s *storm) each(ctx context.Context, k int, f func()) {
	for ctx.Err() == nil {
		f()
		s.steps[k].Add(1)
	}
}

// guard fails the test when one of the users has done nothing for the length of
// patience, and returns when all have ended.
func (s *storm) guard(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	var last [stormUsers + 2]int64
	for {
		select {
		case <-ended:
			return
		case <-time.After(patience):
		}
		for k := range s.steps {
			n := s.steps[k].Load()
			if n == last[k] {
				t.Fatalf("user %d hangs; threads that hang: %q", k, sleepers(s.p))
			}
			last[k] = n
		}
	}
}

// use is one operation of a user. Others change the same names: it may fail.
func (s *storm) use(r *rand.Rand) {
	dir := stormDirs[r.IntN(len(stormDirs))]
	path := s.p.at(fmt.Sprintf("%s/n%d", dir, r.IntN(stormNames)))
	switch r.IntN(10) {
	case 0, 1:
		_ = os.WriteFile(path, []byte(fmt.Sprintln(r.IntN(1000))), 0o644)
	case 2:
		_ = os.Remove(path)
	case 3:
		_ = os.Rename(path, s.p.at(fmt.Sprintf("%s/n%d", stormDirs[r.IntN(len(stormDirs))], r.IntN(stormNames))))
	case 4:
		_, _ = os.ReadDir(s.p.at(dir))
	case 5:
		_ = os.WriteFile(s.p.at(fmt.Sprintf("doc/n%d", r.IntN(4))), []byte(fmt.Sprintln(r.IntN(1000))), 0o644)
	case 6:
		_, _ = os.Stat(path)
	default:
		_, _ = os.ReadFile(path)
	}
}

// pour is one change elsewhere.
func (s *storm) pour(ctx context.Context, r *rand.Rand) {
	dir := stormDirs[r.IntN(len(stormDirs))]
	name := fmt.Sprintf("%s/n%d", dir, r.IntN(stormNames))
	etcd := s.p.Etcd.Client
	switch r.IntN(10) {
	case 0, 1, 2, 3:
		_, _ = etcd.Put(ctx, "/ovs/"+name, fmt.Sprint(r.IntN(1000))) // an error: it was cancelled
	case 4:
		_, _ = etcd.Delete(ctx, "/ovs/"+name)
	case 5:
		// A directory where a file may be, and the other way round.
		_, _ = etcd.Put(ctx, "/ovs/"+name+"/below", "1")
	case 6:
		_, _ = etcd.Delete(ctx, "/ovs/"+name+"/below")
	case 7:
		// Of a file and a directory, an exchange is repeated as one.
		flags := []uint{0, unix.RENAME_EXCHANGE}[r.IntN(2)]
		other := fmt.Sprintf("%s/n%d", stormDirs[r.IntN(len(stormDirs))], r.IntN(stormNames))
		_ = unix.Renameat2(unix.AT_FDCWD, s.p.elsewhere(name), unix.AT_FDCWD, s.p.elsewhere(other), flags)
	case 8:
		_, _ = etcd.Put(ctx, "/ovs/doc", fmt.Sprintf(`{"n%d": %d, "n3": 1}`, r.IntN(3), r.IntN(100)))
	default:
		var ops []clientv3.Op
		for k := range stormNames {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/ovs/%s/n%d", dir, k), fmt.Sprint(r.IntN(1000))))
		}
		_, _ = etcd.Txn(ctx).Then(ops...).Commit()
	}
	s.changes.Add(1)
}

// sameAsEtcd compares what the kernel shows of mount 1 with a mount that has
// never shown anything else. Events and notices may still be on their way.
func sameAsEtcd(t *testing.T, p *node) {
	t.Helper()
	p.Kill(0)
	p.Mount(0)
	for i := range p.Dirs {
		if _, err := p.Barrier(i); err != nil {
			t.Fatal(err)
		}
	}
	want := picture(p.elsewhere)
	var got map[string]string
	if !harness.Await(func() bool { got = picture(p.at); return len(differing(got, want)) == 0 }) {
		t.Errorf("the kernel does not have what etcd has: %q", differing(got, want))
	}
	if left := hanging(p); len(left) > 0 {
		t.Errorf("threads that hang: %q", left)
	}
}

func differing(got, want map[string]string) (list []string) {
	for name, text := range got {
		if want[name] != text {
			list = append(list, fmt.Sprintf("%s: %q, not %q", name, text, want[name]))
		}
	}
	for name, text := range want {
		if _, ok := got[name]; !ok {
			list = append(list, fmt.Sprintf("%s: absent, not %q", name, text))
		}
	}
	return list
}

// picture is what stat, read and listings say of every name of the storm.
// Directories in which there is nothing count as absent: they are one mount's own.
func picture(at func(string) string) map[string]string {
	shown := map[string]string{}
	for _, dir := range append(stormDirs, "doc") {
		for k := range stormNames {
			name := fmt.Sprintf("%s/n%d", dir, k)
			info, err := os.Lstat(at(name))
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				shown[name] = err.Error()
			case info.IsDir():
				if b, err := os.ReadFile(at(name + "/below")); err == nil {
					shown[name] = "directory with " + string(b)
				} else if !errors.Is(err, fs.ErrNotExist) {
					shown[name] = err.Error()
				}
			default:
				b, err := os.ReadFile(at(name))
				shown[name] = fmt.Sprintf("%d: %s %v", info.Size(), b, err)
			}
		}
		names, err := os.ReadDir(at(dir))
		var files []string
		for _, e := range names {
			if !e.IsDir() {
				files = append(files, e.Name())
			} else if below, _ := os.ReadDir(at(filepath.Join(dir, e.Name()))); len(below) > 0 {
				files = append(files, e.Name())
			}
		}
		shown[dir] = fmt.Sprint(strings.Join(files, " "), err)
	}
	return shown
}
