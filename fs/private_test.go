package fs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// drawEdit draws a change of a small tree of keys.
func drawEdit(t *rapid.T, side string) mapping.Edit {
	path := rapid.SampledFrom([]string{"a", "b", "d/a", "d/b", "d/e/a", "f/a"})
	switch from := path.Draw(t, side+" path"); rapid.IntRange(0, 4).Draw(t, side+" operation") {
	case 0:
		return mapping.Remove(from)
	case 1:
		return mapping.Rename(from, path.Draw(t, side+" to"), 0)
	case 2:
		return mapping.Rename("d", rapid.SampledFrom([]string{"d", "f", "g"}).Draw(t, side+" to"), 0)
	default:
		return mapping.Write(from, fmt.Appendf(nil, "%d\n", rapid.IntRange(1, 3).Draw(t, side+" value")), mapping.WriteOptions{})
	}
}

// After any changes on both sides a commit makes of each key what one side
// made of it, or, where both made different things of one, changes nothing.
func TestPrivateCommitAgainstModel(t *testing.T) {
	valuesOf := func(tree *mapping.Tree) map[string]string {
		values := map[string]string{}
		for kv := range tree.Under("/ovs") {
			values[kv.Key] = string(kv.Value)
		}
		return values
	}
	rapid.Check(t, func(rt *rapid.T) {
		outer := newFakeStore(t, map[string]string{"/ovs/a": "1", "/ovs/d/a": "2", "/ovs/d/e/a": "3", "/ovs/g/x": "1"})
		p := newPrivate(outer)
		steps := 0
		p.published = func(_, _ *mapping.Tree, _ []string) { steps++ }
		base := valuesOf(p.Tree())
		change := func(s Store, side string) {
			for range rapid.IntRange(0, 6).Draw(rt, side+" steps") {
				_ = s.Commit(context.Background(), drawEdit(rt, side)) // what does not make sense is refused
			}
		}
		change(p, "mine")
		if got := valuesOf(outer.Tree()); !maps.Equal(got, base) {
			rt.Fatalf("before the commit the store has %v, had %v", got, base)
		}
		change(outer, "theirs")
		mine, theirs := valuesOf(p.Tree()), valuesOf(outer.Tree())
		want, conflict := map[string]string{}, false
		keys := maps.Clone(base)
		maps.Copy(keys, mine)
		maps.Copy(keys, theirs)
		for key := range keys {
			b, m, o := base[key], mine[key], theirs[key] // no value is empty
			switch {
			case b == m || m == o:
				want[key] = o
			case b == o:
				want[key] = m
			default:
				conflict = true
			}
			if want[key] == "" {
				delete(want, key)
			}
		}
		if conflict {
			want = theirs
		}
		before := outer.Tree().Revision()
		err := p.commitAll(context.Background(), false)
		var conflicts mapping.Conflicts
		if errors.As(err, &conflicts) != conflict || !conflict && err != nil {
			rt.Fatalf("mine %v, theirs %v: %v, want a conflict: %v", mine, theirs, err, conflict)
		}
		if got := valuesOf(outer.Tree()); !maps.Equal(got, want) {
			rt.Fatalf("mine %v, theirs %v: committed to %v, want %v", mine, theirs, got, want)
		}
		if n := outer.Tree().Revision() - before; n > 1 || n == 1 && maps.Equal(theirs, want) {
			rt.Fatalf("%d revisions for the change from %v to %v", n, theirs, want)
		}
		if ended := p.Writable(); (mapping.KindOf(ended) == mapping.Stale) == conflict {
			rt.Fatalf("after it: %v", ended)
		}
	})
}

// TestConflictThatIsOver: others have taken back what conflicts, and the mount is about to show that.
func TestConflictThatIsOver(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1"})
	m.begin("t")
	m.set(in("t", "k"), "2\n")
	m.store.put(map[string]string{"/ovs/k": "3"})
	m.store.mu.Lock()
	m.store.onBarrier = func() { m.store.put(map[string]string{"/ovs/k": "1"}) }
	m.store.mu.Unlock()
	m.wantErr("commit", m.commit("t"), nil)
	m.want("/ovs/k", "2")
}
