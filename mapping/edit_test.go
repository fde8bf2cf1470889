package mapping

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// commit applies the plan of an edit as a store would, and holds the plan to
// its own rules on the way.
func commit(t testing.TB, tree *Tree, edit Edit) (*Tree, Plan) {
	t.Helper()
	plan, err := edit(tree)
	if err != nil {
		t.Fatalf("the edit is refused: %v", err)
	}
	return applyPlan(t, tree, plan), plan
}

// planFails is anything a test can fail with.
type planFails interface {
	Helper()
	Fatalf(string, ...any)
}

func applyPlan(t planFails, tree *Tree, plan Plan) *Tree {
	t.Helper()
	touched := map[string]bool{}
	touch := func(key string) {
		if touched[key] {
			t.Fatalf("the plan changes %s twice", key)
		}
		touched[key] = true
	}
	var changes []Change
	revision := tree.Revision() + 1
	for _, g := range plan.Guards {
		if kv, _ := tree.Get(g.Key); kv.ModRevision != g.ModRevision {
			t.Fatalf("guard %v does not hold on its own tree", g)
		}
	}
	for _, prefix := range plan.Absent {
		for kv := range tree.Under(strings.TrimSuffix(prefix, "/")) {
			t.Fatalf("%s is there, which the plan says is not", kv.Key)
		}
	}
	remove := func(key string) {
		touch(key)
		changes = append(changes, Change{KV: KV{Key: key, ModRevision: revision}, Deleted: true})
	}
	for _, key := range plan.Deletes {
		if _, ok := tree.Get(key); !ok {
			t.Fatalf("the plan deletes %s, which is not there", key)
		}
		remove(key)
	}
	for _, r := range plan.DeleteRanges {
		var count int64
		for kv := range tree.Under(strings.TrimSuffix(r.Prefix, "/")) {
			if kv.ModRevision > r.MaxModRevision {
				t.Fatalf("%s is newer than its range says", kv.Key)
			}
			remove(kv.Key)
			count++
		}
		if count != r.Count || count == 0 {
			t.Fatalf("range %v holds %d keys", r, count)
		}
	}
	for _, p := range plan.Puts {
		touch(p.Key)
		changes = append(changes, Change{KV: KV{Key: p.Key, Value: p.Value, Lease: p.Lease, CreateRevision: 1, ModRevision: revision, Version: 1}})
	}
	if plan.Empty() && len(plan.Guards) > 0 {
		t.Fatalf("an empty plan has guards")
	}
	next, _ := tree.Apply(revision, time.Unix(2, 0), changes)
	return next
}

// stored is every key with its value, as "key=value", in order.
func stored(tree *Tree) []string {
	var list []string
	for kv := range tree.Under("/ovs") {
		list = append(list, kv.Key[len("/ovs/"):]+"="+string(kv.Value))
	}
	return list
}

func sameStored(t testing.TB, tree *Tree, want ...string) {
	t.Helper()
	if got := stored(tree); !slices.Equal(got, want) {
		t.Errorf("stored is\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func write(path, content string) Edit { return Write(path, []byte(content), WriteOptions{}) }

// refused checks that an edit is refused with a kind, in one line.
func refused(t testing.TB, tree *Tree, edit Edit, kind Kind) {
	t.Helper()
	plan, err := edit(tree)
	switch {
	case err == nil:
		t.Errorf("the edit is not refused: %+v", plan)
	case KindOf(err) != kind:
		t.Errorf("refused as %v (%v), want %v", KindOf(err), err, kind)
	case strings.Contains(err.Error(), "\n") || err.Error() == "":
		t.Errorf("the reason is not one line: %q", err)
	case !plan.Empty():
		t.Errorf("a refused edit has a plan: %+v", plan)
	}
}
