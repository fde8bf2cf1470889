package catalogue

import (
	"github.com/openvstorage/ovscfgfs/mapping"
)

// arakoonClusters holds that the INI of a cluster, and the copies that proxies
// have of one, are of a cluster that there is.
func (s *survey) arakoonClusters() {
	s.below("arakoon", func(name string, _ mapping.Node) {
		path := "arakoon/" + name + "/config"
		file, ok := s.ini(path)
		if id := file.sections["global"]["cluster_id"]; ok && id != "" && mapping.EncodeName(id) != name {
			s.wrong(path, "identity", id, "is [global] cluster_id, and must be the name of the cluster's directory, "+quoted(name))
		}
	})
	s.eachVpool(func(vpool string) {
		s.below(vpool+"/proxies", func(name string, _ mapping.Node) {
			path := vpool + "/proxies/" + name + "/config/abm"
			file, ok := s.ini(path)
			if id := file.sections["global"]["cluster_id"]; ok && id != "" && !s.exists("arakoon/"+mapping.EncodeName(id)+"/config") {
				s.wrong(path, "dangling-arakoon-cluster", id, "is [global] cluster_id, and names no cluster: arakoon/"+mapping.EncodeName(id)+"/config does not exist")
			}
		})
	})
}

func (s *survey) eachVpool(visit func(path string)) {
	s.below("vpools", func(name string, _ mapping.Node) { visit("vpools/" + name) })
}

// ini reads the INI file at a path.
func (s *survey) ini(path string) (ini, bool) {
	node, ok := s.tree.Lookup(path)
	if !ok || node.IsDir() {
		return ini{}, false
	}
	file, _ := parseINI(node.Stored())
	return file, len(file.sections) > 0
}

// clusterNodes holds a client's list of nodes against the cluster's own file.
func (s *survey) clusterNodes(path string, cluster string, list any) {
	file, ok := s.ini("arakoon/" + mapping.EncodeName(cluster) + "/config")
	if cluster == "" || !ok {
		return // dangling, which is said there
	}
	each(list, func(i string, node any) {
		id := textOf(field(node, "node_id"))
		section, ok := file.sections[id]
		if !ok || id == "global" {
			s.wrong(join(path, i, "node_id"), "arakoon-node", id, "is no node of the Arakoon cluster "+quoted(cluster))
			return
		}
		for _, pair := range [][2]string{{"host", "ip"}, {"port", "client_port"}} {
			if has, want := textOf(field(node, pair[0])), section[pair[1]]; want != "" && has != want {
				s.wrong(join(path, i, pair[0]), "arakoon-node", field(node, pair[0]), "differs from the "+pair[1]+" of that node in arakoon/"+cluster+"/config, "+quoted(want))
			}
		}
	})
}
