package service_test

import (
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

func TestOf(t *testing.T) {
	for _, test := range []struct{ path, dir string }{
		{"vpools/p/hosts/r/config", "vpools/p/hosts/r"},
		{"vpools/p/hosts/r/config/filesystem/fs_dtl_mode", "vpools/p/hosts/r"},
		{"vpools/p/hosts/r/reload", "vpools/p/hosts/r"},
		{"vpools/p/hosts/r/report/generation", ""},
		{"vpools/p/hosts/r/report", "vpools/p/hosts/r"},
		{"vpools/p/proxies/x/config/main", "vpools/p/proxies/x"},
		{"vpools/p/proxies/x/config/abm", "vpools/p/proxies/x"},
		{"vpools/p/proxies/scrub/generic_scrub", ""},
		{"vpools/p/mds_config", ""},
		{"alba/asds/a/config/port", "alba/asds/a"},
		{"alba/asdnodes/n/config/main", "alba/asdnodes/n"},
		{"alba/backends/b/maintenance/config", "alba/backends/b/maintenance"},
		{"alba/backends/b/maintenance/nr_of_agents", ""},
		{"arakoon/c/config", "arakoon/c"},
		{"arakoon/c/metadata", ""},
		{"arakoon/c", ""},
		{"framework/hosts/h/ports", ""},
		{"vpool/p/volumes/v/config", ""},
		{"", ""}, {"alba/asds//config", ""},
	} {
		s, ok := service.Of(test.path)
		if ok != (test.dir != "") || s.Dir != test.dir {
			t.Errorf("%s: %+v, want %q", test.path, s, test.dir)
		}
	}
}

// The catalogue has the counter and the answer of just the services of the table.
func TestCatalogue(t *testing.T) {
	c, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{
		"vpools/p/hosts/r", "vpools/p/proxies/x", "alba/asds/a", "alba/asdnodes/n", "alba/backends/b/maintenance", "arakoon/c",
	} {
		s, ok := service.At(dir)
		if !ok {
			t.Fatalf("%s is no service", dir)
		}
		reload, _ := c.Entry(s.Reload)
		report, _ := c.Entry(s.Report)
		if !service.IsReload(s.Reload) || reload.Type != mapping.Number || report.Type != mapping.Object || !reload.Dynamic() {
			t.Errorf("%s: %+v, %+v", dir, reload, report)
		}
	}
	for _, path := range []string{"framework/reload", "framework/hosts/h/reload", "vpools/p/reload", "alba/reload", "vpool/p/reload"} {
		if _, known := c.Entry(path); known != service.IsReload(path) {
			t.Errorf("%s: known to the catalogue: %v, a counter: %v", path, known, service.IsReload(path))
		}
	}
}

func treeOf(t *testing.T, revision int64, keysAndValues ...string) *mapping.Tree {
	t.Helper()
	tree, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	var changes []mapping.Change
	for i := 0; i < len(keysAndValues); i += 2 {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: "/ovs/" + keysAndValues[i], Value: []byte(keysAndValues[i+1]), ModRevision: revision}})
	}
	tree, _ = tree.Apply(revision, tree.Root().Seen(), changes)
	return tree
}

func TestTouch(t *testing.T) {
	tree := treeOf(t, 7, "arakoon/a/reload", "9", "arakoon/b/reload", `"x"`, "arakoon/c/reload", "-1", "arakoon/d/reload", "9223372036854775807", "arakoon/e/reload/x", "1", "arakoon/f/reload", "1.5")
	for dir, want := range map[string]string{"a": "10", "b": "", "c": "", "d": "", "e": "", "f": "", "new": "1"} {
		plan, err := service.Touch("arakoon/"+dir+"/reload", 1)(tree)
		if want == "" {
			if mapping.KindOf(err) != mapping.Invalid {
				t.Errorf("%s: %v, %v", dir, plan, err)
			}
			continue
		}
		if err != nil || len(plan.Puts) != 1 || string(plan.Puts[0].Value) != want || len(plan.Guards) == 0 {
			t.Errorf("%s: %+v, %v", dir, plan, err)
		}
	}
}

func TestChanged(t *testing.T) {
	old := treeOf(t, 1, "arakoon/a/config", "[global]\n", "vpools/p/hosts/r/config/filesystem", `{"a": 1}`, "vpools/p/hosts/r/config/fuse", `{}`, "alba/asds/x/config", `{}`)
	now := treeOf(t, 2, "arakoon/a/config", "[global]\nx = 1\n", "vpools/p/hosts/r/config/filesystem", `{"a": 2}`, "alba/asds/x/config", `{ }`, "arakoon/b/reload", "1")
	var dirs []string
	for _, s := range service.Changed(old, now) {
		dirs = append(dirs, s.Dir)
	}
	if got := strings.Join(dirs, " "); got != "arakoon/a vpools/p/hosts/r" {
		t.Errorf("changed: %s", got)
	}
}

func TestCompare(t *testing.T) {
	known, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	driver, _ := service.At("vpools/p/hosts/r")
	tree := func(pairs ...string) *mapping.Tree {
		tree, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs/" + driver.Dir})
		if err != nil {
			t.Fatal(err)
		}
		var changes []mapping.Change
		for i := 0; i < len(pairs); i += 2 {
			changes = append(changes, mapping.Change{KV: mapping.KV{Key: "/ovs/" + driver.Dir + "/config" + pairs[i], Value: []byte(pairs[i+1]), ModRevision: 1}})
		}
		tree, _ = tree.Apply(1, tree.Root().Seen(), changes)
		return tree
	}
	config := func(pairs ...string) service.Config {
		c, components, ok := driver.ConfigIn(tree(pairs...))
		if !ok || !components {
			t.Fatalf("%v: %v, %v", pairs, components, ok)
		}
		if again := service.ParseConfig(c.JSON(), true); len(again) != len(c) || len(service.Compare(known, driver, c, again).Dynamic) > 0 {
			t.Errorf("%v and %v differ", c, again)
		}
		return c
	}
	running := config("/filesystem", `{"fs_dtl_mode": "Asynchronous", "fs_dtl_port": 5, "fs_raw_disk_suffix": "x"}`, "/volume_router", `{"vrouter_id": "r"}`,
		"/event_publisher", `{"events_amqp_uris": [{"amqp_uri": "amqp://u:p@h"}]}`, "/volume_manager", `{"clean_interval": 3}`, "/fuse", `{"fuse_min_workers": 8}`)
	// One document of all components is the same.
	if c := service.Compare(known, driver, running, config("", `{"filesystem": {"fs_dtl_mode": "Asynchronous", "fs_dtl_port": "5", "fs_raw_disk_suffix": "x"}, "volume_router": {"vrouter_id": "r"},
		"event_publisher": {"events_amqp_uris": [{"amqp_uri": "amqp://u:p@h"}]}, "volume_manager": {"clean_interval": 3}}`)); len(c.Dynamic)+len(c.Restart)+len(c.Fixed) != 0 {
		t.Errorf("the same differs: %+v", c)
	}
	c := service.Compare(known, driver, running, config("/filesystem", `{"fs_dtl_mode": "Synchronous", "fs_raw_disk_suffix": "y"}`, "/volume_router", `{"vrouter_id": "s"}`,
		"/event_publisher", `{"events_amqp_uris": [{"amqp_uri": "amqp://u:q@h"}]}`, "/volume_manager", `{}`, "/unknown", `{"x": 1}`))
	var got []string
	for _, u := range c.Dynamic {
		got = append(got, u.Param)
	}
	// fs_dtl_port is its default again; clean_interval has none, and stays.
	if s := strings.Join(got, " "); s != "events_amqp_uris fs_dtl_mode fs_dtl_port" {
		t.Errorf("dynamic: %s", s)
	}
	if len(c.Restart) != 2 || c.Restart[0].Param != "fs_raw_disk_suffix" || c.Restart[1].Param != "x" || len(c.Fixed) != 1 || c.Fixed[0].Param != "vrouter_id" {
		t.Errorf("restart %+v, fixed %+v", c.Restart, c.Fixed)
	}
	for i, u := range service.Masked(c.Dynamic) {
		if masked := u.New == mapping.Masked; masked != (u.Param == "events_amqp_uris") || c.Dynamic[i].New == mapping.Masked {
			t.Errorf("%s is told as %v", u.Param, u.New)
		}
	}
	now := service.Applied(running, config("/filesystem", `{"fs_dtl_mode": "Synchronous"}`), c.Dynamic[1:])
	if now[service.Name{Component: "filesystem", Param: "fs_dtl_mode"}] != "Synchronous" || now[service.Name{Component: "filesystem", Param: "fs_raw_disk_suffix"}] != "x" {
		t.Errorf("it runs with %v", now)
	}
	if _, ok := now[service.Name{Component: "filesystem", Param: "fs_dtl_port"}]; ok {
		t.Error("the default is no value that was set")
	}
}
