package volume

import (
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// vpool is what the rules need of all its volumes, as they will be after a plan.
type vpool struct {
	paths   map[string][]string // the volumes that have a filesystem_path
	parents map[string]string   // each volume's parent, empty without one
	clones  map[string]string   // one of each parent's clones
}

// vpool looks at all volumes of a vpool, once for each plan. The plan then holds
// only as long as none of them is written.
func (c *checking) vpool(name string) *vpool {
	if p := c.vpools[name]; p != nil {
		return p
	}
	p := &vpool{map[string][]string{}, map[string]string{}, map[string]string{}}
	c.unchanged = append(c.unchanged, prefixOf(c.tree)+"vpool/"+name+"/volumes/")
	changed := map[string]bool{}
	for i := range c.acts {
		if a := &c.acts[i]; a.id.VPool == name {
			changed[a.id.Volume] = true
			if a.has {
				p.add(a.id.Volume, a.is.text)
			}
		}
	}
	if volumes, ok := c.tree.Lookup("vpool/" + mapping.EncodeName(name) + "/volumes"); ok && volumes.IsDir() {
		for n := range volumes.Children() {
			if config, ok := n.Lookup("config"); ok && config.IsDir() && !changed[n.Name()] {
				p.add(n.Name(), func(field string) string { return textOf(config, field) })
			}
		}
	}
	if c.vpools == nil {
		c.vpools = map[string]*vpool{}
	}
	c.vpools[name] = p
	return p
}

func (p *vpool) add(id string, text func(field string) string) {
	if path := text(fieldPath); path != "" {
		p.paths[path] = append(p.paths[path], id)
	}
	parent := text(fieldParent)
	p.parents[id] = parent
	if parent != "" {
		p.clones[parent] = id
	}
}

// textOf is a field of a document as text, empty if it is no string.
func textOf(doc mapping.Node, field string) string {
	if n, ok := doc.Lookup(field); ok && n.Type() == mapping.String {
		return strings.TrimSuffix(string(n.Content()), "\n")
	}
	return ""
}
