package volume_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

const vpoolName = "p"

var routers = []string{"pAAAAAAAAAAAAAAAA", "pBBBBBBBBBBBBBBBB"}

func known(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func emptyTree(t testing.TB) *mapping.Tree {
	t.Helper()
	tree, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	for _, router := range routers {
		tree = with(tree, put("vpools/p/hosts/"+router+"/config/volume_router", `{"vrouter_id": "`+router+`", "vrouter_sco_multiplier": 16384}`))
	}
	return tree
}

func with(t *mapping.Tree, p mapping.Plan) *mapping.Tree {
	t, _ = t.With(&p, time.Time{})
	return t
}

func put(key, value string) mapping.Plan {
	return mapping.Plan{Puts: []mapping.Put{{Key: "/ovs/" + key, Value: []byte(value)}}}
}

func remove(keys ...string) (p mapping.Plan) {
	for _, key := range keys {
		p.Deletes = append(p.Deletes, "/ovs/"+key)
	}
	return p
}

// uuidOf is the UUID of a small number.
func uuidOf(n int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012x", n) }

func idOf(n int) volume.ID { return volume.ID{VPool: vpoolName, Volume: uuidOf(n)} }

// model is what an observer outside knows: what each volume is to be, what the agent
// last took up, and nothing of requests.
type model struct {
	wanted  map[int]map[string]any
	applied map[int]map[string]any
	// generation is the newest one of each volume whose request was not taken away since.
	generation map[int]int64
}

func (m *model) clones(n int) (list []int) {
	for other, c := range m.wanted {
		if c["parent_volume_id"] == uuidOf(n) {
			list = append(list, other)
		}
	}
	return list
}

func (m *model) taken(path any, but int) bool {
	for other, c := range m.wanted {
		if other != but && c["filesystem_path"] == path {
			return true
		}
	}
	return false
}

// TestRequestsAgainstModel makes random changes of some volumes, and has the agent take
// up some of them. Whatever was folded, each request says what is to be done to what
// the agent last had.
func TestRequestsAgainstModel(t *testing.T) {
	rules := volume.NewRules(known(t))
	rapid.Check(t, func(rt *rapid.T) {
		tree := emptyTree(t)
		m := model{map[int]map[string]any{}, map[int]map[string]any{}, map[int]int64{}}
		act := 0
		stamp := volume.Stamp{By: "me@here"}
		// do makes a change that must be one, of the config and its request alone.
		do := func(n int, plan mapping.Plan, want map[string]any) {
			act++
			stamp.At = fmt.Sprintf("2026-01-01T00:00:%02dZ", act)
			before := tree
			extended, err := rules.Plan(tree, plan, stamp)
			if err != nil {
				rt.Fatalf("%+v: %v", plan, err)
			}
			tree = with(tree, extended)
			for d := range mapping.Diff(before, tree, "") {
				p := d.Path
				id := idOf(n)
				if !below(p, id.ConfigKey()) && !below(p, id.LifecycleKey()) {
					rt.Fatalf("a change of volume %d changes %s", n, p)
				}
			}
			if want == nil {
				delete(m.wanted, n)
			} else {
				m.wanted[n] = want
			}
			m.check(rt, tree, n, stamp)
		}
		refused := func(plan mapping.Plan, kind mapping.Kind) {
			if _, err := rules.Plan(tree, plan, stamp); mapping.KindOf(err) != kind {
				rt.Fatalf("%+v: %v, want %v", plan, err, kind)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				n := rapid.IntRange(0, 4).Draw(rt, "volume")
				if m.wanted[n] != nil {
					return
				}
				c := map[string]any{
					"volume_router": rapid.SampledFrom(routers).Draw(rt, "router"), "name": "name", "filesystem_path": fmt.Sprintf("/%d", rapid.IntRange(0, 5).Draw(rt, "path")),
					"sco_size": float64(4), "parent_volume_id": nil, "snapshot_id": nil,
				}
				if parent := rapid.IntRange(0, 9).Draw(rt, "parent"); m.wanted[parent] != nil {
					c["parent_volume_id"], c["snapshot_id"] = uuidOf(parent), uuidOf(99)
				}
				plan := put(idOf(n).ConfigKey(), text(c))
				// What the agent has not begun to delete is what it was.
				is := m.applied[n]
				switch {
				case m.taken(c["filesystem_path"], n):
					refused(plan, mapping.Exists)
				case is != nil && (is["parent_volume_id"] != c["parent_volume_id"] || is["snapshot_id"] != c["snapshot_id"]):
					refused(plan, mapping.Busy)
				default:
					do(n, plan, c)
				}
			},
			"change": func(rt *rapid.T) {
				n := rapid.IntRange(0, 4).Draw(rt, "volume")
				if m.wanted[n] == nil {
					return
				}
				c := maps.Clone(m.wanted[n])
				switch rapid.IntRange(0, 5).Draw(rt, "field") {
				case 0:
					c["volume_router"] = rapid.SampledFrom(routers).Draw(rt, "router")
				case 1:
					c["sco_size"] = rapid.SampledFrom([]float64{4, 8, 16}).Draw(rt, "size")
				case 2:
					c["dtl_target"] = "host"
				case 3:
					delete(c, "dtl_target")
				case 4:
					c["filesystem_path"] = fmt.Sprintf("/%d", rapid.IntRange(0, 5).Draw(rt, "path"))
				case 5:
					c["parent_volume_id"], c["snapshot_id"] = uuidOf(77), uuidOf(99)
					refused(put(idOf(n).ConfigKey(), text(c)), mapping.NotPermitted)
					return
				}
				plan := put(idOf(n).ConfigKey(), text(c))
				switch {
				case m.taken(c["filesystem_path"], n):
					refused(plan, mapping.Exists)
				case !reflect.DeepEqual(c, m.wanted[n]):
					do(n, plan, c)
				}
			},
			"delete": func(rt *rapid.T) {
				n := rapid.IntRange(0, 4).Draw(rt, "volume")
				if m.wanted[n] == nil {
					return
				}
				if plan := remove(idOf(n).ConfigKey()); len(m.clones(n)) > 0 {
					refused(plan, mapping.Busy)
				} else {
					do(n, plan, nil)
				}
			},
			"agent": func(rt *rapid.T) {
				n := rapid.IntRange(0, 4).Draw(rt, "volume")
				r, ok := requestOf(tree, n)
				if !ok {
					return
				}
				if m.wanted[n] == nil {
					delete(m.applied, n)
					delete(m.generation, n)
					tree = with(tree, remove(idOf(n).LifecycleKey(), idOf(n).StatusKey()))
					return
				}
				m.applied[n] = m.wanted[n]
				tree = with(tree, put(idOf(n).StatusKey(), fmt.Sprintf(`{"state": "ready", "generation": %d}`, r.Generation)))
			},
		})
	})
}

// check holds the request of a volume that was just changed against what is known.
func (m *model) check(rt *rapid.T, tree *mapping.Tree, n int, stamp volume.Stamp) {
	r, ok := requestOf(tree, n)
	wanted, applied := m.wanted[n], m.applied[n]
	if wanted == nil && applied == nil {
		if ok {
			rt.Fatalf("a volume that never was is asked to go: %+v", r)
		}
		delete(m.generation, n)
		return
	}
	if r.Generation <= m.generation[n] {
		rt.Fatalf("generation %d after %d", r.Generation, m.generation[n])
	}
	m.generation[n] = r.Generation
	if !ok || r.RequestedAt != stamp.At || r.RequestedBy != stamp.By {
		rt.Fatalf("the request is not of this change: %+v", r)
	}
	var action volume.Action
	switch {
	case wanted == nil:
		action = volume.Delete
	case applied == nil && wanted["parent_volume_id"] != nil:
		action = volume.Clone
	case applied == nil:
		action = volume.Create
	case applied["volume_router"] != wanted["volume_router"]:
		action = volume.Migrate
	default:
		action = volume.Update
	}
	if r.Action != action {
		rt.Fatalf("%s is asked for, want %s: %+v", r.Action, action, r)
	}
	old, is := map[string]any{}, map[string]any{}
	for _, c := range r.Changed {
		old[c.Name], is[c.Name] = c.Old, c.New
	}
	for _, field := range fields(applied, wanted) {
		_, told := old[field]
		if differs := !reflect.DeepEqual(applied[field], wanted[field]); differs && !told || differs != told && action == volume.Update {
			rt.Fatalf("%s: differs %v, told %v: %+v", field, differs, told, r)
		}
		if told && (!reflect.DeepEqual(old[field], applied[field]) || !reflect.DeepEqual(is[field], wanted[field])) {
			rt.Fatalf("%s: told %v -> %v, is %v -> %v", field, old[field], is[field], applied[field], wanted[field])
		}
	}
}

func fields(list ...map[string]any) []string {
	all := map[string]bool{}
	for _, c := range list {
		for name := range c {
			all[name] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}

func requestOf(t *mapping.Tree, n int) (r volume.Request, ok bool) {
	kv, ok := t.Get("/ovs/" + idOf(n).LifecycleKey())
	if ok {
		ok = json.Unmarshal(kv.Value, &r) == nil
	}
	return r, ok
}

func text(c map[string]any) string {
	b, _ := json.Marshal(c)
	return string(b)
}

func below(path, dir string) bool {
	return path == dir || len(path) > len(dir) && path[:len(dir)] == dir && path[len(dir)] == '/'
}
