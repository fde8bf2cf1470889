package catalogue

import (
	"bytes"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Check holds the tree against the catalogue: each value against its schema,
// and the values against each other. It returns the problems at and below the
// shown path under ("" is all), ordered by path; what they are compared with is
// always the whole tree. It reads every value once.
func (c *Catalogue) Check(tree *mapping.Tree, under string) []Problem {
	s := &survey{c: c, tree: tree, scattered: map[string]*entry{}}
	s.addresses = s.hosts()
	s.routers = s.findVrouters()
	s.values()
	s.arakoonClusters()
	s.vrouters()
	s.volumes()
	s.asds()
	s.ports()
	s.directories()
	var list []Problem
	for _, p := range s.list {
		if under == "" || p.Path == under || strings.HasPrefix(p.Path, under+"/") {
			list = append(list, p)
		}
	}
	return sorted(list)
}

// survey is one run of Check. It is used by one goroutine.
type survey struct {
	c    *Catalogue
	tree *mapping.Tree
	list []Problem
	// addresses are the hosts' ids by IP address.
	addresses map[string]string
	routers   []vrouter
	// scattered are the documents of entries that are stored as keys for their fields.
	scattered map[string]*entry
}

func (s *survey) wrong(path, rule string, value any, words string) {
	s.list = append(s.list, s.c.problem(path, rule, value, words))
}

func (s *survey) missing(path, rule, words string) {
	s.list = append(s.list, missing(path, rule, words))
}

// values validates every key, and follows its references.
func (s *survey) values() {
	prefix := s.tree.Settings().Prefix
	if kv, ok := s.tree.Get(prefix); ok {
		s.value(kv)
	}
	for kv := range s.tree.Under(prefix) {
		s.value(kv)
	}
	for path, e := range s.scattered {
		s.list = append(s.list, s.c.validateDocument(e, path, s.document(path))...)
	}
}

func (s *survey) value(kv mapping.KV) {
	path, ok := s.tree.PathOf(kv.Key)
	if !ok {
		return
	}
	m, known := s.c.match(path)
	known = known && m.entry.raw == ""
	if known && len(m.fields) > 0 {
		document := strings.TrimSuffix(path, "/"+strings.Join(m.fields, "/"))
		s.scattered[document] = m.entry
	} else {
		s.list = append(s.list, s.c.Validate(path, kv.Value)...)
	}
	if !known && !bytes.Contains(kv.Value, []byte("etcd:")) && !bytes.Contains(kv.Value, []byte(clusterSuffix)) {
		return
	}
	doc, err := decode(kv.Value)
	if err != nil {
		return
	}
	s.followAll(path, doc.value)
}

// document is what is stored at and below a path as one JSON value, whether as a
// document or as keys; nil if nothing.
func (s *survey) document(path string) any {
	node, ok := s.tree.Lookup(path)
	if !ok {
		return nil
	}
	return documentOf(node)
}

func documentOf(node mapping.Node) any {
	text := node.Stored()
	if node.IsDir() {
		var err error
		if text, err = mapping.Render(node, mapping.JSON); err != nil {
			return nil
		}
	}
	doc, err := decode(text)
	if err != nil {
		return nil
	}
	return doc.value
}

// below visits the directories in a directory, by shown name.
func (s *survey) below(path string, visit func(name string, node mapping.Node)) {
	node, ok := s.tree.Lookup(path)
	if !ok || !node.IsDir() {
		return
	}
	for child := range node.Children() {
		if child.IsDir() {
			visit(child.Name(), child)
		}
	}
}

func (s *survey) exists(path string) bool {
	_, ok := s.tree.Lookup(path)
	return ok
}
