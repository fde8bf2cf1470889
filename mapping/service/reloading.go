package service

import (
	"slices"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Reloading is an edit that makes mine of base, and in the same change adds one to the
// counter of each service whose configuration differs between the two. A counter that mine has itself
// changed stays as it is there. The addition is to what the counter says by then.
//
// Errors are those of edit and Touch.
func Reloading(edit mapping.Edit, base, mine *mapping.Tree) mapping.Edit {
	var counters []string
	for _, s := range Changed(base, mine) {
		was, counted := Count(base, s.Reload)
		if is, ok := Count(mine, s.Reload); ok == counted && is == was { // what is no counter is for Touch to refuse
			counters = append(counters, s.Reload)
		}
	}
	return func(t *mapping.Tree) (mapping.Plan, error) {
		plan, err := edit(t)
		if err != nil || plan.Empty() || len(counters) == 0 {
			return plan, err
		}
		now, _ := t.With(&plan, time.Time{})
		for _, path := range counters {
			dir, _ := At(path[:len(path)-len("/reload")])
			if _, there := now.Lookup(dir.Dir); !there {
				continue // the change has removed the service
			}
			one, err := Touch(path, 1)(now)
			if err != nil {
				return mapping.Plan{}, err
			}
			add(&plan, &one)
			now, _ = now.With(&one, time.Time{})
		}
		return plan, nil
	}
}

// add makes a plan for the tree that comes of plan a part of plan.
func add(plan, more *mapping.Plan) {
	planned := func(key string) int {
		return slices.IndexFunc(plan.Puts, func(p mapping.Put) bool { return p.Key == key })
	}
	for _, guard := range more.Guards {
		if planned(guard.Key) < 0 {
			plan.Guards = append(plan.Guards, guard)
		}
	}
	plan.Absent = append(plan.Absent, more.Absent...)
	for _, put := range more.Puts {
		if k := planned(put.Key); k >= 0 {
			plan.Puts[k] = put
		} else {
			plan.Puts = append(plan.Puts, put)
		}
	}
}
