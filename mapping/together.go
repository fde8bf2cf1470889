package mapping

import "time"

// Together plans several edits as one change, each on the tree that the ones
// before it made. It fails as the first of them that does.
func Together(edits ...Edit) Edit {
	return func(t *Tree) (Plan, error) {
		now := t
		var touched []string
		var read []Guard
		for _, e := range edits {
			plan, err := e(now)
			if err != nil {
				return Plan{}, err
			}
			for _, g := range plan.Guards {
				// Others guard what an edit before this one made.
				if kv, _ := t.Get(g.Key); kv.ModRevision == g.ModRevision {
					read = append(read, g)
				}
			}
			var keys []string
			now, keys = now.With(&plan, time.Time{})
			touched = append(touched, keys...)
		}
		plan, err := Merge(t, now, touched)(t)
		if err != nil || plan.Empty() {
			return plan, err
		}
		guarded := map[string]bool{}
		for _, g := range plan.Guards {
			guarded[g.Key] = true
		}
		for _, g := range read {
			if !guarded[g.Key] {
				guarded[g.Key] = true
				plan.Guards = append(plan.Guards, g)
			}
		}
		return plan, nil
	}
}
