package fs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

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
	t.Run("not known", func(t *testing.T) { absentBetweenTwoRounds(t, "d") })
	t.Run("known", func(t *testing.T) { absentBetweenTwoRounds(t, "d/a") })
}

func absentBetweenTwoRounds(t *testing.T, known string) {
	b := newBench(t, map[string]string{"/ovs/d/a": "1", "/ovs/d/b": "1"})
	b.lookup(known)
	d, _ := b.lookup("d")
	release := b.hold("d/b")
	b.store.del("/ovs/d/a")
	if out, st := b.lookup("d/a"); !st.Ok() || out.NodeId != 0 {
		t.Errorf("a removed name is answered %v, %v", out.NodeId, st)
	}
	b.store.put(map[string]string{"/ovs/d/a": "1"})
	release()
	calls := b.settle()
	for _, want := range []string{fmt.Sprintf("entry %d a", d.NodeId), fmt.Sprintf("inode %d", d.NodeId)} {
		if !slices.Contains(calls, want) {
			t.Errorf("notices %q lack %q", calls, want)
		}
	}
}

// An answer with a leaf as it was may reach the kernel after one with the leaf as
// it is: the kernel is made to look the name up again.
func TestOldShapeAfterTheNew(t *testing.T) {
	for name, c := range map[string]struct {
		changes []string
		forget  bool
	}{
		"replaced":           {changes: []string{`{"f": 1}`}},
		"and forgotten":      {changes: []string{`{"f": 1}`}, forget: true},
		"and back again":     {changes: []string{`{"f": 1}`, "2"}},
		"back and forgotten": {changes: []string{`{"f": 1}`, "2"}, forget: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, map[string]string{"/ovs/a": "1", "/ovs/b": "1"})
			old, _ := b.lookup("a") // on its way
			release := b.hold("b")
			for _, value := range c.changes {
				b.store.put(map[string]string{"/ovs/a": value})
				out, _ := b.lookup("a")
				if out.NodeId == old.NodeId {
					t.Fatal("it is the same inode")
				}
				if c.forget {
					b.Forget(out.NodeId, 1)
				}
			}
			release()
			if calls := b.settle(); !slices.Contains(calls, "entry 1 a") {
				t.Errorf("notices %q lack that of the name", calls)
			}
		})
	}
}

// What was listed from an older tree is looked at again before the change
// counts as told.
func TestToldAfterOldListings(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1"})
	b.lookup("a")
	told := b.notices.doneCount()
	b.kernel.entry = func(_ uint64, name string) {
		b.kernel.entry = func(uint64, string) {
			if b.notices.doneCount() != told {
				t.Error("the change counts as told before the listing was looked at again")
			}
		}
		b.notices.relist(b.table.root) // by the listing that this notice waits for
	}
	b.store.put(map[string]string{"/ovs/new": "1"})
	want := []string{"entry 1 " + noName, "inode 1"}
	if got := b.settle(); !slices.Equal(got, append(want, want...)) {
		t.Errorf("notices %q, want %q twice", got, want)
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
			if attached, _ := b.table.attached(b.table.get(leaf.NodeId)); !attached {
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
