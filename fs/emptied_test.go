package fs

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// rewrite is echo value > leaf as the kernel sends it. between runs when the
// leaf is open and nothing is written.
func (b *bench) rewrite(id uint64, value string, between func()) {
	b.t.Helper()
	header := fuse.InHeader{NodeId: id}
	var out fuse.OpenOut
	if st := b.Open(nil, &fuse.OpenIn{InHeader: header, Flags: syscall.O_WRONLY | syscall.O_TRUNC}, &out); !st.Ok() {
		b.t.Fatalf("open: %v", st)
	}
	between()
	if _, st := b.Write(nil, &fuse.WriteIn{InHeader: header, Fh: out.Fh}, []byte(value)); !st.Ok() {
		b.t.Fatalf("write: %v", st)
	}
	if st := b.Flush(nil, &fuse.FlushIn{InHeader: header, Fh: out.Fh}); !st.Ok() {
		b.t.Fatalf("flush: %v", st)
	}
	b.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: out.Fh})
}

// A notice would have the kernel ask for mode and owner at the next open. It is
// sent only when the kernel has something to drop.
func TestRewritingNeedsNoNotice(t *testing.T) {
	for _, test := range []struct {
		name            string
		before, between func(b *bench, id uint64)
		want            bool
	}{
		{"nobody looks", nil, nil, false},
		{"the kernel has the size", func(b *bench, id uint64) { b.getattr(id) }, nil, false},
		{"the kernel has pages", func(b *bench, id uint64) { b.content(id) }, nil, true},
		{"its size is asked for meanwhile", nil, func(b *bench, id uint64) { b.getattr(id) }, true},
		{"it is looked up meanwhile", nil, func(b *bench, _ uint64) { b.lookup("a") }, true},
		{"it is read meanwhile", nil, func(b *bench, id uint64) { b.content(id) }, true},
		{"it is opened for writing twice", nil, func(b *bench, id uint64) { b.rewrite(id, "other\n", func() {}) }, true},
		{"someone else changes it meanwhile", nil, func(b *bench, id uint64) {
			b.getattr(id)
			b.store.put(map[string]string{"/ovs/a": `"elsewhere"`})
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, map[string]string{"/ovs/a": `"old"`})
			if err := b.openLayer(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.closeLayer)
			nothing := func(*bench, uint64) {}
			if test.before == nil {
				test.before = nothing
			}
			if test.between == nil {
				test.between = nothing
			}
			out, _ := b.lookup("a")
			id := out.NodeId
			for i := range 3 {
				test.before(b, id)
				b.settle()
				value := fmt.Sprintf("%d%s\n", i, strings.Repeat("x", i))
				b.rewrite(id, value, func() { test.between(b, id) })
				calls := b.settle()
				if got := slices.Contains(calls, fmt.Sprintf("inode %d", id)); got != test.want {
					t.Errorf("notices: %q", calls)
				}
				if got := b.getattr(id); got.Size != uint64(len(value)) {
					t.Errorf("size %d of %q", got.Size, value)
				}
				if got := b.content(id); got != value {
					t.Errorf("read %q, want %q", got, value)
				}
				b.settle()
				// As if it was never read.
				i := b.table.get(id)
				i.mu.Lock()
				i.paged = false
				i.mu.Unlock()
			}
		})
	}
}

// Each write is seen at once, whoever had the leaf open, and its mode stays.
func TestRewritingIsSeen(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": `"old"`})
	if err := os.Chmod(m.path("a"), 0o640); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(m.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for i := range 200 {
		value := fmt.Sprintf("%d%s\n", i, strings.Repeat("x", i*37%90))
		f, err := os.OpenFile(m.path("a"), os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 1 {
			m.read("a")
		}
		if i%5 == 2 {
			if _, err := os.Stat(m.path("a")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.WriteString(value); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(m.path("a"))
		if err != nil || info.Size() != int64(len(value)) || info.Mode() != 0o640 {
			t.Fatalf("%d bytes of %d are shown, mode %v: %v", info.Size(), len(value), info.Mode(), err)
		}
		if got := m.read("a"); got != value {
			t.Fatalf("%q is read, want %q", got, value)
		}
		if _, err := reader.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
	}
}
