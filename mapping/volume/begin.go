package volume

import (
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Place tells what a shown path is to volumes.
type Place struct {
	VPool, Volume string // decoded names
	// Config: the path is that of the configuration, not of the volume's directory.
	Config bool
}

// PlaceOf returns what vpool/P/volumes/V and vpool/P/volumes/V/config are.
func PlaceOf(path string) (Place, bool) {
	part := strings.Split(path, "/")
	if len(part) < 4 || len(part) > 5 || part[0] != "vpool" || part[2] != "volumes" || len(part) == 5 && part[4] != "config" {
		return Place{}, false
	}
	vpool, err := mapping.DecodeName(part[1])
	if err != nil {
		return Place{}, false
	}
	volume, err := mapping.DecodeName(part[3])
	if err != nil {
		return Place{}, false
	}
	return Place{vpool, volume, len(part) == 5}, true
}

// isDraftName reports whether a name is that of a draft which is not to be
// published as it is called: it begins with a dot.
func isDraftName(name string) bool { return strings.HasPrefix(name, ".") }

// Begin returns what making a directory at a shown path means: a draft of a
// volume, with the defaults of its vpool. It is nil where no volume is to be.
// empty: a draft without any field, which begins with its config, not with the directory for that.
//
// Errors of the edit: Invalid for a name that is neither a UUID nor begins
// with a dot, Exists, NotPermitted for what is beside config in a volume.
func (r *Rules) Begin(path string, empty bool) mapping.Edit {
	if isBeside(path) {
		return func(t *mapping.Tree) (mapping.Plan, error) {
			_, _, err := placeOf(t, prefixOf(t)+path, false)
			return mapping.Plan{}, err
		}
	}
	place, ok := PlaceOf(path)
	if !ok || empty && !place.Config {
		return nil
	}
	id := ID{place.VPool, place.Volume}
	return func(t *mapping.Tree) (mapping.Plan, error) {
		if !IsID(id.Volume) && !isDraftName(id.Volume) {
			return mapping.Plan{}, mapping.Errorf(mapping.Invalid, path, "a volume is named by a UUID in lower case (uuidgen makes one), and a draft of one by a name that begins with a dot")
		}
		key := prefixOf(t) + id.ConfigKey()
		if _, ok := t.Get(key); ok {
			return mapping.Plan{}, mapping.Errorf(mapping.Exists, path, "is there already")
		}
		value := []byte("{}")
		if !empty {
			value = r.defaults(t, id.VPool)
		}
		return mapping.Plan{
			Guards: []mapping.Guard{{Key: key}},
			Puts:   []mapping.Put{{Key: key, Value: value}},
		}, nil
	}
}

// isBeside reports whether a shown path is that of something beside config in a volume's
// directory. Names that begin with a dot are this machine's.
func isBeside(path string) bool {
	part := strings.Split(path, "/")
	return len(part) == 5 && part[0] == "vpool" && part[2] == "volumes" && part[4] != "config" && !strings.HasPrefix(part[4], ".")
}

// Remove returns how the volume, or the draft, whose directory is at a shown path goes
// whole. It is nil where no volume can be.
func (r *Rules) Remove(path string) mapping.Edit {
	place, ok := PlaceOf(path)
	if !ok || place.Config {
		return nil
	}
	return func(t *mapping.Tree) (plan mapping.Plan, err error) {
		dir := prefixOf(t) + ID{place.VPool, place.Volume}.dir()
		for kv := range t.Under(dir) {
			plan.Guards = append(plan.Guards, mapping.Guard{Key: kv.Key, ModRevision: kv.ModRevision})
			plan.Deletes = append(plan.Deletes, kv.Key)
		}
		if plan.Empty() {
			return plan, mapping.Errorf(mapping.NotFound, path, "there is no such volume")
		}
		return plan, nil
	}
}

// First are the fields that come first in the listing of a volume's configuration: so a
// removal of all of them begins with what makes it the volume's.
func (r *Rules) First(dir string) []string {
	if place, ok := PlaceOf(dir); ok && place.Config {
		return required
	}
	return nil
}
