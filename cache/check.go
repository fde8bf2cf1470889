package cache

import (
	"math"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// A key that is guarded may neither have changed nor gone: it is compared by itself. The
// top level of a transaction has room for maxCompares of these. More are in nested transactions of checkWidth
// compares. One that fails there does not undo the others by itself, so it reads a revision that cannot be: etcd
// evaluates all compares, and looks whether what they lead to can be done, before it changes
// anything, and refuses the whole transaction as ErrFutureRev (server, etcdserver/txn checkTxn; held by
// TestManyGuards).

// checkWidth is how many compares such a nested transaction has.
const checkWidth = 32

// checks are nested transactions that refuse the whole one unless the guards hold.
func checks(guards []mapping.Guard) []*pb.RequestOp {
	impossible := []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{
		RequestRange: &pb.RangeRequest{Key: []byte(guards[0].Key), Revision: math.MaxInt64, CountOnly: true},
	}}}
	groups := make([]*pb.RequestOp, 0, len(guards)/checkWidth+1)
	for group := range slices.Chunk(guards, checkWidth) {
		groups = append(groups, nested(&pb.TxnRequest{Compare: exact(group), Failure: impossible}))
	}
	return groups
}

// exact compares each key by itself.
func exact(guards []mapping.Guard) []*pb.Compare {
	all := make([]*pb.Compare, len(guards))
	made := make([]struct {
		compare  pb.Compare
		revision pb.Compare_ModRevision
	}, len(guards))
	for i := range made {
		m := &made[i]
		m.revision.ModRevision = guards[i].ModRevision
		m.compare.Result, m.compare.Target, m.compare.TargetUnion = pb.Compare_EQUAL, pb.Compare_MOD, &m.revision
		m.compare.Key = []byte(guards[i].Key)
		all[i] = &m.compare
	}
	return all
}

// guards are the keys that the plan has read or removes, each once and in order.
func guards(plan *mapping.Plan, tree *mapping.Tree) []mapping.Guard {
	n := len(plan.Guards)
	for _, r := range plan.DeleteRanges {
		n += int(r.Count)
	}
	all := append(make([]mapping.Guard, 0, n), plan.Guards...)
	for _, r := range plan.DeleteRanges {
		for kv := range inRange(tree, r.Prefix) {
			all = append(all, mapping.Guard{Key: kv.Key, ModRevision: kv.ModRevision})
		}
	}
	byKey := func(a, b mapping.Guard) int { return strings.Compare(a.Key, b.Key) }
	if !slices.IsSortedFunc(all, byKey) {
		slices.SortFunc(all, byKey)
	}
	return slices.CompactFunc(all, func(a, b mapping.Guard) bool { return a == b })
}

// conditions are the compares that are no guards: what must be absent or present, and that
// nothing came to what is removed.
func conditions(plan *mapping.Plan, tree *mapping.Tree) []*pb.Compare {
	var all []*pb.Compare
	for _, key := range plan.Present {
		all = append(all, &pb.Compare{
			Result: pb.Compare_GREATER, Target: pb.Compare_CREATE, TargetUnion: &pb.Compare_CreateRevision{CreateRevision: 0},
			Key: []byte(key),
		})
	}
	for _, prefix := range plan.Absent {
		all = append(all, &pb.Compare{
			Result: pb.Compare_EQUAL, Target: pb.Compare_CREATE, TargetUnion: &pb.Compare_CreateRevision{CreateRevision: 0},
			Key: []byte(prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(prefix)),
		})
	}
	for _, prefix := range plan.Unchanged {
		all = append(all, notNewer(prefix, clientv3.GetPrefixRangeEnd(prefix), tree.Revision()))
	}
	for _, r := range plan.DeleteRanges {
		all = append(all, notNewer(r.Prefix, clientv3.GetPrefixRangeEnd(r.Prefix), r.MaxModRevision))
	}
	return all
}

// questions are asked when a compare has failed: which of the present keys are there.
func questions(plan *mapping.Plan) []*pb.RequestOp {
	var all []*pb.RequestOp
	for _, key := range plan.Present {
		all = append(all, &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: []byte(key), CountOnly: true}}})
	}
	return all
}

// tooTight reports whether a transaction was refused as too large by a server that takes less than
// this mount's limit, and may be taken without its checks.
func (c *Cache) tooTight(t *transaction, err error) bool {
	return t.checks && err != nil && mapping.KindOf(c.refusal(err, nil)) == mapping.TooLarge
}

// lockLost is the error of a plan whose compares have failed if one of its present keys is not there.
func lockLost(plan *mapping.Plan, response *pb.TxnResponse) error {
	for i := range plan.Present {
		if i < len(response.Responses) && response.Responses[i].GetResponseRange().GetCount() == 0 {
			return mapping.Errorf(mapping.LockLost, "", "not written: the lock on this file was lost, because etcd had not heard from this mount for its time (--lock-ttl), and others may have changed what it guards: lock again, or close the file, and read anew")
		}
	}
	return nil
}

// roughly are the compares of a transaction with more guards than there is room for: those that do
// not fit share a compare over their range. It also fails for a change of
// another key there, which costs a retry, and it does not see that a key was deleted; of those in
// a range that is deleted, the number of deleted keys tells afterwards (Commit).
func roughly(conditions []*pb.Compare, guards []mapping.Guard, tree *mapping.Tree) []*pb.Compare {
	fit := max(0, maxCompares-len(conditions)-1)
	all := slices.Clone(conditions)
	return append(append(all, rangeOf(guards[fit:], tree)), exact(guards[:fit])...)
}

// rangeOf is the compare that nothing in the range of the guards is newer than the tree.
func rangeOf(guards []mapping.Guard, tree *mapping.Tree) *pb.Compare {
	return notNewer(guards[0].Key, guards[len(guards)-1].Key+"\x00", tree.Revision())
}

func notNewer(key, end string, revision int64) *pb.Compare {
	return &pb.Compare{
		Result: pb.Compare_LESS, Target: pb.Compare_MOD, TargetUnion: &pb.Compare_ModRevision{ModRevision: revision + 1},
		Key: []byte(key), RangeEnd: []byte(end),
	}
}
