package fs

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// A request that has got its tree before a change, and answers when the kernel was told of that, answers with
// the new size: it is what all others would be told from then on.
func TestLateAnswerIsOfTheNewTree(t *testing.T) {
	for name, size := range map[string]func(*bench, uint64) uint64{
		"getattr": func(b *bench, id uint64) uint64 { return b.getattr(id).Size },
		"lookup": func(b *bench, _ uint64) uint64 {
			out, _ := b.lookup("a")
			return out.Size
		},
		"setattr": func(b *bench, id uint64) uint64 {
			var in fuse.SetAttrIn
			in.NodeId = id
			var out fuse.AttrOut
			if st := b.SetAttr(nil, &in, &out); !st.Ok() {
				b.t.Fatalf("setattr: %v", st)
			}
			if out.AttrValid != 0 {
				b.t.Error("the kernel keeps the answer to SETATTR, which may come after a notice that was sent later")
			}
			return out.Size
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, map[string]string{"/ovs/a": "1"})
			out, _ := b.lookup("a")
			b.store.afterTree(func() {
				b.store.put(map[string]string{"/ovs/a": "22222"})
				b.settle()
			})
			if got := size(b, out.NodeId); got != 6 {
				t.Errorf("it is told %d bytes, and has 6", got)
			}
		})
	}
}

// Whose times are set while others change it shows its newest size after each change.
func TestSizeBesideTouch(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/f": version(0, 1)})
	stop := make(chan struct{})
	var touching sync.WaitGroup
	for range 4 {
		touching.Go(func() {
			for now := time.Now(); ; now = now.Add(time.Second) {
				select {
				case <-stop:
					return
				default:
				}
				if err := os.Chtimes(m.path("f"), now, now); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	rounds := 300
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		rounds = 20_000
	}
	for n := range rounds {
		v := version(n, 1+n%300)
		m.store.put(map[string]string{"/ovs/f": v})
		m.settle()
		if info, err := os.Lstat(m.path("f")); err != nil || info.Size() != int64(len(v)+1) {
			t.Errorf("round %d: lstat tells %v, want %d bytes: %v", n, info, len(v)+1, err)
		}
		if got := m.read("f"); got != v+"\n" {
			t.Errorf("round %d: %.20q, want %.20q", n, got, v)
		}
	}
	close(stop)
	touching.Wait()
}
