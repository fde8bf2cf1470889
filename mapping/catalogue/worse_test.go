package catalogue

import (
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// worse plans an edit on the sample tree, changed before, and returns the rules that it would break.
func worse(t *testing.T, edit mapping.Edit, before ...break_) string {
	t.Helper()
	values := sample(t)
	for _, do := range before {
		do(t, values)
	}
	tree := treeOf(t, values)
	plan, err := edit(tree)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, p := range load(t).Worse(tree, plan) {
		rules = append(rules, p.Rule)
	}
	return strings.Join(rules, " ")
}

func write(path, content string) mapping.Edit {
	return mapping.Write(path, []byte(content), mapping.WriteOptions{})
}

func TestAGoodChangeMakesNothingWorse(t *testing.T) {
	for name, edit := range map[string]mapping.Edit{
		"a field":              write(router+"/scocache/backoff_gap", "3GB\n"),
		"an optional field":    write(router+"/scocache/discount_factor", "0.5\n"),
		"a field taken out":    mapping.Remove(volume + "/sco_size"),
		"a view":               mapping.WriteView(router+"/threadpool_component", mapping.JSON, []byte(`{"num_threads": "2"}`)),
		"a document elsewhere": write("mine", `{"port": "any"}`),
		"a moved document":     mapping.Rename(asd, "alba/asds/new/config", 0),
		"a document removed":   mapping.RemoveView(asd, mapping.JSON),
	} {
		t.Run(name, func(t *testing.T) {
			if rules := worse(t, edit); rules != "" {
				t.Error(rules)
			}
		})
	}
}

// What is next to keys that nothing is known of may be known.
func TestABadChangeBesideUnknownKeys(t *testing.T) {
	edit := mapping.Together(
		write("mine/a", "1\n"), write("mine/b", "1\n"), write("alba/asds/unknown", "1\n"),
		write(asd+"/prot", "1\n"), write("mine/c", "1\n"))
	if rules := worse(t, edit); rules != "unknown-field" {
		t.Error(rules)
	}
}

func TestABadChangeIsWorse(t *testing.T) {
	for name, test := range map[string]struct {
		edit mapping.Edit
		rule string
	}{
		"a field":             {write(router+"/scocache/backoff_gap", "1MB\n"), "gap-order"},
		"another field's due": {write(router+"/scocache/trigger_gap", "1TB\n"), "gap-order"},
		"a required field":    {mapping.Remove(volume + "/name"), "required"},
		"an unknown field":    {write(asd+"/prot", "1\n"), "unknown-field"},
		"an element":          {write(router+"/filesystem/fs_file_event_rules/0/fs_file_event_rule_calls/4", "Delete\n"), "enum"},
		"a view":              {mapping.WriteView(router+"/volume_router_cluster", mapping.JSON, []byte(`{}`)), "required"},
		"a raw file":          {write("arakoon/ovsdb/config", "[global]\ncluster = a\ncluster_id = ovsdb\n"), "ini-missing"},
		"a document moved to where another belongs": {mapping.Rename(upkeep, "alba/backends/b/maintenance/report", 0), "required"},
		"a new document": {write("framework/hosts/new/type", "SLAVE\n"), "enum"},
	} {
		t.Run(name, func(t *testing.T) {
			if rules := worse(t, test.edit); rules != test.rule {
				t.Errorf("%q, want %q", rules, test.rule)
			}
		})
	}
}

// What is wrong already does not keep anyone from mending it, or from changing the rest.
func TestABrokenValueStaysEditable(t *testing.T) {
	broken := []break_{set(asd, "port", `"x"`), set(asd, "weight", `1`), set(asd, "home", "")}
	for name, edit := range map[string]mapping.Edit{
		"the rest":              write(asd+"/log_level", "debug\n"),
		"one of three":          mapping.Remove(asd + "/weight"),
		"the missing":           write(asd+"/home", "/mnt/x\n"),
		"moved with its faults": mapping.Rename("alba/asds/8IXBob2P05r9l3qTtWo3uGBFqnugjZ9o", "alba/asds/new", 0),
	} {
		t.Run(name, func(t *testing.T) {
			if rules := worse(t, edit, broken...); rules != "" {
				t.Error(rules)
			}
		})
	}
	t.Run("another wrong value", func(t *testing.T) {
		if rules := worse(t, write(asd+"/port", "y\n"), broken...); rules != "type" {
			t.Error(rules)
		}
	})
	t.Run("elements that move up", func(t *testing.T) {
		edit := mapping.WriteView("framework/memcache/endpoints", mapping.Lines, []byte("bad\n"))
		if rules := worse(t, edit, set("framework/memcache", "endpoints.2", `"bad"`)); rules != "" {
			t.Error(rules)
		}
	})
}

// A document is made empty and filled field by field.
func TestAnEmptyDocumentMayBeFilled(t *testing.T) {
	c := load(t)
	tree := treeOf(t, map[string]string{})
	step := func(edit mapping.Edit) {
		t.Helper()
		plan, err := edit(tree)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Worse(tree, plan) {
			t.Errorf("%v", p)
		}
		values := map[string]string{}
		for kv := range tree.Under("/ovs") {
			values[kv.Key] = string(kv.Value)
		}
		for _, put := range plan.Puts {
			values[put.Key] = string(put.Value)
		}
		tree = treeOf(t, values)
	}
	step(write(asd, "{}"))
	step(write(asd+"/home", "/mnt/a\n"))
	step(write(asd+"/log_level", "info\n"))
	step(write(asd+"/node_id", "n\n"))
	step(write(asd+"/port", "8600\n"))
	step(write(router+"/metadata_server", "{}"))
	step(write(router+"/metadata_server/mds_nodes", "[]"))
	step(mapping.Mkdir(router + "/metadata_server/mds_nodes/0"))
	step(write(router+"/metadata_server/mds_nodes/0/host", "10.0.0.1\n"))
	step(write(router+"/filesystem", "{}"))
	step(write(router+"/filesystem/fs_virtual_disk_format", "vmdk\n"))
	if found := c.Check(tree, asd); len(found) != 1 || found[0].Rule != "dangling-asd-node" {
		t.Errorf("%v", found)
	}
	if found := c.Validate(router+"/filesystem", []byte("{}")); len(found) == 0 {
		t.Error("an empty document lacks nothing")
	}
}
