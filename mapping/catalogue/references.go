package catalogue

import (
	"strconv"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// clusterSuffix ends the names of fields that hold an Arakoon cluster's name.
const clusterSuffix = "_arakoon_cluster_id"

// ReferenceKey returns the key that an etcd://host:port/key URL names. It is
// false for any other text, and for a URL without a key. A query, such as that
// of the later ini=PATH, is no part of the key.
func ReferenceKey(text string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(text, "etcd://")
	if !ok {
		return "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	hosts, path, ok := strings.Cut(rest, "/")
	if !ok || hosts == "" || strings.Trim(path, "/") == "" {
		return "", false
	}
	key, ok = percentDecoded(path)
	return "/" + strings.TrimSuffix(key, "/"), ok
}

// percentDecoded undoes the encoding of a URL's path (RFC 3986 section 2.1).
func percentDecoded(text string) (string, bool) {
	var out []byte
	for {
		plain, rest, more := strings.Cut(text, "%")
		out = append(out, plain...)
		if !more {
			return string(out), true
		}
		if len(rest) < 2 {
			return "", false
		}
		b, err := strconv.ParseUint(rest[:2], 16, 8)
		if err != nil {
			return "", false
		}
		out = append(out, byte(b))
		text = rest[2:]
	}
}

// followAll follows the references in a value: those that its schema marks, and
// anywhere URLs of etcd and fields named like Arakoon clusters.
func (s *survey) followAll(path string, value any) {
	s.followMarked(path, value)
	s.followUnmarked(path, value)
}

func (s *survey) followMarked(path string, value any) {
	m, ok := s.c.locate(path)
	switch {
	case !ok:
	case m.entry == nil: // a whole directory in one document
		if object, ok := value.(map[string]any); ok {
			each(object, func(name string, item any) { s.followMarked(join(path, name), item) })
		}
	case m.entry.raw == "":
		if sc, ok := s.c.schemaOf(m); ok {
			sc.walk(path, value, func(path string, sc *schema, v any) {
				if name := sc.reference; name != "" {
					s.follow(path, name, m.stars, v)
				}
			})
		}
	}
}

func (s *survey) followUnmarked(path string, value any) {
	each(value, func(name string, item any) { s.followUnmarked(join(path, name), item) })
	text, ok := value.(string)
	if !ok {
		return
	}
	if e, _ := s.c.Entry(path); e.Reference != "" {
		return // done by its mark
	}
	switch {
	case strings.HasPrefix(text, "etcd://"):
		s.follow(path, "url", nil, value)
	case strings.HasSuffix(path, clusterSuffix):
		s.follow(path, "arakoon-cluster", nil, value)
	}
}

// Target returns the path that the text of a leaf at path refers to: by a URL of etcd, or by the name of
// something, as a cluster's. It need not exist. t gives keys their paths.
func (c *Catalogue) Target(t *mapping.Tree, path, text string) (target string, ok bool) {
	if key, ok := ReferenceKey(text); ok {
		return t.PathOf(key)
	}
	if text == "" || strings.HasPrefix(text, "etcd://") {
		return "", false
	}
	m, ok := c.match(path)
	name := ""
	if ok {
		e, _ := c.entryOf(m)
		name = e.Reference
	}
	if name == "" && strings.HasSuffix(path, clusterSuffix) {
		name = "arakoon-cluster"
	}
	if target = c.references[name]; name == "" || name == "url" || target == "" {
		return "", false
	}
	return m.fill(target, text), true
}

// fill puts what a path matched, and the text of the leaf, into the pattern of a target.
func (m match) fill(target, text string) string {
	for i, star := range m.stars {
		target = strings.ReplaceAll(target, "$"+strconv.Itoa(i+1), star)
	}
	return strings.ReplaceAll(target, "{}", mapping.EncodeName(text))
}

// follow reports a reference that leads nowhere. An empty one refers to nothing.
func (s *survey) follow(path, name string, stars []string, value any) {
	text, ok := value.(string)
	if !ok || text == "" {
		return
	}
	if name == "url" {
		s.followURL(path, text)
		return
	}
	target := match{stars: stars}.fill(s.c.references[name], text)
	if !s.exists(target) {
		s.wrong(path, "dangling-"+name, value, "names nothing that is there: "+target+" does not exist")
	}
}

func (s *survey) followURL(path, text string) {
	key, ok := ReferenceKey(text)
	if !ok {
		if strings.HasPrefix(text, "etcd://") { // any other text breaks the schema
			s.wrong(path, "url-syntax", text, "must be etcd://host:port/ and a key")
		}
		return
	}
	target, ok := s.tree.PathOf(key)
	if !ok {
		return // outside of what this tree can tell
	}
	if !s.exists(target) {
		s.wrong(path, "dangling-url", text, "refers to a key that is not there: "+key)
	}
}
