package catalogue

import (
	"github.com/openvstorage/ovscfgfs/mapping"
)

// listener is a port that a service on some host opens.
type listener struct {
	host  string // what tells the host apart
	ip    string // empty: any address of the host
	port  string
	path  string // where it is configured
	part  string // which part of a raw value
	value any
}

// asds holds asds against the nodes that run them.
func (s *survey) asds() {
	s.below("alba/asds", func(name string, node mapping.Node) {
		config, ok := node.Lookup("config")
		if !ok {
			return
		}
		at := "alba/asds/" + name + "/config/asd_id"
		if id := textOf(field(documentOf(config), "asd_id")); id != "" && mapping.EncodeName(id) != name {
			s.wrong(at, "identity", id, "must be the name of its directory, "+quoted(name))
		}
	})
	s.below("alba/asdnodes", func(name string, node mapping.Node) {
		at := "alba/asdnodes/" + name + "/config/main"
		if id := textOf(field(s.document(at), "node_id")); id != "" && mapping.EncodeName(id) != name {
			s.wrong(at+"/node_id", "identity", id, "must be the name of its directory, "+quoted(name))
		}
	})
}

// ports reports ports that two services of one host want.
func (s *survey) ports() {
	taken := map[string][]listener{}
	s.listeners(func(l listener) {
		if host := s.addresses[l.ip]; host != "" {
			l.host = host
		} else if l.host == "" {
			l.host = l.ip
		}
		if l.port == "" || l.host == "" {
			return
		}
		key := l.host + " " + l.port
		for _, other := range taken[key] {
			if (l.path != other.path || l.part != other.part) && (l.ip == "" || other.ip == "" || l.ip == other.ip) {
				s.wrong(l.path, "port-clash", l.value, "is taken on this host by "+other.path+other.part)
				break
			}
		}
		taken[key] = append(taken[key], l)
	})
}

// hosts tells which host an address is of, by the id that the framework gives it.
func (s *survey) hosts() map[string]string {
	hosts := map[string]string{}
	s.below("framework/hosts", func(id string, node mapping.Node) {
		if ip, ok := node.Lookup("ip"); ok {
			hosts[textOf(documentOf(ip))] = id
		}
	})
	s.below("arakoon", func(name string, _ mapping.Node) {
		file, _ := s.ini("arakoon/" + name + "/config")
		for _, node := range file.nodes() {
			if ip := file.sections[node]["ip"]; ip != "" && hosts[ip] == "" && len(node) == hostIDLength {
				hosts[ip] = node
			}
		}
	})
	s.below("alba/asdnodes", func(name string, _ mapping.Node) {
		at := "alba/asdnodes/" + name + "/config/"
		ips := []string{textOf(field(s.document(at+"main"), "ip"))}
		for _, ip := range elements(field(s.document(at+"network"), "ips")) {
			ips = append(ips, textOf(ip))
		}
		host := ""
		for _, ip := range ips {
			if host == "" {
				host = hosts[ip]
			}
		}
		if host == "" {
			host = "asdnode " + name
		}
		for _, ip := range ips {
			if hosts[ip] == "" && ip != "" {
				hosts[ip] = host
			}
		}
	})
	delete(hosts, "")
	return hosts
}

// listeners are all ports that the tree says are opened.
func (s *survey) listeners(visit func(listener)) {
	s.below("arakoon", func(name string, _ mapping.Node) {
		path := "arakoon/" + name + "/config"
		file, _ := s.ini(path)
		for _, node := range file.nodes() {
			section := file.sections[node]
			for _, key := range []string{"client_port", "messaging_port"} {
				visit(listener{ip: section["ip"], port: section[key], path: path, part: " [" + node + "] " + key, value: section[key]})
			}
		}
	})
	s.below("alba/asdnodes", func(name string, _ mapping.Node) {
		at := "alba/asdnodes/" + name + "/config/main"
		doc := s.document(at)
		visit(listener{ip: textOf(field(doc, "ip")), port: textOf(field(doc, "port")), path: at + "/port", value: field(doc, "port")})
	})
	s.below("alba/asds", func(name string, _ mapping.Node) {
		at := "alba/asds/" + name + "/config"
		doc := s.document(at)
		ip := ""
		if ips := elements(field(doc, "ips")); len(ips) == 1 {
			ip = textOf(ips[0])
		}
		node := textOf(field(doc, "node_id"))
		address := textOf(field(s.document("alba/asdnodes/"+mapping.EncodeName(node)+"/config/main"), "ip"))
		visit(listener{host: s.addresses[address], ip: ip, port: textOf(field(doc, "port")), path: at + "/port", value: field(doc, "port")})
	})
	for _, r := range s.routers {
		each(r.get("metadata_server", "mds_nodes"), func(i string, node any) {
			visit(listener{ip: textOf(field(node, "host")), port: textOf(field(node, "port")),
				path: join(r.path, "metadata_server", "mds_nodes", i, "port"), value: field(node, "port")})
		})
		// A proxy's own configuration does not tell its host; who talks to it on the loopback does.
		const manager = "backend_connection_manager"
		if host := r.text(manager, "alba_connection_host"); r.text(manager, "backend_type") == "ALBA" && loopback(host) {
			visit(listener{host: r.host, ip: host, port: r.text(manager, "alba_connection_port"),
				path: join(r.path, manager, "alba_connection_port"), value: r.get(manager, "alba_connection_port")})
		}
	}
}
