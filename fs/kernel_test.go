package fs

import (
	"fmt"
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
	// entry is called by EntryNotify.
	entry func(parent uint64, name string)
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
	if k.entry != nil {
		k.entry(parent, name)
	}
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

// hold changes a leaf and holds the worker in its notice of that until release is called.
func (b *bench) hold(path string) (release func()) {
	b.t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.kernel.inode = func(uint64) fuse.Status {
		once.Do(func() {
			close(entered)
			<-leave
		})
		return fuse.OK
	}
	b.lookup(path)
	b.store.put(map[string]string{"/ovs/" + path: "22"})
	<-entered
	return func() { close(leave) }
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
