package volume_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// written is a tree with two volumes, 2 a clone of 1.
func written(t testing.TB) *mapping.Tree {
	tree := emptyTree(t)
	tree = with(tree, put(idOf(1).ConfigKey(), `{"volume_router": "pAAAAAAAAAAAAAAAA", "name": "one", "filesystem_path": "/1", "sco_size": 4}`))
	return with(tree, put(idOf(2).ConfigKey(), clone(uuidOf(1), "/2")))
}

func clone(parent, path string) string {
	return `{"volume_router": "pAAAAAAAAAAAAAAAA", "name": "two", "filesystem_path": "` + path + `", "parent_volume_id": "` + parent + `", "snapshot_id": "` + uuidOf(99) + `"}`
}

func plain(router, path, more string) string {
	return `{"volume_router": "` + router + `", "name": "three", "filesystem_path": "` + path + `"` + more + `}`
}

func TestRulesRefuse(t *testing.T) {
	const router = "pAAAAAAAAAAAAAAAA"
	rules := volume.NewRules(known(t))
	three, config := idOf(3).ConfigKey(), "vpool/p/volumes/"+uuidOf(3)+"/config"
	moved := put("vpool/p/vols/"+uuidOf(1)+"/config", `{"volume_router": "pAAAAAAAAAAAAAAAA", "name": "one", "filesystem_path": "/1", "sco_size": 4}`)
	moved.Deletes = remove(idOf(1).ConfigKey(), idOf(2).ConfigKey()).Deletes
	renamed := put(three, plain(router, "/1", ""))
	renamed.Deletes = remove(idOf(1).ConfigKey(), idOf(2).ConfigKey()).Deletes
	for name, c := range map[string]struct {
		plan mapping.Plan
		kind mapping.Kind
		path string
		says string
	}{
		"no UUID":             {put("vpool/p/volumes/three/config", plain(router, "/3", "")), mapping.Invalid, "vpool/p/volumes/three/config", "UUID in lower case"},
		"upper case":          {put("vpool/p/volumes/00000000-0000-0000-0000-00000000000A/config", plain(router, "/3", "")), mapping.Invalid, "vpool/p/volumes/00000000-0000-0000-0000-00000000000A/config", "UUID in lower case"},
		"not whole":           {put(three, `{"name": "x", "volume_router": "pAAAAAAAAAAAAAAAA"}`), mapping.Invalid, config, "needs filesystem_path"},
		"empty":               {put(three, plain("", "/3", "")), mapping.Invalid, config + "/volume_router", "must"},
		"no JSON":             {put(three, "[global]"), mapping.Invalid, config, "JSON"},
		"an array":            {put(three, "[]"), mapping.Invalid, config, "must"},
		"unknown field":       {put(three, plain(router, "/3", `, "size": 5`)), mapping.Invalid, config + "/size", "spelled"},
		"unknown vrouter":     {put(three, plain("pCCCCCCCCCCCCCCCC", "/3", "")), mapping.Invalid, config + "/volume_router", "no vrouter of this vpool"},
		"relative path":       {put(three, plain(router, "3", "")), mapping.Invalid, config + "/filesystem_path", "absolute path"},
		"path twice":          {put(three, plain(router, "/1", "")), mapping.Exists, config + "/filesystem_path", "path of volume " + uuidOf(1)},
		"sco_size":            {put(three, plain(router, "/3", `, "sco_size": 5`)), mapping.Invalid, config + "/sco_size", "4, 8, 16, 32, 64 or 128"},
		"write_buffer":        {put(three, plain(router, "/3", `, "write_buffer": 127`)), mapping.Invalid, config + "/write_buffer", "128"},
		"readcache_limit":     {put(three, plain(router, "/3", `, "readcache_limit": 10241`)), mapping.Invalid, config + "/readcache_limit", "10240"},
		"dtl_mode":            {put(three, plain(router, "/3", `, "dtl_mode": "sync"`)), mapping.Invalid, config + "/dtl_mode", "Asynchronous"},
		"read_cache_mode":     {put(three, plain(router, "/3", `, "read_cache_mode": "dedupe"`)), mapping.Invalid, config + "/read_cache_mode", "ContentBased"},
		"cache_strategy":      {put(three, plain(router, "/3", `, "cache_strategy": "none"`)), mapping.Invalid, config + "/cache_strategy", "NoCache"},
		"snapshot alone":      {put(three, plain(router, "/3", `, "snapshot_id": "`+uuidOf(99)+`"`)), mapping.Invalid, config + "/snapshot_id", "parent_volume_id is"},
		"no snapshot":         {put(three, plain(router, "/3", `, "parent_volume_id": "`+uuidOf(1)+`"`)), mapping.Invalid, config + "/snapshot_id", "needs the snapshot"},
		"unknown parent":      {put(three, clone(uuidOf(9), "/3")), mapping.Invalid, config + "/parent_volume_id", "there is no volume"},
		"own parent":          {put(three, clone(uuidOf(3), "/3")), mapping.Invalid, config + "/parent_volume_id", "own ancestor"},
		"clone's name":        {put(three, strings.Replace(clone(uuidOf(1), "/3"), "two", "a b", 1)), mapping.Invalid, config + "/name", "3 to 50"},
		"another parent":      {put(idOf(2).ConfigKey(), clone(uuidOf(3), "/2")), mapping.NotPermitted, "vpool/p/volumes/" + uuidOf(2) + "/config/parent_volume_id", "never changes"},
		"parent of a clone":   {remove(idOf(1).ConfigKey()), mapping.Busy, "vpool/p/volumes/" + uuidOf(1) + "/config", "parent of volume " + uuidOf(2)},
		"moved away":          {moved, mapping.NotPermitted, "vpool/p/volumes/" + uuidOf(1) + "/config", "cannot be moved"},
		"another UUID":        {renamed, mapping.NotPermitted, "vpool/p/volumes/" + uuidOf(1) + "/config", "cannot be moved"},
		"a request":           {put(idOf(1).LifecycleKey(), "{}"), mapping.NotPermitted, "vpool/p/lifecycle/" + uuidOf(1), "change the config"},
		"a status":            {put(idOf(1).StatusKey(), "{}"), mapping.NotPermitted, "vpool/p/status/" + uuidOf(1), "agent"},
		"something else in V": {put("vpool/p/volumes/"+uuidOf(1)+"/notes", "1"), mapping.NotPermitted, "vpool/p/volumes/" + uuidOf(1) + "/notes", "nothing else"},
		"below config":        {put(idOf(1).ConfigKey()+"/more", "1"), mapping.NotPermitted, "vpool/p/volumes/" + uuidOf(1) + "/config/more", "nothing else"},
		"a document of all":   {put("vpool/p/volumes", "{}"), mapping.NotPermitted, "vpool/p/volumes", "directory of keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rules.Plan(written(t), c.plan, volume.Stamp{})
			var refused *mapping.Error
			if !errors.As(err, &refused) || refused.Kind != c.kind || refused.Path != c.path || !strings.Contains(refused.Reason, c.says) {
				t.Errorf("%v (%v), want %v of %s with %q", err, mapping.KindOf(err), c.kind, c.path, c.says)
			}
		})
	}
}

// TestRulesForgive: what somebody else did wrong does not stand in the way of other changes.
func TestRulesForgive(t *testing.T) {
	rules := volume.NewRules(known(t))
	odd := `{"volume_router": "gone", "name": "one", "filesystem_path": "/2", "sco_size": 5, "colour": "red"}`
	tree := with(written(t), put(idOf(1).ConfigKey(), odd))
	for name, plan := range map[string]mapping.Plan{
		"another field": put(idOf(1).ConfigKey(), strings.Replace(odd, `"one"`, `"uno"`, 1)),
		"spacing":       put(idOf(1).ConfigKey(), " "+odd),
		"mended":        put(idOf(1).ConfigKey(), `{"volume_router": "pBBBBBBBBBBBBBBBB", "name": "one", "filesystem_path": "/1"}`),
	} {
		if _, err := rules.Plan(tree, plan, volume.Stamp{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSameVolumeAsksNothing: other bytes of the same volume are no change of it.
func TestSameVolumeAsksNothing(t *testing.T) {
	tree := written(t)
	kv, _ := tree.Get("/ovs/" + idOf(1).ConfigKey())
	plan, err := volume.NewRules(known(t)).Plan(tree, put(idOf(1).ConfigKey(), " "+string(kv.Value)), volume.Stamp{})
	if err != nil || len(plan.Puts) != 1 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// TestGuards: what the request and the rules depend on is compared in the transaction.
func TestGuards(t *testing.T) {
	tree := with(written(t), put(idOf(2).StatusKey(), `{"state": "ready", "generation": 1}`))
	rules := volume.NewRules(known(t))
	plan, err := rules.Plan(tree, put(idOf(2).ConfigKey(), clone(uuidOf(1), "/3")), volume.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	status, _ := tree.Get("/ovs/" + idOf(2).StatusKey())
	want := []mapping.Guard{{Key: "/ovs/" + idOf(2).LifecycleKey()}, {Key: status.Key, ModRevision: status.ModRevision}}
	for _, g := range want {
		found := false
		for _, has := range plan.Guards {
			found = found || has == g
		}
		if !found {
			t.Errorf("no guard %+v among %+v", g, plan.Guards)
		}
	}
	if len(plan.Unchanged) != 1 || plan.Unchanged[0] != "/ovs/vpool/p/volumes/" {
		t.Errorf("the path is compared with %q", plan.Unchanged)
	}
	plan, err = rules.Plan(tree, put(idOf(3).ConfigKey(), clone(uuidOf(1), "/9")), volume.Stamp{})
	parent, _ := tree.Get("/ovs/" + idOf(1).ConfigKey())
	if last := plan.Guards[len(plan.Guards)-1]; err != nil || last != (mapping.Guard{Key: parent.Key, ModRevision: parent.ModRevision}) {
		t.Errorf("the parent is not guarded: %+v, %v", plan.Guards, err)
	}
}

func TestDefaults(t *testing.T) {
	rules := volume.NewRules(known(t))
	for name, c := range map[string]struct{ manager, router, want string }{
		"seed":     {`{"non_disposable_scos_factor": 20.0, "number_of_scos_in_tlog": 1, "read_cache_default_mode": "LocationBased", "read_cache_default_behaviour": "NoCache"}`, `{"vrouter_sco_multiplier": "16384"}`, `"sco_size": 64, "read_cache_mode": "LocationBased", "readcache_limit": null, "write_buffer": 1280, "dtl_mode": "Asynchronous", "dtl_target": null, "cache_strategy": "NoCache"`},
		"unsaid":   {`{}`, `{}`, `"sco_size": 4, "read_cache_mode": "ContentBased", "readcache_limit": null, "write_buffer": 128, "dtl_mode": "Asynchronous", "dtl_target": null, "cache_strategy": "CacheOnRead"`},
		"too much": {`{"non_disposable_scos_factor": 1e300}`, `{"vrouter_sco_multiplier": 4000000000}`, `"sco_size": 128, "read_cache_mode": "ContentBased", "readcache_limit": null, "write_buffer": 10240, `},
		"nonsense": {`{"read_cache_default_mode": "dedupe", "non_disposable_scos_factor": "many"}`, `{"vrouter_sco_multiplier": -1}`, `"sco_size": 4, "read_cache_mode": "ContentBased", "readcache_limit": null, "write_buffer": 128, `},
	} {
		tree := emptyTree(t)
		for _, router := range routers {
			at := "vpools/p/hosts/" + router + "/config/"
			tree = with(with(tree, put(at+"volume_manager", c.manager)), put(at+"volume_router", c.router))
		}
		plan, err := rules.Begin("vpool/p/volumes/"+uuidOf(1), false)(tree)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(plan.Puts[0].Value); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
		if err := rules.Draft(tree, plan.Puts[0].Key, nil, plan.Puts[0].Value); err != nil {
			t.Errorf("%s: a draft cannot have its defaults: %v", name, err)
		}
	}
}
