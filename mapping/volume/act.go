package volume

import (
	"bytes"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// act is what a plan does to one volume.
type act struct {
	id                 ID
	key                string
	path               string // the shown path of the key
	before, after      []byte // as stored
	had, has           bool
	was, is            config // before and after; was is empty if before is not JSON
	creates, deletes   bool
	retouched, invalid bool
}

// actsOf finds the acts in a plan, in the order of the plan. It refuses what is not the
// users' to write.
func actsOf(t *mapping.Tree, plan *mapping.Plan) (acts []act, err error) {
	for _, put := range plan.Puts {
		id, is, err := placeOf(t, put.Key, false)
		if err != nil {
			return nil, err
		}
		if is {
			acts = append(acts, newAct(t, id, put.Key, put.Value))
		}
	}
	gone := func(key string) error {
		id, is, err := placeOf(t, key, true)
		if is && err == nil {
			acts = append(acts, newAct(t, id, key, nil))
		}
		return err
	}
	for _, key := range plan.Deletes {
		if err := gone(key); err != nil {
			return nil, err
		}
	}
	for _, r := range plan.DeleteRanges {
		for kv := range t.Under(strings.TrimSuffix(r.Prefix, "/")) {
			if err := gone(kv.Key); err != nil {
				return nil, err
			}
		}
	}
	return acts, nil
}

func newAct(t *mapping.Tree, id ID, key string, after []byte) act {
	a := act{id: id, key: key, after: after, has: after != nil}
	a.path, _ = t.PathOf(key)
	kv, had := t.Get(key)
	a.before, a.had = kv.Value, had
	if had {
		a.was, _ = parseConfig(a.before)
	}
	if a.has {
		var err error
		a.is, err = parseConfig(a.after)
		a.invalid = err != nil
	}
	a.creates, a.deletes = !a.had && a.has, a.had && !a.has
	a.retouched = a.had && a.has && bytes.Equal(a.before, a.after)
	return a
}

// placeOf tells what a key below vpool is. is: a volume's configuration.
func placeOf(t *mapping.Tree, key string, removed bool) (id ID, is bool, err error) {
	rest, ok := relative(t, key)
	if !ok || rest != "vpool" && !strings.HasPrefix(rest, "vpool/") {
		return id, false, nil // as most keys are: each of each change is asked about
	}
	if id, is = OfConfigKey(rest); is {
		return id, true, nil
	}
	part := strings.Split(rest, "/")
	path, _ := t.PathOf(key)
	switch {
	case len(part) < 3, len(part) == 3 && (part[2] == "volumes" || part[2] == "lifecycle" || part[2] == "status"):
		if _, there := t.Get(key); !there && !removed {
			return id, false, mapping.Errorf(mapping.NotPermitted, path, "is a directory of keys, which the volumes' agents look for: it cannot be one document")
		}
		return id, false, nil
	case len(part) == 3:
		return id, false, nil
	}
	switch part[2] {
	case "lifecycle", "status":
		return id, false, mapping.Errorf(mapping.NotPermitted, path, "is written with the volume's config, and by the agent: change the config")
	case "volumes":
		if _, there := t.Get(key); !there && !removed {
			return id, false, mapping.Errorf(mapping.NotPermitted, path, "a volume is a directory named by its UUID that holds config, and nothing else belongs there: mkdir vpool/%s/volumes/UUID", part[1])
		}
	}
	return id, false, nil
}

func prefixOf(t *mapping.Tree) string { return t.Settings().Prefix + "/" }

// relative is a key without the prefix.
func relative(t *mapping.Tree, key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, t.Settings().Prefix)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(rest, "/")
}
