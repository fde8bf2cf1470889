package fs

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// fakeKernel records the notices that it gets.
type fakeKernel struct {
	mu    sync.Mutex
	calls []string
	// inode answers InodeNotify of content; OK if nil.
	inode func(node uint64) fuse.Status
}

func (k *fakeKernel) note(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, fmt.Sprintf(format, args...))
}

func (k *fakeKernel) InodeNotify(node uint64, off, _ int64) fuse.Status {
	if off < 0 {
		k.note("attributes %d", node)
		return fuse.OK
	}
	k.note("inode %d", node)
	if k.inode != nil {
		return k.inode(node)
	}
	return fuse.OK
}

func (k *fakeKernel) InodeNotifyStoreCache(node uint64, _ int64, data []byte) fuse.Status {
	k.note("store %d %s", node, data)
	return fuse.OK
}

func (k *fakeKernel) EntryNotify(parent uint64, name string) fuse.Status {
	k.note("entry %d %s", parent, name)
	return fuse.OK
}

func (k *fakeKernel) DeleteNotify(parent, child uint64, name string) fuse.Status {
	k.note("delete %d %d %s", parent, child, name)
	return fuse.OK
}

// take returns the calls so far, and forgets them.
func (k *fakeKernel) take() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	calls := k.calls
	k.calls = nil
	return calls
}

// bench is a server without a mount: the test is the kernel.
type bench struct {
	*server
	t      *testing.T
	store  *hookedStore
	kernel *fakeKernel
}

// hookedStore calls a function once, after the next tree was handed out.
type hookedStore struct {
	*fakeStore
	mu   sync.Mutex
	hook func()
}

func (h *hookedStore) Tree() *mapping.Tree {
	t := h.fakeStore.Tree()
	h.mu.Lock()
	hook := h.hook
	h.hook = nil
	h.mu.Unlock()
	if hook != nil {
		hook()
	}
	return t
}

// afterTree has f run right after a request has got its tree.
func (h *hookedStore) afterTree(f func()) {
	h.mu.Lock()
	h.hook = f
	h.mu.Unlock()
}

func newBench(t *testing.T, values map[string]string) *bench {
	t.Helper()
	store := &hookedStore{fakeStore: newFakeStore(t, values)}
	b := &bench{t: t, store: store, kernel: &fakeKernel{}}
	b.server = newServer(Options{Store: store, Mountpoint: t.TempDir(), StateDir: t.TempDir()})
	store.publish = func(old, now *mapping.Tree, keys []string) {
		if len(keys) > 0 {
			b.notices.publish(old, now, keys)
		}
	}
	b.notices.start(b.kernel)
	t.Cleanup(b.notices.close)
	return b
}

// lookup asks for a path and returns the last answer.
func (b *bench) lookup(path string) (out fuse.EntryOut, st fuse.Status) {
	b.t.Helper()
	id := uint64(rootID)
	for name := range strings.SplitSeq(path, "/") {
		out = fuse.EntryOut{}
		if st = b.Lookup(nil, &fuse.InHeader{NodeId: id}, name, &out); !st.Ok() {
			return out, st
		}
		id = out.NodeId
	}
	return out, st
}

func (b *bench) getattr(id uint64) (out fuse.AttrOut) {
	b.t.Helper()
	in := fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: id}}
	if st := b.GetAttr(nil, &in, &out); !st.Ok() {
		b.t.Fatalf("getattr: %v", st)
	}
	return out
}

func (b *bench) content(id uint64) string {
	b.t.Helper()
	buf := make([]byte, 1<<16)
	r, st := b.Read(nil, &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}, Size: uint32(len(buf))}, buf)
	if !st.Ok() {
		b.t.Fatalf("read: %v", st)
	}
	data, _ := r.Bytes(buf)
	return string(data)
}

// settle waits for the worker and returns the notices that it sent.
func (b *bench) settle() []string {
	b.t.Helper()
	await(b.t, "nothing left to tell the kernel", b.notices.idle)
	return b.kernel.take()
}

// An answer that the kernel keeps is never that of a tree which is no longer
// the newest when it is given: the worker has been there already.
func TestLookupAnswersTheNewestTree(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1", "/ovs/gone": "1"})
	b.store.afterTree(func() {
		b.store.put(map[string]string{"/ovs/new": "5"})
		b.settle()
	})
	if out, st := b.lookup("new"); !st.Ok() || out.NodeId == 0 {
		t.Errorf("a name that came during its lookup is answered %v, %v", out.NodeId, st)
	}
	b.store.afterTree(func() {
		b.store.del("/ovs/gone")
		b.settle()
	})
	if out, st := b.lookup("gone"); !st.Ok() || out.NodeId != 0 {
		t.Errorf("a name that went during its lookup is answered %v, %v", out.NodeId, st)
	}
	if b.table.size() != 2 {
		t.Errorf("%d inodes are known, want the root and one", b.table.size())
	}
	b.store.afterTree(func() {
		b.store.put(map[string]string{"/ovs/a": "12345"})
		b.settle()
	})
	out, _ := b.lookup("a")
	if out.AttrValid != 0 && out.Size != 6 {
		t.Errorf("the old size %d may be kept", out.Size)
	}
	b.settle()
	if got := b.getattr(out.NodeId); got.Size != 6 || got.AttrValid == 0 {
		t.Errorf("then the size is %d, kept %d s", got.Size, got.AttrValid)
	}
}

// The old content is answered until the kernel has dropped it, and again if a
// read of it came between.
func TestOldContentUntilDropped(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1"})
	out, _ := b.lookup("a")
	id := out.NodeId
	if got := b.content(id); got != "1\n" {
		t.Fatalf("read %q", got)
	}
	b.settle()
	rereads := 2
	b.kernel.inode = func(node uint64) fuse.Status {
		if node == id && rereads > 0 {
			rereads--
			if got := b.content(id); got != "1\n" {
				t.Errorf("a read before the kernel dropped its pages got %q", got)
			}
			if got := b.getattr(id); got.Size != 2 || got.AttrValid != 0 {
				t.Errorf("meanwhile the size is %d, kept for %d s", got.Size, got.AttrValid)
			}
		}
		return fuse.OK
	}
	b.store.put(map[string]string{"/ovs/a": "22222"})
	notice := fmt.Sprintf("inode %d", id)
	if got, want := b.settle(), []string{notice, notice, notice}; !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
	if got := b.getattr(id); got.Size != 6 || got.AttrValid == 0 {
		t.Errorf("then the size is %d, kept for %d s", got.Size, got.AttrValid)
	}
	if got := b.content(id); got != "22222\n" {
		t.Errorf("then a read gets %q", got)
	}
}

// A content that comes back after the kernel has dropped it, and is read again,
// is dropped again when it goes.
func TestContentComesBack(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1"})
	out, _ := b.lookup("a")
	b.content(out.NodeId)
	b.store.put(map[string]string{"/ovs/a": "22"})
	b.settle()
	b.store.put(map[string]string{"/ovs/a": "1"})
	b.settle()
	if got := b.content(out.NodeId); got != "1\n" {
		t.Errorf("read %q", got)
	}
	b.table.get(out.NodeId).fade()
	b.store.put(map[string]string{"/ovs/a": "3"})
	if got, want := b.settle(), []string{fmt.Sprintf("inode %d", out.NodeId)}; !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
}

// A leaf whose reply is still on its way to the kernel is told again until the
// kernel knows it.
func TestNoticeWaitsForTheReply(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1"})
	out, _ := b.lookup("a")
	unknown := 3
	b.kernel.inode = func(node uint64) fuse.Status {
		if node == out.NodeId && unknown > 0 {
			unknown--
			return fuse.ENOENT
		}
		return fuse.OK
	}
	b.store.put(map[string]string{"/ovs/a": "22222"})
	if got := b.settle(); len(got) != 4 {
		t.Errorf("notices %q, want 4", got)
	}
	// One that it has forgotten is not told for ever.
	b.getattr(out.NodeId)
	b.kernel.inode = func(uint64) fuse.Status {
		b.Forget(out.NodeId, 1)
		return fuse.ENOENT
	}
	b.store.put(map[string]string{"/ovs/a": "333"})
	if got := b.settle(); len(got) != 1 {
		t.Errorf("notices %q, want one", got)
	}
}

// A name that went and came back between two rounds of the worker may have
// been answered as absent.
func TestAbsentBetweenTwoRounds(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/b": "1"})
	d, _ := b.lookup("d")
	// The worker is held in its first notice while the rest happens.
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.kernel.inode = func(uint64) fuse.Status {
		once.Do(func() {
			close(entered)
			<-leave
		})
		return fuse.OK
	}
	b.lookup("d/b")
	b.store.put(map[string]string{"/ovs/d/b": "22"})
	<-entered
	b.store.del("/ovs/d/a")
	if out, st := b.lookup("d/a"); !st.Ok() || out.NodeId != 0 {
		t.Errorf("a removed name is answered %v, %v", out.NodeId, st)
	}
	b.store.put(map[string]string{"/ovs/d/a": "1"})
	close(leave)
	calls := b.settle()
	for _, want := range []string{fmt.Sprintf("entry %d a", d.NodeId), fmt.Sprintf("inode %d", d.NodeId)} {
		if !slices.Contains(calls, want) {
			t.Errorf("notices %q lack %q", calls, want)
		}
	}
}

// Where the kernel knows nothing it is told nothing, and a bulk of keys costs
// one walk.
func TestBulkCostsOneWalk(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/known/a": "1", "/ovs/other/a": "1"})
	d, _ := b.lookup("known")
	values := map[string]string{}
	for k := range 10_000 {
		values[fmt.Sprintf("/ovs/known/key%d", k)] = "1"
		values[fmt.Sprintf("/ovs/other/key%d", k)] = "1"
	}
	b.store.put(values)
	want := []string{fmt.Sprintf("entry %d %s", d.NodeId, noName), fmt.Sprintf("inode %d", d.NodeId)}
	if got := b.settle(); !slices.Equal(got, want) {
		t.Errorf("%d notices %.200q, want %q", len(got), got, want)
	}
}

// A name that a request is changing is left to it, and looked at when it is
// done; so is a directory that goes with its last key.
func TestClaimedNamesWait(t *testing.T) {
	for name, beside := range map[string]map[string]string{
		"one of two": {"/ovs/d/b": "1"},
		"the last":   {"/ovs/other": "1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, map[string]string{"/ovs/d/a": "1"})
			b.store.put(beside)
			leaf, _ := b.lookup("d/a")
			d := b.table.child(b.table.root, "d")
			release := b.table.claim(d, "a")
			b.store.del("/ovs/d/a")
			<-b.notices.caughtUp()
			for _, call := range b.kernel.take() {
				if strings.HasPrefix(call, "delete") {
					t.Errorf("while the name is claimed: %s", call)
				}
			}
			if !b.table.attached(b.table.get(leaf.NodeId)) {
				t.Error("a claimed name was detached")
			}
			release()
			want := fmt.Sprintf("delete %d %d a", d.id, leaf.NodeId)
			if got := b.settle(); !slices.Contains(got, want) {
				t.Errorf("after the release the notices are %q, want %q among them", got, want)
			}
		})
	}
}

// The first read in a directory brings the contents beside it into the page cache.
func TestSiblingsArePushed(t *testing.T) {
	b := newBench(t, map[string]string{
		"/ovs/d/a": "1", "/ovs/d/b": "2", "/ovs/d/c": `{"x": 1}`, "/ovs/d/large": strings.Repeat("x", 5000), "/ovs/d/empty": "",
	})
	a, _ := b.lookup("d/a")
	for _, name := range []string{"b", "c", "large", "empty"} {
		b.lookup("d/" + name)
	}
	other, _ := b.lookup("d/b")
	b.content(a.NodeId)
	if got, want := b.settle(), []string{fmt.Sprintf("store %d 2\n", other.NodeId)}; !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
	b.store.put(map[string]string{"/ovs/d/b": "3"})
	if got, want := b.settle(), []string{fmt.Sprintf("inode %d", other.NodeId)}; !slices.Equal(got, want) {
		t.Errorf("notices of a pushed leaf's change %q, want %q", got, want)
	}
}
