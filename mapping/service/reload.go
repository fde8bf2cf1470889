package service

import (
	"math"
	"strconv"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Count is what the counter at a path says; one that is not there is 0. It is
// false for a value that is no counter.
func Count(t *mapping.Tree, path string) (int64, bool) {
	node, ok := t.Lookup(path)
	if !ok {
		return 0, true
	}
	content := string(node.Content())
	if n := len(content); n > 0 && content[n-1] == '\n' {
		content = content[:n-1]
	}
	count, err := strconv.ParseInt(content, 10, 64)
	return count, !node.IsDir() && err == nil && count >= 0
}

// Touch plans the counter at a path to be so much more than it is by then.
//
// Errors: Invalid if what is there is no counter; those of mapping.Write.
func Touch(path string, times int64) mapping.Edit {
	return func(t *mapping.Tree) (mapping.Plan, error) {
		count, ok := Count(t, path)
		if !ok || count > math.MaxInt64-times {
			return mapping.Plan{}, mapping.Errorf(mapping.Invalid, path, "is no counter that can be raised: write a number to it (echo 1 > reload)")
		}
		var o mapping.WriteOptions
		if _, there := t.Lookup(path); !there {
			o.Type = mapping.Number
		}
		return mapping.Write(path, strconv.AppendInt(nil, count+times, 10), o)(t)
	}
}

// Changed are the services whose configuration differs between two trees, in
// the order of their paths.
func Changed(old, now *mapping.Tree) []Service {
	var list []Service
	seen := map[string]bool{}
	for d := range mapping.Diff(old, now, "") {
		if s, ok := OfConfig(d.Path); ok && !seen[s.Dir] {
			seen[s.Dir] = true
			list = append(list, s)
		}
	}
	return list
}
