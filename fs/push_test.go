package fs

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// listToEnd reads a directory to its end, as getdents does.
func (b *bench) listToEnd(id uint64) {
	b.t.Helper()
	for _, offset := range []uint64{0, cookieEnd} {
		in := &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}, Offset: offset}
		if st := b.ReadDirPlus(nil, in, fuse.NewDirEntryList(make([]byte, 1<<16), offset)); !st.Ok() {
			b.t.Fatalf("readdir: %v", st)
		}
	}
}

// stores are the notices that give the kernel the contents of names in d, in
// the order of their listing.
func (b *bench) stores(d string) (want []string) {
	b.t.Helper()
	dir, _ := b.lookup(d)
	t := b.tree(b.table.get(dir.NodeId))
	entries, st := b.list(b.table.get(dir.NodeId), t)
	if !st.Ok() {
		b.t.Fatalf("list: %v", st)
	}
	for _, e := range entries {
		i, _ := b.lookup(d + "/" + e.name)
		want = append(want, fmt.Sprintf("store %d %s", i.NodeId, e.node.Content()))
	}
	return want
}

// Who lists one directory after the other and reads what is in them gets the
// contents of the next with its listing, in the order in which they are listed;
// who only lists gets none.
func TestReadingWalkIsAhead(t *testing.T) {
	b := newBench(t, map[string]string{
		"/ovs/d/a": "1", "/ovs/d/b": "2", "/ovs/e/a": "3", "/ovs/e/b": "4", "/ovs/e/c": "5", "/ovs/f/a": "6", "/ovs/g/h/a": "7",
	})
	id := func(name string) uint64 {
		out, st := b.lookup(name)
		if !st.Ok() {
			t.Fatalf("lookup of %s: %v", name, st)
		}
		return out.NodeId
	}
	b.listToEnd(id("d"))
	b.listToEnd(id("e"))
	if got := b.settle(); len(got) > 0 {
		t.Fatalf("notices %q while nothing was read", got)
	}
	first := id("d/a")
	var out fuse.OpenOut
	if st := b.Open(nil, &fuse.OpenIn{InHeader: fuse.InHeader{NodeId: first}}, &out); !st.Ok() {
		t.Fatalf("open: %v", st)
	}
	got, want := b.settle(), b.stores("d")
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("notices upon an open %q, want %q", got, want)
	}
	b.listToEnd(id("g")) // has no files, so that nothing is learned from it
	b.listToEnd(id("e"))
	if got, want := b.settle(), b.stores("e"); !slices.Equal(got, want) {
		t.Errorf("notices upon the next listing %q, want %q", got, want)
	}
	b.listToEnd(id("f"))
	if got := b.settle(); len(got) > 0 {
		t.Errorf("notices %q though nothing of what was listed before was read", got)
	}
}
