package fs

import (
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// A content that comes back while the kernel is being told to drop it, and that
// it is given anew then, is dropped when it goes the next time.
func TestContentComesBackDuringTheNotice(t *testing.T) {
	for name, ask := range map[string]func(*bench, uint64){
		"attributes": func(b *bench, id uint64) { b.getattr(id) },
		"pages":      func(b *bench, id uint64) { b.content(id) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, map[string]string{"/ovs/a": "1"})
			out, _ := b.lookup("a")
			id := out.NodeId
			back := false
			b.kernel.inode = func(node uint64) fuse.Status {
				if node == id && !back {
					back = true
					// The kernel has dropped all; then it asks.
					b.store.put(map[string]string{"/ovs/a": "1"})
					ask(b, id)
				}
				return fuse.OK
			}
			b.store.put(map[string]string{"/ovs/a": "22222"})
			b.settle()
			b.table.get(id).fade()
			b.store.put(map[string]string{"/ovs/a": "333"})
			if got := b.settle(); len(got) == 0 {
				t.Error("nothing tells the kernel to drop what it was given during the notice")
			}
		})
	}
}

// A barrier waits for names that a request was at work on when they changed.
func TestCalmWaitsForClaims(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1"})
	b.lookup("a")
	release := b.table.claim(b.table.root, "a")
	b.store.del("/ovs/a")
	<-b.notices.caughtUp()
	calm := b.notices.calm()
	select {
	case <-calm:
		t.Error("the kernel still has a name that is gone")
	default:
	}
	release()
	<-calm
	if b.table.child(b.table.root, "a") != nil {
		t.Error("the name is still known")
	}
}
