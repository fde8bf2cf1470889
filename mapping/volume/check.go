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
	vpools    map[string]*vpool
}

func (c *checking) check() error {
	for i := range c.acts {
		if a := &c.acts[i]; a.had && !a.retouched {
			if err := c.identity(a); err != nil {
				return err
			}
		}
	}
	for i := range c.acts {
		a := &c.acts[i]
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
	if child := c.vpool(a.id.VPool).clones[a.id.Volume]; child != "" {
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
		for _, field := range immutable {
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
	if !a.creates {
		return nil
	}
	if err := c.returns(a); err != nil {
		return err
	}
	return c.lineage(a)
}

// returns: a volume that is made again before anybody has begun to delete it is the same
// volume, with the data that it has.
func (c *checking) returns(a *act) error {
	last := requestAt(c.tree, prefixOf(c.tree)+a.id.LifecycleKey())
	status := statusAt(c.tree, prefixOf(c.tree)+a.id.StatusKey())
	if last == nil || last.Action != Delete || !isPending(last, status) {
		return nil
	}
	was := map[string]string{}
	for _, change := range last.Changed {
		was[change.Name], _ = change.Old.(string)
	}
	for _, field := range immutable {
		if was[field] != a.is.text(field) {
			return mapping.Errorf(mapping.Busy, a.path+"/"+field, "the volume of this UUID is still to be deleted, and it was another clone: wait until that is done (lifecycle/%s goes), or take another UUID", a.id.Volume)
		}
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
	for _, id := range c.vpool(a.id.VPool).paths[path] {
		if id != a.id.Volume {
			return mapping.Errorf(mapping.Exists, a.path+"/"+fieldPath, "%q is the path of volume %s: choose another", path, id)
		}
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
	vpool := c.vpool(a.id.VPool)
	onLine := map[string]bool{a.id.Volume: true}
	for id := parent; id != ""; {
		switch {
		case onLine[id]:
			return mapping.Errorf(mapping.Invalid, at, "makes the volume its own ancestor")
		case len(onLine) > maxCloneDepth:
			return mapping.Errorf(mapping.Invalid, at, "makes more than %d clones in line, which the volumedriver does not follow", maxCloneDepth)
		}
		onLine[id] = true
		next, ok := vpool.parents[id]
		if !ok && id == parent {
			return mapping.Errorf(mapping.Invalid, at, "there is no volume %s in this vpool", id)
		}
		id = next
	}
	c.guards = append(c.guards, prefixOf(c.tree)+ID{a.id.VPool, parent}.ConfigKey())
	return nil
}
