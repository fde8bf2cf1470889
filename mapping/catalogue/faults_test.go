package catalogue

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/sjson"
)

const (
	pool   = "vpools/e519aa6d-0595-4269-a3b9-5f3cd0b31953"
	pool2  = "vpools/033010f1-efaa-419c-86f5-e61afaeaf611"
	router = pool + "/hosts/vmstorYKHFP7mHwzNZr6Im/config"
	other  = pool2 + "/hosts/dbstorYKHFP7mHwzNZr6Im/config"
	proxy  = pool + "/proxies/19af73f5-1edb-403b-8bee-b7178bf99fed/config"
	asd    = "alba/asds/8IXBob2P05r9l3qTtWo3uGBFqnugjZ9o/config"
	node   = "alba/asdnodes/iq9nrmvpdvjlbNnqomebDaAlPBsd0Dis/config"
	upkeep = "alba/backends/c2316155-ce7b-4429-8bb7-63f36c27741d/maintenance/config"
	host   = "framework/hosts/YKHFP7mHwzNZr6Im"
	vols   = "vpool/e519aa6d-0595-4269-a3b9-5f3cd0b31953"
	volume = vols + "/volumes/912b4198-9a0f-4696-9a4f-7ce559ad699f/config"
	clone  = vols + "/volumes/259d93d5-3133-48c7-942e-e6a8936d2437/config"
	absent = "00000000-0000-4000-8000-000000000000"
)

// break_ changes the tree's values, by shown path.
type break_ func(t *testing.T, values map[string]string)

// set writes a field, as JSON text; "" removes it.
func set(path, field, text string) break_ {
	return func(t *testing.T, values map[string]string) {
		doc, ok := values["/ovs/"+path]
		if !ok {
			t.Fatalf("%s is not in the sample", path)
		}
		var err error
		if text == "" {
			doc, err = sjson.Delete(doc, field)
		} else {
			doc, err = sjson.SetRaw(doc, field, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		values["/ovs/"+path] = doc
	}
}

func put(path, value string) break_ {
	return func(_ *testing.T, values map[string]string) { values["/ovs/"+path] = value }
}

func remove(path string) break_ {
	return func(t *testing.T, values map[string]string) {
		n := len(values)
		for key := range values {
			if key == "/ovs/"+path || strings.HasPrefix(key, "/ovs/"+path+"/") {
				delete(values, key)
			}
		}
		if len(values) == n {
			t.Fatalf("%s is not in the sample", path)
		}
	}
}

func swap(path, old, text string) break_ {
	return func(t *testing.T, values map[string]string) {
		if !strings.Contains(values["/ovs/"+path], old) {
			t.Fatalf("%s has no %q", path, old)
		}
		values["/ovs/"+path] = strings.Replace(values["/ovs/"+path], old, text, 1)
	}
}

// fault is something wrong, and the problem that names it. Also are the rules
// that the same mistake breaks elsewhere.
type fault struct {
	name  string
	do    break_
	path  string
	rule  string
	value string
	also  []string
}

func faults() []fault {
	return []fault{
		// Schemas.
		{"a document that is cut off", put("framework/support", `{"enabled": tr`), "framework/support", "json", "14 bytes", nil},
		{"a scalar that is bare text", put("framework/registered", `yes`), "framework/registered", "json", `"yes"`, nil},
		{"a list where an object belongs", put("framework/support", `[]`), "framework/support", "type", "an array of 0 elements", nil},
		{"a quoted number for a typed parser", set(asd, "port", `"8603"`), asd + "/port", "type", `"8603"`, nil},
		{"the seed's quoted cache size", set(proxy+"/main", "fragment_cache_size", `"5368709120"`), proxy + "/main/fragment_cache_size", "type", `"5368709120"`, nil},
		{"a number for a boolean", put(host+"/setupcompleted", `1`), host + "/setupcompleted", "type", "1", nil},
		{"words where a number belongs", set(router+"/threadpool_component", "num_threads", `"many"`), router + "/threadpool_component/num_threads", "type", `"many"`, nil},
		{"a whole number with a point", set(asd, "port", `8603.0`), asd + "/port", "number", "8603.0", []string{"port-clash"}},
		{"an enumeration in the wrong case", set(router+"/filesystem", "fs_dtl_mode", `"asynchronous"`), router + "/filesystem/fs_dtl_mode", "enum", `"asynchronous"`, nil},
		{"a transport of the docs, not the parser", set(router+"/failovercache", "failovercache_transport", `"RDMA"`), router + "/failovercache/failovercache_transport", "enum", `"RDMA"`, nil},
		{"an unknown file system call", set(router+"/filesystem", "fs_file_event_rules.0.fs_file_event_rule_calls.1", `"Delete"`), router + "/filesystem/fs_file_event_rules/0/fs_file_event_rule_calls/1", "enum", `"Delete"`, nil},
		{"a host type", put(host+"/type", `"SLAVE"`), host + "/type", "enum", `"SLAVE"`, nil},
		{"a log level", set(upkeep, "log_level", `"verbose"`), upkeep + "/log_level", "enum", `"verbose"`, nil},
		{"an SCO size", set(volume, "sco_size", `65`), volume + "/sco_size", "enum", "65", nil},
		{"a port above the range", set(proxy+"/main", "port", `65536`), proxy + "/main/port", "range", "65536", []string{"proxy-port"}},
		{"a small write buffer", set(volume, "write_buffer", `64`), volume + "/write_buffer", "range", "64", nil},
		{"a read cache in MiB", set(volume, "readcache_limit", `2097152`), volume + "/readcache_limit", "range", "2097152", nil},
		{"open SCOs", set(router+"/volume_manager", "open_scos_per_volume", `1024`), router + "/volume_manager/open_scos_per_volume", "range", "1024", nil},
		{"no SCOs in a tlog", set(router+"/volume_manager", "number_of_scos_in_tlog", `0`), router + "/volume_manager/number_of_scos_in_tlog", "range", "0", nil},
		{"a factor below one", set(router+"/volume_manager", "non_disposable_scos_factor", `0.5`), router + "/volume_manager/non_disposable_scos_factor", "range", "0.5", nil},
		{"an extent cache of nothing, in quotes", set(router+"/file_driver", "fd_extent_cache_capacity", `"0"`), router + "/file_driver/fd_extent_cache_capacity", "range", `"0"`, nil},
		{"a number beyond 32 bits", set(router+"/threadpool_component", "num_threads", `4294967296`), router + "/threadpool_component/num_threads", "range", "4294967296", nil},
		{"a missing parameter", set(router+"/volume_manager", "tlog_path", ""), router + "/volume_manager/tlog_path", "required", "", nil},
		{"a missing field in a list", set(router+"/metadata_server", "mds_nodes.0.db_directory", ""), router + "/metadata_server/mds_nodes/0/db_directory", "required", "", nil},
		{"remote log-in without its parameters", set("framework/webapps", "oauth2.token_uri", ""), "framework/webapps/oauth2/token_uri", "required", "", nil},
		{"a volume without a name", set(volume, "name", ""), volume + "/name", "required", "", nil},
		{"a misspelled parameter", set(router+"/filesystem", "fs_dlt_mode", `"Synchronous"`), router + "/filesystem/fs_dlt_mode", "unknown-field", `"Synchronous"`, nil},
		{"a field that a typed parser refuses", set(asd, "weight", `1`), asd + "/weight", "unknown-field", "1", nil},
		{"a cluster id", put("framework/cluster_id", `"short"`), "framework/cluster_id", "format", `"short"`, nil},
		{"a size without a unit", set(router+"/scocache", "scocache_mount_points.0.size", `"239910912"`), router + "/scocache/scocache_mount_points/0/size", "format", `"239910912"`, nil},
		{"a relative directory", set(proxy+"/main", "fragment_cache_dir", `"mnt/cache"`), proxy + "/main/fragment_cache_dir", "format", `"mnt/cache"`, nil},
		{"an address", set(node+"/main", "ip", `"node1"`), node + "/main/ip", "format", `"node1"`, nil},
		{"an endpoint without a port", set("framework/memcache", "endpoints.0", `"10.100.1.11"`), "framework/memcache/endpoints/0", "format", `"10.100.1.11"`, nil},
		{"a URL that is a file name", set(upkeep, "albamgr_cfg_url", `"/opt/abm.ini"`), upkeep + "/albamgr_cfg_url", "format", `"/opt/abm.ini"`, nil},
		{"a secret that is wrong stays hidden", set(router+"/event_publisher", "events_amqp_uris.0.amqp_uri", `"http://ovs:hidden@10.100.1.11"`), router + "/event_publisher/events_amqp_uris/0/amqp_uri", "format", "(secret)", nil},
		{"an empty identity", set(router+"/volume_router_cluster", "vrouter_cluster_id", `""`), router + "/volume_router_cluster/vrouter_cluster_id", "length", `""`, nil},
		{"no registry nodes", set(router+"/volume_registry", "vregistry_arakoon_cluster_nodes", `[]`), router + "/volume_registry/vregistry_arakoon_cluster_nodes", "items", "an array of 0 elements", nil},
		{"a port range of three", set(host+"/ports", "mds.0", `[26300, 26350, 26399]`), host + "/ports/mds/0", "items", "an array of 3 elements", nil},
		{"an endpoint twice", set("framework/memcache", "endpoints.1", `"10.100.1.11:11211"`), "framework/memcache/endpoints/1", "unique-items", `"10.100.1.11:11211"`, nil},
		{"a field twice", swap(proxy+"/main", `"port": 26203`, `"port": 1, "port": 26203`), proxy + "/main/port", "duplicate-field", "", nil},
		{"a reload counter in words", put(asd[:len(asd)-len("/config")]+"/reload", `"now"`), asd[:len(asd)-len("/config")] + "/reload", "type", `"now"`, nil},

		// Raw values.
		{"a line that is none", swap("arakoon/ovsdb/config", "tlog_compression = snappy", "tlog_compression snappy"), "arakoon/ovsdb/config", "ini-syntax", "", nil},
		{"a node without a section", swap("arakoon/ovsdb/config", "cluster = ", "cluster = aaaabbbbccccdddd,"), "arakoon/ovsdb/config", "ini-missing", "", nil},
		{"a section without an address", swap(proxy+"/abm", "ip = 10.100.1.11\n", ""), proxy + "/abm", "ini-missing", "", nil},
		{"JSON where an INI file belongs", put("arakoon/ovsdb/config", `{}`), "arakoon/ovsdb/config", "ini-missing", "", []string{"ini-syntax"}},
		{"a port in words", swap("arakoon/ovsdb/config", "messaging_port = 26401", "messaging_port = high"), "arakoon/ovsdb/config", "ini-value", `"high"`, nil},
		{"a cluster of another name", swap("arakoon/ovsdb/config", "cluster_id = ovsdb", "cluster_id = ovs"), "arakoon/ovsdb/config", "identity", `"ovs"`, nil},
		{"a proxy of no cluster", swap(proxy+"/abm", "cluster_id = alba-abm", "cluster_id = abm2"), proxy + "/abm", "dangling-arakoon-cluster", `"abm2"`, nil},

		// Fields against each other.
		{"a trigger gap of nothing", set(router+"/scocache", "trigger_gap", `"0GB"`), router + "/scocache/trigger_gap", "gap-zero", `"0GB"`, nil},
		{"a backoff gap below the trigger", set(router+"/scocache", "backoff_gap", `"999MB"`), router + "/scocache/backoff_gap", "gap-order", `"999MB"`, []string{}},
		{"gaps in different units", set(router+"/scocache", "trigger_gap", `"2GiB"`), router + "/scocache/backoff_gap", "gap-order", `"2GB"`, nil},
		{"fewer workers at most than at least", set(router+"/volume_router", "vrouter_max_workers", `3`), router + "/volume_router/vrouter_max_workers", "worker-order", "3", nil},
		{"more workers at least than the default at most", func(t *testing.T, v map[string]string) {
			set(router+"/volume_router", "vrouter_max_workers", "")(t, v)
			set(router+"/volume_router", "vrouter_min_workers", "17")(t, v)
		}, router + "/volume_router/vrouter_min_workers", "worker-order", "17", nil},
		{"a local backend nowhere", set(router+"/backend_connection_manager", "backend_type", `"LOCAL"`), router + "/backend_connection_manager/local_connection_path", "backend-path", "", nil},
		{"raw disks without a suffix", set(router+"/filesystem", "fs_raw_disk_suffix", `""`), router + "/filesystem/fs_raw_disk_suffix", "raw-suffix", `""`, nil},
		{"no metadata servers", set(router+"/filesystem", "fs_metadata_backend_mds_nodes", `[]`), router + "/filesystem/fs_metadata_backend_mds_nodes", "metadata-nodes", "an array of 0 elements", nil},
		{"no lock nodes", set(router+"/distributed_lock_store", "dls_arakoon_cluster_nodes", `[]`), router + "/distributed_lock_store/dls_arakoon_cluster_nodes", "lock-nodes", "an array of 0 elements", nil},
		{"metadata servers in one directory", set(router+"/metadata_server", "mds_nodes.1", `{"host": "10.100.1.11", "port": 26301, "db_directory": "/mnt/ssd2/vmstor_db_mds_1", "scratch_directory": "/tmp"}`), router + "/metadata_server/mds_nodes/1/db_directory", "mds-conflict", `"/mnt/ssd2/vmstor_db_mds_1"`, []string{"directory-clash"}},
		{"an expression that ends early", set(router+"/filesystem", "fs_file_event_rules.0.fs_file_event_rule_path_regex", `"(?!vmcasts(.*.xml)"`), router + "/filesystem/fs_file_event_rules/0/fs_file_event_rule_path_regex", "regex", `"(?!vmcasts(.*.xml)"`, nil},
		{"a manager given twice", set(proxy+"/main", "albamgr_cfg_file", `"/opt/abm.ini"`), proxy + "/main/albamgr_cfg_file", "url-or-file", `"/opt/abm.ini"`, nil},
		{"a manager not given", set(upkeep, "albamgr_cfg_url", ""), upkeep + "/albamgr_cfg_url", "url-or-file", "", nil},
		{"an asd without a port", set(asd, "port", ""), asd + "/port", "port-or-tls", "", nil},
		{"a range from high to low", set(host+"/ports", "mds.0", `[26399, 26300]`), host + "/ports/mds/0/1", "port-range", "26300", nil},
		{"ranges that overlap", set(host+"/ports", "storagedriver.0", `[26200, 26300]`), host + "/ports/storagedriver/0", "port-range", "an array of 2 elements", nil},
		{"a snapshot of nothing", set(volume, "snapshot_id", `"`+absent+`"`), volume + "/snapshot_id", "snapshot-without-parent", `"` + absent + `"`, nil},
		{"a clone with a space in its name", set(clone, "name", `"web 02"`), clone + "/name", "clone-name", `"web 02"`, nil},

		// References.
		{"a URL of a key that is gone", set(upkeep, "albamgr_cfg_url", `"etcd://127.0.0.1:2379/ovs/arakoon/abm/config"`), upkeep + "/albamgr_cfg_url", "dangling-url", `"etcd://127.0.0.1:2379/ovs/arakoon/abm/config"`, nil},
		{"a URL in a document that nobody knows", put("mine/settings", `{"see": ["etcd://h/ovs/mine/other"]}`), "mine/settings/see/0", "dangling-url", `"etcd://h/ovs/mine/other"`, nil},
		{"a URL without a key", set(upkeep, "albamgr_cfg_url", `"etcd://127.0.0.1:2379"`), upkeep + "/albamgr_cfg_url", "url-syntax", `"etcd://127.0.0.1:2379"`, nil},
		{"a registry's cluster", set(router+"/volume_registry", "vregistry_arakoon_cluster_id", `"voldrv2"`), router + "/volume_registry/vregistry_arakoon_cluster_id", "dangling-arakoon-cluster", `"voldrv2"`, nil},
		{"a cluster in a document that nobody knows", put("mine/settings", `{"x_arakoon_cluster_id": "none"}`), "mine/settings/x_arakoon_cluster_id", "dangling-arakoon-cluster", `"none"`, nil},
		{"a cluster that was removed", remove("arakoon/alba-abm"), upkeep + "/albamgr_cfg_url", "dangling-url", `"etcd://127.0.0.1:2379/ovs/arakoon/alba-abm/config"`, []string{"dangling-arakoon-cluster"}},
		{"an asd of no node", set(asd, "node_id", `"aaaabbbbccccddddaaaabbbbccccdddd"`), asd + "/node_id", "dangling-asd-node", `"aaaabbbbccccddddaaaabbbbccccdddd"`, nil},
		{"a volume on an unknown vrouter", set(volume, "volume_router", `"vmstorxxxx"`), volume + "/volume_router", "dangling-vrouter", `"vmstorxxxx"`, nil},
		{"a volume on another vpool's vrouter", set(volume, "volume_router", `"dbstorYKHFP7mHwzNZr6Im"`), volume + "/volume_router", "dangling-vrouter", `"dbstorYKHFP7mHwzNZr6Im"`, nil},
		{"a clone of no volume", set(clone, "parent_volume_id", `"`+absent+`"`), clone + "/parent_volume_id", "dangling-volume", `"` + absent + `"`, nil},

		// Volumedrivers.
		{"a helper key among the components", put(router+"/trigger", `5`), router + "/trigger", "helper-key", "5", nil},
		{"a misspelled component", put(router+"/scocach", `{}`), router + "/scocach", "unknown-component", "an object of 0 fields", nil},
		{"a component that is not there", remove(router + "/volume_manager"), router + "/volume_manager", "missing-component", "", nil},
		{"a vrouter under another's name", set(router+"/volume_router", "vrouter_id", `"vmstor7YHl0GFdaJDsdzom"`), router + "/volume_router/vrouter_id", "identity", `"vmstor7YHl0GFdaJDsdzom"`, nil},
		{"vrouters on a host that is gone", remove(host), strings.TrimSuffix(router, "/config"), "unknown-host", "", nil},
		{"a client with a node's old address", set(router+"/volume_registry", "vregistry_arakoon_cluster_nodes.0.port", `26400`), router + "/volume_registry/vregistry_arakoon_cluster_nodes/0/port", "arakoon-node", "26400", nil},
		{"a client with a node that is gone", set(router+"/distributed_lock_store", "dls_arakoon_cluster_nodes.2.node_id", `"aaaabbbbccccdddd"`), router + "/distributed_lock_store/dls_arakoon_cluster_nodes/2/node_id", "arakoon-node", `"aaaabbbbccccdddd"`, nil},
		{"volumes told of no metadata server", set(router+"/filesystem", "fs_metadata_backend_mds_nodes.0.port", `26305`), router + "/filesystem/fs_metadata_backend_mds_nodes/0/port", "mds-node", "26305", nil},
		{"a proxy's port", set(router+"/backend_connection_manager", "alba_connection_port", `26299`), router + "/backend_connection_manager/alba_connection_port", "proxy-port", "26299", nil},
		{"two clusters in one vpool", set(router+"/volume_router_cluster", "vrouter_cluster_id", `"`+absent+`"`), router + "/volume_router_cluster/vrouter_cluster_id", "vpool-cluster", `"` + absent + `"`, nil},

		// Volumes.
		{"a volume's directory", put(vols+"/volumes/web03/config", `{"volume_router": "vmstorYKHFP7mHwzNZr6Im", "name": "web03", "filesystem_path": "/web03.raw"}`), vols + "/volumes/web03", "volume-id", "", nil},
		{"volumes of no vpool", put("vpool/"+absent+"/volumes/"+absent+"/config", `{"volume_router": "", "name": "a", "filesystem_path": "/a"}`), "vpool/" + absent, "unknown-vpool", "", []string{"length"}},
		{"two volumes on one path", set(volume, "filesystem_path", `"/vm-web/web02.raw"`), volume + "/filesystem_path", "path-twice", `"/vm-web/web02.raw"`, nil},
		{"a volume that descends from itself", set(volume, "parent_volume_id", `"259d93d5-3133-48c7-942e-e6a8936d2437"`), volume + "/parent_volume_id", "parent-cycle", `"259d93d5-3133-48c7-942e-e6a8936d2437"`, nil},
		{"clones of clones of clones", func(_ *testing.T, values map[string]string) {
			id := func(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }
			parent := "912b4198-9a0f-4696-9a4f-7ce559ad699f"
			for i := range 256 {
				values["/ovs/"+vols+"/volumes/"+id(i)+"/config"] = `{"volume_router": "vmstorYKHFP7mHwzNZr6Im", "name": "c` + id(i) + `", "filesystem_path": "/` + id(i) + `", "parent_volume_id": "` + parent + `"}`
				parent = id(i)
			}
		}, vols + "/volumes/00000000-0000-4000-8000-000000000255/config/parent_volume_id", "clone-depth", `"00000000-0000-4000-8000-000000000254"`, nil},
		{"a request for no volume", put(vols+"/lifecycle/"+absent, `{"action": "update", "generation": 2}`), vols + "/lifecycle/" + absent, "orphan-request", "", nil},
		{"a state that is none", put(vols+"/status/912b4198-9a0f-4696-9a4f-7ce559ad699f", `{"state": "done"}`), vols + "/status/912b4198-9a0f-4696-9a4f-7ce559ad699f/state", "enum", `"done"`, nil},

		// Hosts.
		{"two asds on one port", set(asd, "port", `8602`), "alba/asds/FpH5iyNJlCjzmFqQE2aCpJO5jGvvaDlC/config/port", "port-clash", "8602", nil},
		{"an asd on its node's own port", set(asd, "port", `8500`), asd + "/port", "port-clash", "8500", nil},
		{"two clusters on one port", swap("arakoon/voldrv/config", "client_port = 26402", "client_port = 26401"), "arakoon/voldrv/config", "port-clash", `"26401"`, []string{"arakoon-node"}},
		{"two vpools on one proxy port", func(t *testing.T, v map[string]string) {
			set(other+"/backend_connection_manager", "alba_connection_port", "26203")(t, v)
		}, router + "/backend_connection_manager/alba_connection_port", "port-clash", "26203", []string{"proxy-port"}},
		{"two vpools on one directory", set(other+"/volume_manager", "tlog_path", `"/mnt/ssd2/vmstor_db_tlog_1/"`), router + "/volume_manager/tlog_path", "directory-clash", `"/mnt/ssd2/vmstor_db_tlog_1"`, nil},
		{"an asd in another's home", set(asd, "home", `"/mnt/alba-asd/k5IIPyCBwdGEApld/CGm8e8C5jB5mn83WaAfjiCrmMWWYhP85"`), "alba/asds/CGm8e8C5jB5mn83WaAfjiCrmMWWYhP85/config/home", "directory-clash", `"/mnt/alba-asd/k5IIPyCBwdGEApld/CGm8e8C5jB5mn83WaAfjiCrmMWWYhP85"`, nil},
		{"an asd under another's name", set(asd, "asd_id", `"CGm8e8C5jB5mn83WaAfjiCrmMWWYhP85"`), asd + "/asd_id", "identity", `"CGm8e8C5jB5mn83WaAfjiCrmMWWYhP85"`, nil},
	}
}

// Each fault, put into a tree that is clean, is named with its path, its rule
// and its value, and nothing else is.
func TestFaultsAreNamed(t *testing.T) {
	c := load(t)
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			values := sample(t)
			f.do(t, values)
			found := c.Check(treeOf(t, values), "")
			named := false
			for _, p := range found {
				if p.Path == f.path && p.Rule == f.rule && p.Value == f.value {
					named = true
				}
				if p.Rule != f.rule && !slices.Contains(f.also, p.Rule) {
					t.Errorf("named something else: %v", p)
				}
				if p.Words == "" || strings.Contains(p.Words, "\n") || strings.Contains(p.Words, "hidden") {
					t.Errorf("not one line of words: %q", p.Words)
				}
			}
			if !named {
				t.Errorf("want %s %s %s, got %d:", f.path, f.value, f.rule, len(found))
				for _, p := range found {
					t.Log(p)
				}
			}
		})
	}
}

// Check of a part names what is there, compared with the whole tree.
func TestCheckOfAPart(t *testing.T) {
	c := load(t)
	values := sample(t)
	set(volume, "volume_router", `"gone"`)(t, values)
	set(asd, "port", `0`)(t, values)
	tree := treeOf(t, values)
	for under, want := range map[string]int{
		"": 2, "vpool": 1, "vpool/": 0, "alba": 1, "alb": 0, volume: 1, volume + "/volume_router": 1, volume + "/name": 0, pool: 0,
	} {
		if found := c.Check(tree, under); len(found) != want {
			t.Errorf("%q: %d problems, want %d: %v", under, len(found), want, found)
		}
	}
}

// docs/catalogue.md lists each rule that a fault shows, and each that it lists is shown.
func TestRulesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "| rule |")
	if !ok {
		t.Fatal("docs/catalogue.md has no table of rules")
	}
	documented := map[string]bool{}
	for line := range strings.Lines(table) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			rule, _, _ := strings.Cut(rest, "`")
			documented[rule] = false
		}
	}
	for _, f := range faults() {
		if _, ok := documented[f.rule]; !ok {
			t.Errorf("rule %s is not in docs/catalogue.md", f.rule)
		}
		documented[f.rule] = true
	}
	for rule, shown := range documented {
		if !shown {
			t.Errorf("no fault shows rule %s", rule)
		}
	}
	if len(documented) < 30 {
		t.Error("only " + strconv.Itoa(len(documented)) + " rules")
	}
}
