package volume

import (
	"slices"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

const (
	fieldRouter   = "volume_router"
	fieldName     = "name"
	fieldPath     = "filesystem_path"
	fieldParent   = "parent_volume_id"
	fieldSnapshot = "snapshot_id"
)

// required are the fields that a volume cannot be without.
var required = []string{fieldRouter, fieldName, fieldPath}

// immutable are the fields that never change.
var immutable = []string{fieldParent, fieldSnapshot}

// Stamp is who asks for a change, and when.
type Stamp struct {
	At string // RFC 3339 in UTC
	By string // user@node
}

// Rules hold changes against what volumes may be. They are safe for
// concurrent use.
type Rules struct{ known *catalogue.Catalogue }

// NewRules makes rules of a catalogue.
func NewRules(known *catalogue.Catalogue) *Rules { return &Rules{known} }

// Plan adds to a plan what it means for volumes: the requests for those that it
// makes, changes or removes, and the guards under which they are right. A plan
// that touches no volume is returned as it is. t is the tree that the plan was
// made on.
//
// The guards are the volumes' requests and statuses, the parents of clones, and,
// where a path or the lack of clones has to hold among all volumes of a vpool,
// that none of them was written meanwhile. That a vrouter goes at the very same
// moment is not seen.
//
// Errors, with words: Invalid (a value that the catalogue does not allow, a
// required field that is missing, a name that is no UUID, an unknown vrouter or
// parent), NotPermitted (another parent or snapshot, another UUID for a volume,
// a key that is not the users' to write), Busy (a parent of others would go),
// Exists (another volume has the filesystem_path).
func (r *Rules) Plan(t *mapping.Tree, plan mapping.Plan, stamp Stamp) (mapping.Plan, error) {
	acts, err := actsOf(t, &plan)
	if err != nil || len(acts) == 0 {
		return plan, err
	}
	c := checking{rules: r, tree: t, plan: &plan, acts: acts}
	if err := c.check(); err != nil {
		return mapping.Plan{}, err
	}
	x := extension{tree: t, plan: plan}
	for i := range acts {
		x.request(&acts[i], stamp)
	}
	for _, key := range c.guards {
		x.guard(key)
	}
	for _, prefix := range c.unchanged {
		x.unchanged(prefix)
	}
	return x.plan, nil
}

// extension is a plan to which something is added. What it was made of stays as it is.
type extension struct {
	tree *mapping.Tree
	plan mapping.Plan
}

func (x *extension) guard(key string) {
	g := mapping.Guard{Key: key}
	if kv, ok := x.tree.Get(key); ok {
		g.ModRevision = kv.ModRevision
	}
	if !slices.Contains(x.plan.Guards, g) {
		x.plan.Guards = append(slices.Clip(x.plan.Guards), g)
	}
}

func (x *extension) unchanged(prefix string) {
	if !slices.Contains(x.plan.Unchanged, prefix) {
		x.plan.Unchanged = append(slices.Clip(x.plan.Unchanged), prefix)
	}
}

// request writes the request that an act needs.
func (x *extension) request(a *act, stamp Stamp) {
	prefix := prefixOf(x.tree)
	request, status := prefix+a.id.LifecycleKey(), prefix+a.id.StatusKey()
	next, remove := a.next(requestAt(x.tree, request), statusAt(x.tree, status))
	switch {
	case remove:
		x.plan.Deletes = append(slices.Clip(x.plan.Deletes), request)
	case next != nil:
		next.RequestedAt, next.RequestedBy = stamp.At, stamp.By
		put := mapping.Put{Key: request, Value: encode(next)}
		x.plan.Puts = append(slices.Clip(x.plan.Puts), put)
	default:
		return // the same volume in other bytes
	}
	x.guard(request)
	x.guard(status)
}
