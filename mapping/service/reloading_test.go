package service_test

import (
	"maps"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

func snapshot(t *testing.T, revision int64, values map[string]string) *mapping.Tree {
	t.Helper()
	empty, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	var changes []mapping.Change
	for key, value := range values {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: key, Value: []byte(value), ModRevision: revision, CreateRevision: revision, Version: 1}})
	}
	tree, _ := empty.Apply(revision, time.Time{}, changes)
	return tree
}

func TestReloading(t *testing.T) {
	base := map[string]string{
		"/ovs/alba/asds/a/config": `{"log_level":"info"}`, "/ovs/alba/asds/a/reload": "4",
		"/ovs/alba/asds/b/config": `{"log_level":"info"}`, "/ovs/alba/asds/b/reload": "1",
		"/ovs/alba/asds/c/config":         `{"log_level":"info"}`,
		"/ovs/vpools/p/hosts/r/config/fs": `{"a":1}`, "/ovs/vpools/p/hosts/r/config/vr": `{"b":1}`,
		"/ovs/framework/x": "1",
	}
	mine := maps.Clone(base)
	mine["/ovs/alba/asds/a/config"] = `{"log_level":"debug"}`
	mine["/ovs/alba/asds/b/config"], mine["/ovs/alba/asds/b/reload"] = `{"log_level":"debug"}`, "7" // as it says itself
	mine["/ovs/vpools/p/hosts/r/config/fs"], mine["/ovs/vpools/p/hosts/r/config/vr"] = `{"a":2}`, `{"b":2}`
	mine["/ovs/framework/x"] = "2"
	theirs := maps.Clone(base)
	theirs["/ovs/alba/asds/a/reload"] = "9"

	var keys []string
	for key := range mine {
		keys = append(keys, key)
	}
	baseTree, mineTree, now := snapshot(t, 2, base), snapshot(t, 3, mine), snapshot(t, 5, theirs)
	plan, err := service.Reloading(mapping.Merge(baseTree, mineTree, keys), baseTree, mineTree)(now)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/ovs/alba/asds/a/config": mine["/ovs/alba/asds/a/config"], "/ovs/alba/asds/a/reload": "10",
		"/ovs/alba/asds/b/config": mine["/ovs/alba/asds/b/config"], "/ovs/alba/asds/b/reload": "7",
		"/ovs/vpools/p/hosts/r/config/fs": `{"a":2}`, "/ovs/vpools/p/hosts/r/config/vr": `{"b":2}`, "/ovs/vpools/p/hosts/r/reload": "1",
		"/ovs/framework/x": "2",
	}
	got := map[string]string{}
	for _, put := range plan.Puts {
		if _, twice := got[put.Key]; twice {
			t.Errorf("%s is put twice", put.Key)
		}
		got[put.Key] = string(put.Value)
	}
	if !maps.Equal(got, want) {
		t.Errorf("puts %v, want %v", got, want)
	}
	guarded := map[string]int64{}
	for _, guard := range plan.Guards {
		guarded[guard.Key] = guard.ModRevision
	}
	if guarded["/ovs/alba/asds/a/reload"] != 5 {
		t.Errorf("the counter is not compared: %v", plan.Guards)
	}
	if at, ok := guarded["/ovs/vpools/p/hosts/r/reload"]; !ok || at != 0 {
		t.Errorf("the new counter is not compared: %v", plan.Guards)
	}
	// A service that is one document.
	base, mine = map[string]string{"/ovs/alba/asds/d": `{"config":{"a":1},"reload":3}`}, map[string]string{"/ovs/alba/asds/d": `{"config":{"a":2},"reload":3}`}
	baseTree, mineTree = snapshot(t, 2, base), snapshot(t, 3, mine)
	plan, err = service.Reloading(mapping.Merge(baseTree, mineTree, []string{"/ovs/alba/asds/d"}), baseTree, mineTree)(baseTree)
	if err != nil || len(plan.Puts) != 1 || string(plan.Puts[0].Value) != `{"config":{"a":2},"reload":4}` || len(plan.Guards) != 1 || plan.Guards[0].ModRevision != 2 {
		t.Errorf("%+v %+v %v", plan.Puts, plan.Guards, err)
	}
}

// What is no counter cannot be raised, and nobody would tell the service.
func TestReloadingOfNoCounter(t *testing.T) {
	base := map[string]string{"/ovs/alba/asds/a/config": `{"log_level":"info"}`, "/ovs/alba/asds/a/reload": `"abc"`}
	mine := maps.Clone(base)
	mine["/ovs/alba/asds/a/config"] = `{"log_level":"debug"}`
	baseTree, mineTree := snapshot(t, 2, base), snapshot(t, 3, mine)
	_, err := service.Reloading(mapping.Merge(baseTree, mineTree, []string{"/ovs/alba/asds/a/config"}), baseTree, mineTree)(baseTree)
	if mapping.KindOf(err) != mapping.Invalid {
		t.Errorf("got %v, want it refused as invalid", err)
	}
}
