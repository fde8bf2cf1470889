package catalogue

import (
	"slices"
	"strconv"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Worse returns the problems that a plan would make in the values that it puts,
// and which they do not have now. A problem that a value has already is none of
// the plan's, also when it moves with the value to another key or another place
// in its list. What an empty object or array lacks that the plan makes is not
// held against it: it is about to be filled.
func (c *Catalogue) Worse(t *mapping.Tree, plan mapping.Plan) []Problem {
	var worse []Problem
	var moved map[string]string
	unknown := "/" // a directory of keys in which no pattern leads to anything
	for _, put := range plan.Puts {
		last := strings.LastIndexByte(put.Key, '/')
		dir := put.Key[:max(last, 0)]
		if dir == unknown {
			continue // as the keys of most directories are
		}
		path, ok := t.PathOf(put.Key)
		if !ok {
			continue
		}
		if _, known := c.locate(path); !known {
			if above, ok := t.PathOf(dir); ok {
				if _, known := c.locate(above); !known {
					unknown = dir
				}
			}
			continue
		}
		if plan.Move && moved == nil {
			moved = moving(t, plan)
		}
		kv, had := t.Get(put.Key)
		was := path
		if source, ok := moved[string(put.Value)]; ok && !had {
			kv, had = t.Get(source)
			was, _ = t.PathOf(source)
			if c.alike(was, path) {
				continue
			}
		}
		after := c.Validate(path, put.Value)
		if len(after) == 0 {
			continue
		}
		known := map[Problem]int{}
		if had {
			for _, p := range c.Validate(was, kv.Value) {
				known[p.kindAt(was)]++
			}
		}
		for _, p := range after {
			if k := p.kindAt(path); known[k] > 0 {
				known[k]--
				continue
			}
			if !c.filling(path, p, put.Value, kv.Value) {
				worse = append(worse, p)
			}
		}
	}
	return worse
}

// alike reports whether a value has the same problems at two paths.
func (c *Catalogue) alike(a, b string) bool {
	m, ok := c.match(a)
	n, same := c.match(b)
	return ok == same && m.entry == n.entry && ok && slices.Equal(m.fields, n.fields)
}

// moving are the keys that a rename takes away, by value.
func moving(t *mapping.Tree, plan mapping.Plan) map[string]string {
	keys := map[string]string{}
	for _, key := range plan.Deletes {
		if kv, ok := t.Get(key); ok {
			keys[string(kv.Value)] = key
		}
	}
	for _, r := range plan.DeleteRanges {
		for kv := range t.Under(strings.TrimSuffix(r.Prefix, "/")) {
			keys[string(kv.Value)] = kv.Key
		}
	}
	return keys
}

// kindAt is what makes two problems the same one: the rule, the place in the
// value but for the numbers of elements, and the value that is wrong, unless
// that is a whole object or list, which is described by its size.
func (p Problem) kindAt(path string) Problem {
	place := strings.Split(strings.TrimPrefix(p.Path, path), "/")
	for i, name := range place {
		if _, err := strconv.Atoi(name); err == nil {
			place[i] = "*"
		}
	}
	k := Problem{Path: strings.Join(place, "/"), Rule: p.Rule, Value: p.Value}
	if strings.HasPrefix(p.Value, "an object of ") || strings.HasPrefix(p.Value, "an array of ") || p.Rule == "json" {
		k.Value = ""
	}
	return k
}

// filling reports whether a problem is of something that is missing in an
// object or array which is new and empty.
func (c *Catalogue) filling(path string, p Problem, after, before []byte) bool {
	way, ok := wayTo(path, p.Path)
	if !ok || p.Value != "" && p.Rule != "items" {
		return false
	}
	if p.Value == "" {
		if len(way) == 0 {
			return false
		}
		way = way[:len(way)-1]
	}
	doc, err := decode(after)
	if err != nil || !empty(inside(doc.value, way)) {
		return false
	}
	old, err := decode(before)
	return err != nil || inside(old.value, way) == nil
}

// wayTo is a path below another as field names.
func wayTo(path, below string) (way []string, ok bool) {
	if below == path {
		return nil, true
	}
	rest, ok := strings.CutPrefix(below, path+"/")
	if !ok {
		return nil, false
	}
	for shown := range strings.SplitSeq(rest, "/") {
		name, err := mapping.DecodeName(shown)
		if err != nil {
			return nil, false
		}
		way = append(way, name)
	}
	return way, true
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}
