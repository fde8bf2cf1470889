package fs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == echoArgument {
		if err := echo.Help(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// patience bounds each wait of a test. It is long because a loaded machine is no failure.
const patience = 60 * time.Second

// fakeStore is a Store in memory.
type fakeStore struct {
	t *testing.T

	mu       sync.Mutex
	tree     atomic.Pointer[mapping.Tree]
	publish  func(old, new *mapping.Tree, keys []string)
	commits  int
	writable error
	refuse   error
	past     map[int64]*mapping.Tree
	oldest   int64  // what is older is compacted
	ats      int    // calls of At
	before   func() // called by the next commit before it begins
	after    func() // called by the next commit once the tree shows it
	// onBarrier is what a barrier brings to be shown.
	onBarrier func()
}

func newFakeStore(t *testing.T, values map[string]string) *fakeStore {
	t.Helper()
	return newFakeStoreWith(t, mapping.Settings{Prefix: "/ovs"}, values)
}

func newFakeStoreWith(t *testing.T, settings mapping.Settings, values map[string]string) *fakeStore {
	t.Helper()
	empty, err := mapping.NewTree(settings)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeStore{t: t, past: map[int64]*mapping.Tree{}}
	f.tree.Store(empty)
	f.put(values)
	return f
}

func (f *fakeStore) Tree() *mapping.Tree { return f.tree.Load() }

// put sets keys in one revision.
func (f *fakeStore) put(values map[string]string) {
	var changes []mapping.Change
	for key, value := range values {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: key, Value: []byte(value)}})
	}
	f.apply(changes)
}

// del removes keys in one revision.
func (f *fakeStore) del(keys ...string) {
	var changes []mapping.Change
	for _, key := range keys {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: key}, Deleted: true})
	}
	f.apply(changes)
}

func (f *fakeStore) apply(changes []mapping.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applyLocked(changes)
}

func (f *fakeStore) applyLocked(changes []mapping.Change) {
	old := f.tree.Load()
	revision := old.Revision() + 1
	for k := range changes {
		c := &changes[k]
		c.ModRevision = revision
		if c.Deleted {
			continue
		}
		c.CreateRevision, c.Version = revision, 1
		if kv, ok := old.Get(c.Key); ok {
			c.CreateRevision, c.Version = kv.CreateRevision, kv.Version+1
		}
	}
	tree, keys := old.Apply(revision, time.Now(), changes)
	f.tree.Store(tree)
	f.past[revision] = tree
	if f.publish != nil {
		f.publish(old, tree, keys)
	}
}

// Commit implements Store: it does what etcd does with a plan whose guards hold.
func (f *fakeStore) Commit(_ context.Context, edit mapping.Edit) error {
	f.mu.Lock()
	if before := f.before; before != nil {
		f.before = nil
		f.mu.Unlock()
		before()
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	if f.refuse != nil {
		return f.refuse
	}
	tree := f.tree.Load()
	plan, err := edit(tree)
	if err != nil || plan.Empty() {
		return err
	}
	f.commits++
	var changes []mapping.Change
	for _, r := range plan.DeleteRanges {
		for kv := range tree.Under(strings.TrimSuffix(r.Prefix, "/")) {
			changes = append(changes, mapping.Change{KV: mapping.KV{Key: kv.Key}, Deleted: true})
		}
	}
	for _, key := range plan.Deletes {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: key}, Deleted: true})
	}
	for _, p := range plan.Puts {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: p.Key, Value: p.Value, Lease: p.Lease}})
	}
	f.applyLocked(changes)
	if after := f.after; after != nil {
		f.after = nil
		f.mu.Unlock()
		after()
		f.mu.Lock()
	}
	return nil
}

// At implements Store.
func (f *fakeStore) At(_ context.Context, revision int64) (*mapping.Tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ats++
	tree := f.past[revision]
	if tree == nil || revision < f.oldest {
		return nil, mapping.Errorf(mapping.NotFound, "", "there is no revision %d", revision)
	}
	return tree, nil
}

func (f *fakeStore) Barrier(context.Context) (int64, error) {
	f.mu.Lock()
	shown := f.onBarrier
	f.mu.Unlock()
	if shown != nil {
		shown()
	}
	return f.Tree().Revision(), nil
}

func (f *fakeStore) Writable() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writable
}

func (f *fakeStore) Usage() (size, quota int64) { return 1 << 20, 1 << 30 }

// mounted is a mount of a fake store for one test.
type mountedTest struct {
	*Mounted
	t     *testing.T
	store *fakeStore
	dir   string
}

// mountTree mounts values and unmounts at the end of the test.
func mountTree(t *testing.T, values map[string]string, options ...func(*Options)) *mountedTest {
	t.Helper()
	return mountStore(t, newFakeStore(t, values), options...)
}

// mountStore mounts a store.
func mountStore(t *testing.T, store *fakeStore, options ...func(*Options)) *mountedTest {
	t.Helper()
	o := Options{
		Store:      store,
		Mountpoint: t.TempDir(),
		StateDir:   t.TempDir(),
		// No test may depend on how fast a program is.
		HoldRemovals: time.Hour,
		UID:          uint32(os.Getuid()),
		GID:          uint32(os.Getgid()),
		Logger:       slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, f := range options {
		f(&o)
	}
	m, err := Mount(o)
	if err != nil {
		t.Fatal(err)
	}
	forcePoll(m.point)
	store.mu.Lock()
	store.publish = m.Published
	store.mu.Unlock()
	mt := &mountedTest{Mounted: m, t: t, store: store, dir: o.Mountpoint}
	t.Cleanup(mt.end)
	return mt
}

// forcePoll makes the kernel ask once whether files can be polled, and learn
// that they cannot: the question would come when this process itself opens a
// file of the mount, as tests do and the daemon does not, and hold a thread that
// is needed to answer it.
func forcePoll(point string) {
	fd, err := unix.Open(filepath.Join(point, ".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
}

func readOnly(o *Options) { o.ReadOnly = true }

// end unmounts. What still closes in the background is waited for.
func (m *mountedTest) end() {
	var err error
	eventually(func() bool {
		err = m.Unmount()
		return mapping.KindOf(err) != mapping.Busy
	})
	if err != nil {
		m.t.Errorf("unmount: %v", err)
	}
}

func (m *mountedTest) path(name string) string { return filepath.Join(m.dir, name) }

func (m *mountedTest) read(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

func (m *mountedTest) list(name string) []string {
	m.t.Helper()
	entries, err := os.ReadDir(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// settle waits until the kernel was told of every change so far.
func (m *mountedTest) settle() {
	m.t.Helper()
	select {
	case <-m.s.notices.caughtUp():
	case <-time.After(patience):
		m.t.Fatal("the notices did not come to an end")
	}
	await(m.t, "nothing left to tell the kernel", m.s.notices.idle)
}

// await waits for a condition that becomes true in the background.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !eventually(ok) {
		t.Fatalf("still not: %s", what)
	}
}

// eventually asks again and again, for there is no event of it, whether a
// condition has become true.
func eventually(ok func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-timeout:
			return false
		}
	}
	return true
}

// testWriter sends a logger's lines to the test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Logf("log: %s", strings.TrimSpace(string(b)))
	return len(b), nil
}
