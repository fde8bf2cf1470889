package fs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// watch has the server take an inode for watched, without a helper.
func (b *bench) watch(id uint64) {
	e := &echoes{s: b.server, last: map[slot]*echoed{}, waiting: map[*inode]*echoed{}, own: map[string]*ownMark{}}
	for range echoLanes {
		e.lanes = append(e.lanes, &lane{e: e})
	}
	e.watched.Store(newWatchSet(b.table, echo.Watches{id: unix.IN_MODIFY}))
	b.server.echoes = e
}

// Whoever hears of a change reads the leaf: if it was read before, the kernel is
// given the new content, where it can take it.
func TestNewContentOfWatchedLeaf(t *testing.T) {
	for _, c := range []struct {
		name, old, now string
		unread, given  bool
	}{
		{name: "same size", old: "1", now: "2", given: true},
		{name: "longer", old: "1", now: "22222", given: true},
		{name: "shorter", old: "22222", now: "1"},
		{name: "nobody has read it", old: "1", now: "2", unread: true},
		{name: "over a page", old: `"1"`, now: `"` + strings.Repeat("x", onePage) + `"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, map[string]string{"/ovs/a": c.old})
			out, _ := b.lookup("a")
			id := out.NodeId
			b.watch(id)
			if !c.unread {
				b.content(id)
				b.settle()
			}
			b.store.put(map[string]string{"/ovs/a": c.now})
			want := []string{fmt.Sprintf("inode %d", id)}
			now := strings.Trim(c.now, `"`) + "\n"
			if c.given {
				want = append(want, fmt.Sprintf("store %d %s", id, now))
			}
			if got := b.settle(); !slices.Equal(got, want) {
				t.Errorf("notices %q, want %q", got, want)
			}
			if got := b.getattr(id); got.Size != uint64(len(now)) || got.AttrValid == 0 {
				t.Errorf("the size is %d, kept for %d s", got.Size, got.AttrValid)
			}
			if got := b.content(id); got != now {
				t.Errorf("read %q", got)
			}
		})
	}
}

// The new content is given only when nothing of the old one can be in the page cache.
func TestNewContentAfterTheLastReadOfTheOld(t *testing.T) {
	b := newBench(t, map[string]string{"/ovs/a": "1"})
	out, _ := b.lookup("a")
	b.watch(out.NodeId)
	b.content(out.NodeId)
	b.settle()
	rereads := 2
	b.kernel.inode = func(node uint64) fuse.Status {
		if rereads > 0 {
			rereads--
			if got := b.content(node); got != "1\n" {
				t.Errorf("read %q before the pages were dropped", got)
			}
		}
		return fuse.OK
	}
	b.store.put(map[string]string{"/ovs/a": "2"})
	inode := fmt.Sprintf("inode %d", out.NodeId)
	if got, want := b.settle(), []string{inode, inode, inode, fmt.Sprintf("store %d 2\n", out.NodeId)}; !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
}
