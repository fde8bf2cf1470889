package volume

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// IsID reports whether a name can be a volume's: a UUID in lower case.
func IsID(name string) bool { return uuid.MatchString(name) }

// checking holds the acts of one plan against the rules.
type checking struct {
	rules *Rules
	tree  *mapping.Tree
	plan  *mapping.Plan
	acts  []act

	guards    []string // keys that were looked at
	unchanged []string // prefixes that were looked at
}

func (c *checking) check() error {
	for i := range c.acts {
		a := &c.acts[i]
		if a.had && !a.retouched {
			if err := c.identity(a); err != nil {
				return err
			}
		}
		if a.deletes {
			if err := c.goes(a); err != nil {
				return err
			}
		}
		if a.has && !a.retouched {
			if err := c.comes(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// identity refuses to move a volume: another UUID, another vpool, another place. In a change
// of several steps a move is a removal, and the same or nearly the same somewhere else.
func (c *checking) identity(a *act) error {
	refusal := mapping.Errorf(mapping.NotPermitted, a.path, "a volume cannot be moved or renamed: its UUID is its identity; copy it to make another like it, or change its name")
	if a.deletes && c.plan.Move {
		return refusal
	}
	for i := range c.plan.Puts {
		if put := &c.plan.Puts[i]; put.Key != a.key && bytes.Equal(put.Value, a.before) {
			return refusal
		}
	}
	for i := range c.acts {
		if b := &c.acts[i]; a.deletes && b.creates && b.id.VPool == a.id.VPool && a.was.text(fieldPath) != "" && b.is.text(fieldPath) == a.was.text(fieldPath) {
			return refusal
		}
	}
	return nil
}

// goes holds the removal of a volume against the rules.
func (c *checking) goes(a *act) error {
	var child string
	c.others(a.id.VPool, func(id string, other volumeNode) bool {
		if other.text(fieldParent) == a.id.Volume {
			child = id
		}
		return child == ""
	})
	if child != "" {
		return mapping.Errorf(mapping.Busy, a.path, "is the parent of volume %s, which needs it: remove its clones first", child)
	}
	return nil
}

// comes holds a volume's new configuration against the rules.
func (c *checking) comes(a *act) error {
	if !IsID(a.id.Volume) {
		return mapping.Errorf(mapping.Invalid, a.path, "a volume is named by a UUID in lower case, and %s is none: uuidgen makes one", a.id.Volume)
	}
	if missing := a.is.missing(); !a.invalid && len(missing) > 0 {
		return mapping.Errorf(mapping.Invalid, a.path, "a volume needs %s", strings.Join(missing, ", "))
	}
	if a.had {
		for _, field := range []string{fieldParent, fieldSnapshot} {
			if a.was.text(field) != a.is.text(field) {
				return mapping.Errorf(mapping.NotPermitted, a.path+"/"+field, "never changes: make another clone")
			}
		}
	}
	if err := c.values(a); err != nil {
		return err
	}
	if a.differs(fieldRouter) {
		if err := c.router(a); err != nil {
			return err
		}
	}
	if a.differs(fieldPath) {
		if err := c.path(a); err != nil {
			return err
		}
	}
	if a.creates {
		return c.lineage(a)
	}
	return nil
}

func (a *act) differs(field string) bool { return !a.had || a.was.text(field) != a.is.text(field) }

// values holds the fields against the catalogue. What was wrong before is no reason.
func (c *checking) values(a *act) error {
	var before []catalogue.Problem
	if a.had {
		before = c.rules.known.Validate(a.path, a.before)
	}
	for _, p := range c.rules.known.Validate(a.path, a.after) {
		if !slices.Contains(before, p) {
			return refused(p)
		}
	}
	return nil
}

func refused(p catalogue.Problem) error {
	return mapping.Errorf(mapping.Invalid, p.Path, "%s", p.Brief())
}

// router: the vrouter must be one of the vpool.
func (c *checking) router(a *act) error {
	name := a.is.text(fieldRouter)
	vpool := mapping.EncodeName(a.id.VPool)
	if _, ok := c.tree.Lookup("vpools/" + vpool + "/hosts/" + mapping.EncodeName(name) + "/config"); !ok {
		return mapping.Errorf(mapping.Invalid, a.path+"/"+fieldRouter, "%q is no vrouter of this vpool: vpools/%s/hosts has those that are", name, vpool)
	}
	return nil
}

// path: no other volume of the vpool may have the same.
func (c *checking) path(a *act) error {
	path := a.is.text(fieldPath)
	var taken string
	c.others(a.id.VPool, func(id string, other volumeNode) bool {
		if id != a.id.Volume && other.text(fieldPath) == path {
			taken = id
		}
		return taken == ""
	})
	if taken != "" {
		return mapping.Errorf(mapping.Exists, a.path+"/"+fieldPath, "%q is the path of volume %s: choose another", path, taken)
	}
	return nil
}

// maxCloneDepth is how many parents a clone may have in line (volumedriver).
const maxCloneDepth = 255

// lineage: a clone has a parent in its vpool, a snapshot of it, and not too many ancestors.
func (c *checking) lineage(a *act) error {
	parent := a.is.text(fieldParent)
	if parent == "" {
		return nil
	}
	at := a.path + "/" + fieldParent
	if a.is.text(fieldSnapshot) == "" {
		return mapping.Errorf(mapping.Invalid, a.path+"/"+fieldSnapshot, "a clone needs the snapshot of its parent that it begins with")
	}
	onLine := map[string]bool{a.id.Volume: true}
	for id := parent; id != ""; {
		switch {
		case onLine[id]:
			return mapping.Errorf(mapping.Invalid, at, "makes the volume its own ancestor")
		case len(onLine) > maxCloneDepth:
			return mapping.Errorf(mapping.Invalid, at, "makes more than %d clones in line, which the volumedriver does not follow", maxCloneDepth)
		}
		onLine[id] = true
		v, ok := c.volume(ID{a.id.VPool, id})
		if !ok {
			if id == parent {
				return mapping.Errorf(mapping.Invalid, at, "there is no volume %s in this vpool", id)
			}
			return nil // it was removed by someone who does not ask
		}
		id = v.text(fieldParent)
	}
	c.guards = append(c.guards, prefixOf(c.tree)+ID{a.id.VPool, parent}.ConfigKey())
	return nil
}

// volumeNode is a volume as it will be after the plan.
type volumeNode struct {
	changed *act
	node    mapping.Node
}

func (v volumeNode) text(field string) string {
	if v.changed != nil {
		return v.changed.is.text(field)
	}
	if n, ok := v.node.Lookup(field); ok && !n.IsDir() && n.Type() == mapping.String {
		return strings.TrimSuffix(string(n.Content()), "\n")
	}
	return ""
}

// volume finds one volume as it will be.
func (c *checking) volume(id ID) (volumeNode, bool) {
	for i := range c.acts {
		if c.acts[i].id == id {
			return volumeNode{changed: &c.acts[i]}, c.acts[i].has
		}
	}
	n, ok := c.tree.Lookup(strings.TrimPrefix(pathOf(id), "/"))
	return volumeNode{node: n}, ok
}

func pathOf(id ID) string {
	return "vpool/" + mapping.EncodeName(id.VPool) + "/volumes/" + mapping.EncodeName(id.Volume) + "/config"
}

// others visits the volumes of a vpool as they will be, until visit answers false.
func (c *checking) others(vpool string, visit func(id string, v volumeNode) bool) {
	dir := "vpool/" + mapping.EncodeName(vpool) + "/volumes"
	c.unchanged = append(c.unchanged, prefixOf(c.tree)+"vpool/"+vpool+"/volumes/")
	changed := map[string]bool{}
	for i := range c.acts {
		if a := &c.acts[i]; a.id.VPool == vpool {
			changed[a.id.Volume] = true
			if a.has && !visit(a.id.Volume, volumeNode{changed: a}) {
				return
			}
		}
	}
	volumes, _ := c.tree.Lookup(dir)
	if !volumes.IsDir() {
		return
	}
	for n := range volumes.Children() {
		id := n.Name()
		config, ok := n.Lookup("config")
		if ok && config.IsDir() && !changed[id] && !visit(id, volumeNode{node: config}) {
			return
		}
	}
}
