package volume

import (
	"slices"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// KeepAnswers is an edit less what it does to requests and statuses. It is for changes
// of whole directories, such as a restore: what was asked for then, and what was
// answered, is not asked for and answered now.
func KeepAnswers(edit mapping.Edit) mapping.Edit {
	return func(t *mapping.Tree) (mapping.Plan, error) {
		plan, err := edit(t)
		if err != nil {
			return plan, err
		}
		plan.Puts = slices.DeleteFunc(slices.Clone(plan.Puts), func(p mapping.Put) bool { return isAnswer(t, p.Key) })
		plan.Deletes = slices.DeleteFunc(slices.Clone(plan.Deletes), func(key string) bool { return isAnswer(t, key) })
		ranges := plan.DeleteRanges
		plan.DeleteRanges = nil
		for _, r := range ranges {
			var keys []mapping.KV
			answers := false
			for kv := range t.Under(strings.TrimSuffix(r.Prefix, "/")) {
				if isAnswer(t, kv.Key) {
					answers = true
				} else {
					keys = append(keys, kv)
				}
			}
			if !answers {
				plan.DeleteRanges = append(plan.DeleteRanges, r)
				continue
			}
			for _, kv := range keys {
				plan.Deletes = append(plan.Deletes, kv.Key)
				plan.Guards = append(plan.Guards, mapping.Guard{Key: kv.Key, ModRevision: kv.ModRevision})
			}
		}
		return plan, nil
	}
}

func isAnswer(t *mapping.Tree, key string) bool {
	rest, _ := strings.CutPrefix(key, prefixOf(t))
	part := strings.SplitN(rest, "/", 4)
	return len(part) == 4 && part[0] == "vpool" && (part[2] == "lifecycle" || part[2] == "status")
}
