package volume

import (
	"reflect"
	"slices"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Whole reports whether the value of a key may be stored: the key is none of a
// volume's configuration, or the value has all that a volume needs. A volume that is
// published needs its required fields, and a draft needs them filled and a UUID for its name.
func (*Rules) Whole(t *mapping.Tree, key string, value []byte) bool {
	rest, below := relative(t, key)
	id, is := OfConfigKey(rest)
	if !is || !below {
		return true
	}
	c, err := parseConfig(value)
	if err != nil {
		return IsID(id.Volume) // and Plan says what is wrong
	}
	if _, published := t.Get(key); published {
		return len(c.missing()) == 0
	}
	return IsID(id.Volume) && len(c.unset()) == 0
}

// Lacks names in words what a value lacks to be stored.
func (*Rules) Lacks(value []byte) string {
	c, err := parseConfig(value)
	if err != nil {
		return "a configuration that is JSON"
	}
	return strings.Join(c.unset(), ", ")
}

// Draft holds the value of a draft against the rules, as far as it is filled in.
// t is the tree without drafts. Errors are those of Plan.
func (r *Rules) Draft(t *mapping.Tree, key string, before, after []byte) error {
	id, is := OfConfigKey(strings.TrimPrefix(key, prefixOf(t)))
	if !is {
		return nil
	}
	a := act{id: id, key: key, has: true, creates: true, after: after}
	a.path, _ = t.PathOf(key)
	if !IsID(id.Volume) && !isDraftName(id.Volume) {
		return mapping.Errorf(mapping.Invalid, a.path, "a volume is named by a UUID in lower case (uuidgen makes one), and a draft of one by a name that begins with a dot")
	}
	var err error
	if a.is, err = parseConfig(after); err != nil {
		return mapping.Errorf(mapping.Invalid, a.path, "a volume's configuration is a JSON object")
	}
	if before != nil {
		a.was, _ = parseConfig(before)
	}
	unset := a.is.unset()
	for _, p := range r.known.Validate(a.path, a.is.without(unset)) {
		if p.Rule != "required" && p.Rule != "snapshot-without-parent" {
			return refused(p)
		}
	}
	c := checking{rules: r, tree: t, plan: &mapping.Plan{}, acts: []act{a}}
	changed := func(field string) bool {
		return !slices.Contains(unset, field) && a.was.text(field) != a.is.text(field)
	}
	if changed(fieldRouter) {
		if err := c.router(&a); err != nil {
			return err
		}
	}
	if changed(fieldPath) {
		return c.path(&a)
	}
	return nil
}

// Contains reports whether a stored configuration has all that a draft says.
func (*Rules) Contains(stored, draft []byte) bool {
	has, err := parseConfig(stored)
	if err != nil {
		return false
	}
	says, err := parseConfig(draft)
	if err != nil {
		return false
	}
	for name, value := range says.values {
		if value != nil && value != "" && !reflect.DeepEqual(value, has.values[name]) {
			return false
		}
	}
	return true
}
