package cache

import (
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// etcd bounds the compares and the operations of a transaction together along each path of
// nested transactions: the larger of both numbers, summed over the levels, is at most
// --max-txn-ops (server, v3rpc/key.go checkTxnRequest). Compares have to be on the top
// level, because a nested transaction that fails does not undo the others.
const (
	maxTxnOps   = 128 // etcd's default
	maxCompares = 100 // leaves 28 for four levels of 7: 240,100 operations
)

// transaction is a plan as etcd takes it.
type transaction struct {
	request *pb.TxnRequest
	// ranges are the places of the range deletes among the operations, in the order of
	// Plan.DeleteRanges.
	ranges []int
}

// newTransaction turns a plan made on tree into one transaction. It reports
// false when no nesting carries its operations.
func newTransaction(plan *mapping.Plan, tree *mapping.Tree) (*transaction, bool) {
	t := &transaction{request: &pb.TxnRequest{Compare: compares(plan, tree)}}
	operations := make([]*pb.RequestOp, 0, len(plan.DeleteRanges)+len(plan.Deletes)+len(plan.Puts))
	for _, r := range plan.DeleteRanges {
		t.ranges = append(t.ranges, len(operations))
		operations = append(operations, deleteOp(r.Prefix, clientv3.GetPrefixRangeEnd(r.Prefix)))
	}
	for _, key := range plan.Deletes {
		operations = append(operations, deleteOp(key, ""))
	}
	for i := range plan.Puts {
		put := &plan.Puts[i]
		operations = append(operations, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{
			RequestPut: &pb.PutRequest{Key: []byte(put.Key), Value: put.Value, Lease: put.Lease},
		}})
	}
	var ok bool
	t.request.Success, ok = nest(operations, len(t.request.Compare))
	return t, ok
}

func deleteOp(key, end string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
		RequestDeleteRange: &pb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)},
	}}
}

// nest groups operations into nested transactions, with as few levels as hold
// them beside that many compares. Their order stays.
func nest(operations []*pb.RequestOp, compares int) ([]*pb.RequestOp, bool) {
	if len(operations) <= maxTxnOps {
		return operations, true
	}
	top := max(compares, maxTxnOps/4)
	for levels := 1; levels <= 4; levels++ {
		width := (maxTxnOps - top) / levels
		capacity := top
		for range levels {
			capacity *= width
		}
		if capacity < len(operations) {
			continue
		}
		for range levels {
			groups := make([]*pb.RequestOp, 0, len(operations)/width+1)
			for group := range slices.Chunk(operations, width) {
				groups = append(groups, &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: &pb.TxnRequest{Success: group}}})
			}
			operations = groups
		}
		return operations, true
	}
	return nil, false
}

// compares are the conditions under which the plan may be carried out.
//
// A key that is guarded by a compare of its own may neither have changed nor gone. There
// is room for maxCompares of these; the guards beyond share a compare over the range that
// they lie in, that nothing in it is newer than the tree. It also fails for a change of
// another key there, which costs a retry, and it does not see that a key was deleted.
func compares(plan *mapping.Plan, tree *mapping.Tree) []*pb.Compare {
	var all []*pb.Compare
	for _, prefix := range plan.Absent {
		all = append(all, &pb.Compare{
			Result: pb.Compare_EQUAL, Target: pb.Compare_CREATE, TargetUnion: &pb.Compare_CreateRevision{CreateRevision: 0},
			Key: []byte(prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(prefix)),
		})
	}
	for _, prefix := range plan.Unchanged {
		all = append(all, notNewer(prefix, clientv3.GetPrefixRangeEnd(prefix), tree.Revision()))
	}
	guards := slices.Clone(plan.Guards)
	for _, r := range plan.DeleteRanges {
		all = append(all, notNewer(r.Prefix, clientv3.GetPrefixRangeEnd(r.Prefix), r.MaxModRevision))
		// Above the room the number of keys that were deleted tells whether one had gone (Commit).
		if r.Count <= int64(maxCompares-len(all)-len(guards)) {
			for kv := range inRange(tree, r.Prefix) {
				guards = append(guards, mapping.Guard{Key: kv.Key, ModRevision: kv.ModRevision})
			}
		}
	}
	slices.SortFunc(guards, func(a, b mapping.Guard) int { return strings.Compare(a.Key, b.Key) })
	guards = slices.CompactFunc(guards, func(a, b mapping.Guard) bool { return a == b })
	if room := max(0, maxCompares-len(all)); len(guards) > room {
		exact := max(0, room-1)
		rest := guards[exact:]
		all = append(all, notNewer(rest[0].Key, rest[len(rest)-1].Key+"\x00", tree.Revision()))
		guards = guards[:exact]
	}
	for _, guard := range guards {
		all = append(all, &pb.Compare{
			Result: pb.Compare_EQUAL, Target: pb.Compare_MOD, TargetUnion: &pb.Compare_ModRevision{ModRevision: guard.ModRevision},
			Key: []byte(guard.Key),
		})
	}
	return all
}

func notNewer(key, end string, revision int64) *pb.Compare {
	return &pb.Compare{
		Result: pb.Compare_LESS, Target: pb.Compare_MOD, TargetUnion: &pb.Compare_ModRevision{ModRevision: revision + 1},
		Key: []byte(key), RangeEnd: []byte(end),
	}
}

// deleted returns how many keys each of the plan's ranges lost, and whether the
// transaction changed anything.
func (t *transaction) deleted(plan *mapping.Plan, response *pb.TxnResponse) (ranges []int64, changed bool) {
	var answers []*pb.ResponseOp
	var flatten func([]*pb.ResponseOp)
	flatten = func(responses []*pb.ResponseOp) {
		for _, r := range responses {
			if inner := r.GetResponseTxn(); inner != nil {
				flatten(inner.Responses)
			} else {
				answers = append(answers, r)
			}
		}
	}
	flatten(response.Responses)
	changed = len(plan.Puts) > 0
	for _, answer := range answers {
		if answer.GetResponseDeleteRange().GetDeleted() > 0 {
			changed = true
		}
	}
	for _, place := range t.ranges {
		ranges = append(ranges, answers[place].GetResponseDeleteRange().GetDeleted())
	}
	return ranges, changed
}
