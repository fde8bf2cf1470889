package catalogue

import (
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// hostIDLength is that of a host's identifier, which ends a vrouter's (framework, /etc/openvstorage_id).
const hostIDLength = 16

// vrouter is one volumedriver instance.
type vrouter struct {
	path   string // vpools/P/hosts/R/config
	vpool  string // vpools/P
	name   string
	host   string // the host's id; empty if the name tells none
	config any
}

// findVrouters reads the configuration of each vrouter.
func (s *survey) findVrouters() (list []vrouter) {
	s.eachVpool(func(vpool string) {
		s.below(vpool+"/hosts", func(name string, node mapping.Node) {
			config, ok := node.Lookup("config")
			if !ok || !config.IsDir() {
				return
			}
			r := vrouter{path: vpool + "/hosts/" + name + "/config", vpool: vpool, name: name, config: documentOf(config)}
			if len(name) > hostIDLength {
				r.host = name[len(name)-hostIDLength:]
			}
			list = append(list, r)
		})
	})
	return list
}

// get is a parameter.
func (r vrouter) get(component, name string) any { return field(field(r.config, component), name) }

// text is a parameter as text.
func (r vrouter) text(component, name string) string { return textOf(r.get(component, name)) }

func (s *survey) vrouters() {
	clusters := map[string]vrouter{} // the first vrouter of a vpool
	for _, r := range s.routers {
		s.components(r)
		at := func(component, name string) string { return join(r.path, component, name) }
		if id := r.text("volume_router", "vrouter_id"); id != "" && mapping.EncodeName(id) != r.name {
			s.wrong(at("volume_router", "vrouter_id"), "identity", id, "must be the name of its directory, "+quoted(r.name))
		}
		if hosts, ok := s.tree.Lookup("framework/hosts"); ok && hosts.Len() > 0 {
			if _, ok := hosts.Lookup(r.host); r.host == "" || !ok {
				s.missing(strings.TrimSuffix(r.path, "/config"), "unknown-host", "must end in the id of a host, and framework/hosts has none that it ends in")
			}
		}
		if first, ok := clusters[r.vpool]; ok {
			id, other := r.text("volume_router_cluster", "vrouter_cluster_id"), first.text("volume_router_cluster", "vrouter_cluster_id")
			if id != "" && other != "" && id != other {
				s.wrong(at("volume_router_cluster", "vrouter_cluster_id"), "vpool-cluster", id, "differs from that of "+first.name+" in the same vpool, "+quoted(other))
			}
		} else {
			clusters[r.vpool] = r
		}
		for _, list := range [][3]string{
			{"volume_registry", "vregistry_arakoon_cluster_id", "vregistry_arakoon_cluster_nodes"},
			{"distributed_lock_store", "dls_arakoon_cluster_id", "dls_arakoon_cluster_nodes"},
			{"filesystem", "fs_metadata_backend_arakoon_cluster_id", "fs_metadata_backend_arakoon_cluster_nodes"},
		} {
			s.clusterNodes(at(list[0], list[2]), r.text(list[0], list[1]), r.get(list[0], list[2]))
		}
		s.backend(r)
	}
	s.metadataNodes()
}

// components holds what is directly in a configuration: the volumedriver parses
// every key there, and a value that is no document can keep it from starting.
func (s *survey) components(r vrouter) {
	each(r.config, func(name string, value any) {
		if _, known := s.c.match(join(r.path, name)); known {
			return
		}
		switch value.(type) {
		case map[string]any, []any:
			s.wrong(join(r.path, name), "unknown-component", value, "is no component of the volumedriver, which ignores it: is its name spelled right?")
		default:
			s.wrong(join(r.path, name), "helper-key", value, "must not be here: the volumedriver parses each key in its configuration as a document, and does not start")
		}
	})
	has := func(name string) bool { return field(r.config, name) != nil }
	for _, name := range []string{
		"content_addressed_cache", "file_driver", "filesystem", "scocache", "volume_manager", "volume_registry",
		"volume_router", "volume_router_cluster", "backend_connection_manager",
	} {
		if !has(name) {
			s.missing(join(r.path, name), "missing-component", "is missing, and the volumedriver does not start without")
		}
	}
	// Renamed in 5.7.0: each version reads one of the two.
	if !has("failovercache") && !has("distributed_transaction_log") {
		s.missing(join(r.path, "distributed_transaction_log"), "missing-component", "is missing (failovercache before 5.7.0), and the volumedriver does not start without")
	}
}

// backend holds that the volumedriver talks to a proxy of its vpool.
func (s *survey) backend(r vrouter) {
	const manager = "backend_connection_manager"
	host := r.text(manager, "alba_connection_host")
	if r.text(manager, "backend_type") != "ALBA" || host != "" && !loopback(host) {
		return
	}
	port := r.text(manager, "alba_connection_port")
	found, proxies := false, 0
	s.below(r.vpool+"/proxies", func(name string, node mapping.Node) {
		main, ok := node.Lookup("config")
		if ok {
			main, ok = main.Lookup("main")
		}
		if ok {
			proxies++
			found = found || textOf(field(documentOf(main), "port")) == port
		}
	})
	if proxies > 0 && !found && port != "" {
		s.wrong(join(r.path, manager, "alba_connection_port"), "proxy-port", r.get(manager, "alba_connection_port"), "is the port of no proxy of this vpool")
	}
}

// metadataNodes holds that the metadata servers which volumes are told of are
// served by some volumedriver of the vpool.
func (s *survey) metadataNodes() {
	served := map[string]bool{}
	address := func(r vrouter, node any) string {
		return r.vpool + " " + textOf(field(node, "host")) + ":" + textOf(field(node, "port"))
	}
	for _, r := range s.routers {
		for _, node := range elements(r.get("metadata_server", "mds_nodes")) {
			served[address(r, node)] = true
		}
	}
	for _, r := range s.routers {
		each(r.get("filesystem", "fs_metadata_backend_mds_nodes"), func(i string, node any) {
			if !served[address(r, node)] {
				s.wrong(join(r.path, "filesystem", "fs_metadata_backend_mds_nodes", i, "port"), "mds-node", field(node, "port"),
					"is where no volumedriver of this vpool has a metadata server on "+textOf(field(node, "host")))
			}
		})
	}
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
