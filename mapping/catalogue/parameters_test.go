package catalogue

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// parameter is one row of what was read out of the volumedriver's sources, from
// its DECLARE_ and DEFINE_ macros at five versions.
type parameter struct {
	Component, Name, Type string
	Default               any
	Required, Dynamic     bool
	Versions, Enum        []string
}

// The catalogue says of each parameter what the volumedriver's sources say.
func TestVolumedriverParameters(t *testing.T) {
	data, err := os.ReadFile("testdata/volumedriver-parameters.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []parameter
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 166 {
		t.Fatalf("%d parameters", len(rows))
	}
	c := load(t)
	for _, p := range rows {
		path := router + "/" + p.Component + "/" + p.Name
		e, ok := c.Entry(path)
		if !ok {
			t.Errorf("%s is not in the catalogue", path)
			continue
		}
		if want := component + p.Component + "/" + p.Name; e.Pattern != want || e.Kind != Field {
			t.Errorf("%s: %+v", want, e)
		}
		if e.Dynamic() != p.Dynamic && p.Name != "read_cache_default_behaviour" && p.Name != "read_cache_default_mode" {
			t.Errorf("%s is %s", path, e.Class)
		}
		if e.Required != p.Required && p.Name != "local_connection_path" {
			t.Errorf("%s: required is %v", path, e.Required)
		}
		if _, computed := p.Default.(map[string]any); !p.Required && !computed {
			var def any
			if err := json.Unmarshal(e.Default, &def); err != nil || !reflect.DeepEqual(def, p.Default) {
				t.Errorf("%s: the default is %s, not %v", path, e.Default, p.Default)
			}
		}
		if got, want := e.Type, mappingType(p); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
		doc := func(value any) []byte {
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		for _, word := range p.Enum {
			if found := c.Validate(path, doc(word)); len(found) > 0 {
				t.Errorf("%v", found)
			}
		}
		if found := c.Validate(path, []byte(`{"no": "scalar"}`)); len(found) == 0 {
			t.Errorf("%s takes an object", path)
		}
		if !p.Required && e.Default != nil && p.Name != "fs_raw_disk_suffix" {
			if found := c.Validate(path, e.Default); len(found) > 0 {
				t.Errorf("its own default breaks a rule: %v", found)
			}
		}
	}
}

func mappingType(p parameter) mapping.Type {
	switch p.Type {
	case "boolean":
		return mapping.Boolean
	case "string", "enum", "dimensioned_size", "uri":
		return mapping.String
	case "uint16", "uint32", "uint64", "int32", "float":
		return mapping.Number
	}
	return mapping.Array
}

// The volumedriver forgets JSON types; the other services do not.
func TestLooseParameters(t *testing.T) {
	c := load(t)
	for _, test := range []struct {
		path, value string
		rule        string
	}{
		{router + "/volume_router/vrouter_redirect_timeout_ms", `"5000"`, ""},
		{router + "/volume_router/vrouter_redirect_timeout_ms", `"-1"`, "range"},
		{router + "/volume_router/vrouter_redirect_timeout_ms", `"5e3"`, "type"},
		{router + "/volume_router/vrouter_redirect_timeout_ms", `" 5"`, "type"},
		{router + "/volume_router/vrouter_redirect_timeout_ms", `"007"`, "type"},
		{router + "/volume_router/vrouter_redirect_timeout_ms", `18446744073709551615`, ""},
		{router + "/volume_router/vrouter_redirect_timeout_ms", `18446744073709551616`, "range"},
		{router + "/volume_manager/non_disposable_scos_factor", `"2.5"`, ""},
		{router + "/volume_manager/non_disposable_scos_factor", `"nan"`, "type"},
		{router + "/volume_router/vrouter_use_fencing", `"true"`, ""},
		{router + "/volume_router/vrouter_use_fencing", `0`, ""},
		{router + "/volume_router/vrouter_use_fencing", `"yes"`, "type"},
		{router + "/volume_router/vrouter_use_fencing", `null`, "type"},
		{router + "/volume_router/vrouter_id", `5`, ""},
		{router + "/volume_router/vrouter_id", `true`, ""},
		{router + "/scocache/trigger_gap", `1`, "format"},
		{router + "/scocache/trigger_gap", `"UNLIMITED"`, ""},
		{router + "/network_interface/network_uri", `"rdma://10.0.0.1:21321"`, ""},
		{router + "/network_interface/network_uri", `"http://10.0.0.1"`, "format"},
		{asd + "/port", `"8600"`, "type"},
		{asd + "/port", `86e2`, "number"},
		{asd + "/home", `5`, "type"},
	} {
		found := c.Validate(test.path, []byte(test.value))
		if len(found) > 1 || len(found) == 1 != (test.rule != "") || len(found) == 1 && found[0].Rule != test.rule {
			t.Errorf("%s %s: %v; want %q", test.path, test.value, found, test.rule)
		}
	}
}

func TestEntry(t *testing.T) {
	c := load(t)
	for _, test := range []struct {
		path string
		want Entry
	}{
		{router + "/filesystem/fs_dtl_mode", Entry{Pattern: component + "filesystem/fs_dtl_mode", Kind: Field, Class: Dynamic, Type: mapping.String, Default: []byte(`"Asynchronous"`)}},
		{router + "/event_publisher/events_amqp_uris/0/amqp_uri", Entry{Pattern: component + "event_publisher/events_amqp_uris/*/amqp_uri", Kind: Field, Class: Dynamic, Secret: true, Type: mapping.String, Required: true}},
		{router + "/metadata_server/mds_nodes/3/rocksdb_x", Entry{Pattern: component + "metadata_server/mds_nodes/*/*", Kind: Field, Class: Dynamic}},
		{volume + "/parent_volume_id", Entry{Pattern: "vpool/*/volumes/*/config/parent_volume_id", Kind: Field, Class: Immutable, Reference: "volume", Type: mapping.String, Nullable: true}},
		{upkeep + "/albamgr_cfg_url", Entry{Pattern: "alba/backends/*/maintenance/config/albamgr_cfg_url", Kind: Field, Class: Dynamic, Reference: "url", Type: mapping.String}},
		{"framework/cluster_id", Entry{Pattern: "framework/cluster_id", Kind: Scalar, Class: Immutable, Type: mapping.String}},
		{"framework/webapps/oauth2/client_secret", Entry{Pattern: "framework/webapps/oauth2/client_secret", Kind: Field, Class: Restart, Secret: true, Type: mapping.String}},
		{"arakoon/ovsdb/config", Entry{Pattern: "arakoon/*/config", Kind: Raw, Class: Restart, Type: mapping.Raw}},
		{host + "/ports", Entry{Pattern: "framework/hosts/*/ports", Kind: Document, Class: Dynamic, Type: mapping.Object}},
		{host + "/ports/mds/0", Entry{Pattern: "framework/hosts/*/ports/mds/*", Kind: Field, Class: Dynamic}},
		{host + "/ports/mds/0/1", Entry{Pattern: "framework/hosts/*/ports/mds/*/*", Kind: Field, Class: Dynamic, Type: mapping.Number}},
		{"framework/plugins/alba/config/any/thing", Entry{Pattern: "framework/plugins/*/config/*/*", Kind: Field, Class: Dynamic}},
	} {
		if got, ok := c.Entry(test.path); !ok || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.path, got, test.want)
		}
	}
	for _, path := range []string{
		"", "framework", router, "none", asd + "/none", asd + "/port/deeper", host + "/ports/mds/x", "arakoon/ovsdb/config/x",
		"vpools/a/proxies/scrub", router + "/filesystem/fs_raw_disk_suffix/0", asd + "/%zz",
	} {
		if e, ok := c.Entry(path); ok {
			t.Errorf("%s is known: %+v", path, e)
		}
	}
	if got := c.TypeOf(volume + "/parent_volume_id"); got != "" {
		t.Errorf("a field that may be null is always %s", got)
	}
}
