package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// hostile are values that no service wrote.
func hostile() []string {
	return []string{
		"", " ", "null", "{}", "[]", "5", `"x"`, "{", `{"a"`, "\xff\xfe", "\x00", "{\"\xff\": 1}",
		strings.Repeat("[", 60) + strings.Repeat("]", 60), strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		`{"port": 1, "port": 2, "port": {}}`, `{"": {"": ""}}`, `{"a/b": 1, "..": 2, "%": 3}`,
		`{"port": 1e999999, "limit": -0.0}`, `{"port": ` + strings.Repeat("9", 4000) + `}`,
		`{"home": "` + strings.Repeat("x", 1<<16) + `"}`, "[global]\ncluster = ,,,\ncluster_id =\n[", "[]\n=\n[global]\r\ncluster=a\r\n",
		`{"trigger_gap": "00000000000000000000000000000000000000000001PiB", "backoff_gap": "0B"}`,
		`{"mds_nodes": [null, [], {"host": [], "port": {}}]}`, `{"mds": [[[1]], [2, 1], ["a", "b"], [], 7]}`,
		`{"parent_volume_id": [], "filesystem_path": {}, "name": null}`, "\"\\ud800\"",
	}
}

// hold checks what every problem promises.
func hold(t *testing.T, list []Problem) {
	t.Helper()
	for _, p := range list {
		line := p.String()
		if p.Rule == "" || p.Words == "" || strings.ContainsAny(line, "\n\r\x00") || len(p.Value) > maxShown+8 || !utf8.ValidString(p.Value) {
			t.Fatalf("not one line of words: %q", line)
		}
	}
}

// No value, at whatever path, does more than break rules.
func FuzzValidate(f *testing.F) {
	paths := []string{
		asd, router, router + "/scocache", router + "/filesystem", router + "/metadata_server", router + "/scocache/trigger_gap", proxy + "/abm", proxy + "/main",
		volume, host + "/ports", "arakoon/ovsdb/config", "framework/webapps", "framework/webapps/oauth2", "vpools", "", "framework/cluster_id", asd + "/no/field", "mine",
	}
	for _, path := range paths {
		for _, value := range hostile() {
			f.Add(path, []byte(value))
		}
	}
	c := load(f)
	f.Fuzz(func(t *testing.T, path string, value []byte) {
		if len(path) > 1000 || len(value) > 1<<16+100 {
			return
		}
		if strings.ContainsAny(path, "\n\r\x00") {
			return // no shown path has these
		}
		hold(t, c.Validate(path, value))
	})
}

// A tree with a hostile value anywhere is checked to the end.
func FuzzCheck(f *testing.F) {
	for i, value := range hostile() {
		f.Add(uint8(i*7), []byte(value))
	}
	c := load(f)
	values := sample(f)
	keys := []string{
		asd, node + "/main", node + "/network", router + "/metadata_server", router + "/backend_connection_manager", router + "/volume_registry", router + "/filesystem",
		router, router + "/scocache", volume, clone, vols + "/lifecycle/x", proxy + "/abm", proxy + "/main", "arakoon/voldrv/config", host + "/ip", host, "vpools", "arakoon", upkeep,
	}
	for key := range values { // no more, so that a run is short
		if !slices.Contains(keys, strings.TrimPrefix(key, "/ovs/")) {
			delete(values, key)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, value []byte) {
		if len(value) > 1<<16+100 {
			return
		}
		key := "/ovs/" + keys[int(which)%len(keys)]
		old, had := values[key]
		values[key] = string(value)
		tree := treeOf(t, values)
		if delete(values, key); had {
			values[key] = old
		}
		hold(t, c.Check(tree, ""))
	})
}

// decode takes what encoding/json takes, and reads it as it does.
func FuzzDecode(f *testing.F) {
	for _, value := range hostile() {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decode(text)
		if errors.Is(err, errTooDeep) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if wantErr := d.Decode(&want); (err == nil) != (wantErr == nil && json.Valid(text)) {
			t.Fatalf("%q: %v, %v", text, err, wantErr)
		}
		if err != nil {
			return
		}
		a, _ := json.Marshal(got.value)
		b, _ := json.Marshal(want)
		if !bytes.Equal(a, b) {
			t.Fatalf("%q became %s, not %s", text, a, b)
		}
	})
}

// The same problems are found whether a volumedriver's configuration is keys,
// one document, or keys down to the parameters.
func TestHoweverItIsStored(t *testing.T) {
	c := load(t)
	values := sample(t)
	set(router+"/scocache", "backoff_gap", `"1MB"`)(t, values)
	set(router+"/volume_router", "vrouter_id", `"x"`)(t, values)
	set(router+"/filesystem", "fs_dtl_mode", `"none"`)(t, values)
	set(router+"/volume_registry", "vregistry_arakoon_cluster_id", `"none"`)(t, values)
	tree := treeOf(t, values)
	want := c.Check(tree, router)
	if len(want) != 4 {
		t.Fatalf("%d problems: %v", len(want), want)
	}
	convert := func(tree *mapping.Tree, path string, to mapping.Type) *mapping.Tree {
		plan, err := mapping.SetType(path, to)(tree)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for kv := range tree.Under("/ovs") {
			all[kv.Key] = string(kv.Value)
		}
		for _, r := range plan.DeleteRanges {
			for key := range all {
				if strings.HasPrefix(key, r.Prefix) {
					delete(all, key)
				}
			}
		}
		for _, key := range plan.Deletes {
			delete(all, key)
		}
		for _, put := range plan.Puts {
			all[put.Key] = string(put.Value)
		}
		return treeOf(t, all)
	}
	same := func(how string, tree *mapping.Tree) {
		t.Helper()
		got := c.Check(tree, router)
		if len(got) != len(want) {
			t.Errorf("%s: %d problems: %v", how, len(got), got)
			return
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %v\nnot %v", how, got[i], want[i])
			}
		}
	}
	same("one document", convert(tree, router, mapping.Object))
	scattered := tree
	for _, component := range []string{"filesystem", "scocache", "volume_router", "volume_registry"} {
		scattered = convert(scattered, router+"/"+component, mapping.Directory)
	}
	same("components in keys", scattered)
}

// Numbers that would fill the memory if they were worked out are only too large.
func TestAbsurdNumbers(t *testing.T) {
	c := load(t)
	nines := strings.Repeat("9", 1<<20)
	for value, positive := range map[string]bool{
		"1e999999999": true, "-1e999999999": false, "1E+99999999999999999999": true, nines: true, "-" + nines: false, "0e999999999": false,
		"1e-999999999": true, "0." + nines: true, "0." + strings.Repeat("0", 1<<20) + "1": true, nines + "e-99999": true,
	} {
		if found := c.Validate(upkeep+"/load", []byte(value)); (len(found) == 0) != positive {
			t.Errorf("%.20s: %v", value, found)
		}
		found := c.Validate(asd, []byte(`{"home": "/a", "node_id": "a", "log_level": "info", "port": `+value+`}`))
		if hold(t, found); len(found) == 0 {
			t.Errorf("%.20s is a port", value)
		}
	}
	if found := c.Validate(router+"/threadpool_component", []byte(`{"num_threads": "`+nines+`"}`)); len(found) != 1 || found[0].Rule != "range" {
		t.Errorf("%v", found)
	}
}

func TestManyAtOnce(t *testing.T) {
	c := load(t)
	tree := treeOf(t, sample(t))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for _, path := range []string{asd, asd + "/port", router + "/filesystem/fs_dtl_mode", volume + "/name"} {
				hold(t, c.Validate(path, []byte("5")))
				c.Entry(path)
			}
			if found := c.Check(tree, ""); len(found) > 0 {
				t.Error(found)
			}
		})
	}
	wait.Wait()
}

func TestBrokenCataloguesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML":              "entries: [",
		"another form":         "rows: []",
		"a missing schema":     "entries: [{path: a}]",
		"schema and raw":       "entries: [{path: a, raw: arakoon, schema: {type: string}}]",
		"no path":              "entries: [{schema: {type: string}}]",
		"an absolute path":     "entries: [{path: /ovs/a, schema: {type: string}}]",
		"a path twice":         "entries: [{path: a, schema: {type: string}}, {path: a, schema: {type: string}}]",
		"a broken schema":      "entries: [{path: a, schema: {type: text}}]",
		"a broken pattern":     "entries: [{path: a, schema: {type: string, pattern: '('}}]",
		"an unknown class":     "entries: [{path: a, schema: {type: string, class: sometimes}}]",
		"an unknown reference": "entries: [{path: a, schema: {type: string, reference: there}}]",
		"a dangling $ref":      `entries: [{path: a, schema: {$ref: "#/$defs/none"}}]`,
	} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
