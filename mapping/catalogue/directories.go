package catalogue

import (
	"path"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// directories reports directories that two services of one host want for
// themselves. A metadata server's two directories may be one, as in the seed.
func (s *survey) directories() {
	taken := map[string]string{}
	claim := func(host, at string, value any) {
		text := textOf(value)
		if text == "" || host == "" {
			return
		}
		key := host + " " + path.Clean(text)
		if other, ok := taken[key]; ok {
			s.wrong(at, "directory-clash", value, "is used on this host by "+other+" too")
			return
		}
		taken[key] = at
	}
	for _, r := range s.routers {
		for _, p := range [][2]string{
			{"volume_manager", "metadata_path"}, {"volume_manager", "tlog_path"}, {"file_driver", "fd_cache_path"},
			{"failovercache", "failovercache_path"},
		} {
			claim(r.host, join(r.path, p[0], p[1]), r.get(p[0], p[1]))
		}
		// The same thing under its later name: both may be there for both versions.
		if r.text("distributed_transaction_log", "dtl_path") != r.text("failovercache", "failovercache_path") {
			claim(r.host, join(r.path, "distributed_transaction_log", "dtl_path"), r.get("distributed_transaction_log", "dtl_path"))
		}
		for _, p := range [][2]string{{"scocache", "scocache_mount_points"}, {"content_addressed_cache", "clustercache_mount_points"}} {
			each(r.get(p[0], p[1]), func(i string, point any) {
				claim(r.host, join(r.path, p[0], p[1], i, "path"), field(point, "path"))
			})
		}
		each(r.get("metadata_server", "mds_nodes"), func(i string, node any) {
			claim(r.host, join(r.path, "metadata_server", "mds_nodes", i, "db_directory"), field(node, "db_directory"))
		})
	}
	s.below("alba/asds", func(name string, _ mapping.Node) {
		at := "alba/asds/" + name + "/config"
		doc := s.document(at)
		claim("asdnode "+textOf(field(doc, "node_id")), at+"/home", field(doc, "home"))
	})
}
