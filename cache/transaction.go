package cache

import (
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// etcd bounds the compares and the operations of a transaction together along each path of
// nested transactions: the larger of both numbers, summed over the levels, is at most
// --max-txn-ops (server, v3rpc/key.go checkTxnRequest).
const (
	maxTxnOps   = 128 // etcd's default
	maxCompares = 100 // on the top level; leaves 28 for four levels of 7: 240,100 operations
	topWidth    = 32  // of the top level where there are more guards than that
)

// transaction is a plan as etcd takes it.
type transaction struct {
	request *pb.TxnRequest
	// ranges are the places of the range deletes among the operations, in the order of
	// Plan.DeleteRanges.
	ranges []int
	// checks: some guards are in nested transactions (check.go).
	checks bool
	// most is a size that the request does not exceed.
	most int
}

// within reports whether the request has at most limit bytes. It is only counted where that is
// not plain: to count takes as long as to encode.
func (t *transaction) within(limit int) bool {
	return t.most <= limit || proto.Size(t.request) <= limit
}

// mostBytes is a size that no transaction of a plan exceeds.
func mostBytes(plan *mapping.Plan, conditions []*pb.Compare, guards []mapping.Guard) int {
	// The fields of an operation or a compare beside its keys and value, with what nesting adds, take
	// less than this. One key more for the question in each nested transaction of guards.
	const each = 96
	n := each
	for _, c := range conditions {
		n += each + len(c.Key) + len(c.RangeEnd)
	}
	for i := range guards {
		n += each + len(guards[i].Key)
		if i%checkWidth == 0 {
			n += each + len(guards[i].Key)
		}
	}
	for _, r := range plan.DeleteRanges {
		n += each + 2*len(r.Prefix)
	}
	for _, key := range plan.Deletes {
		n += each + len(key)
	}
	for _, key := range plan.Present {
		n += each + len(key)
	}
	for i := range plan.Puts {
		n += each + len(plan.Puts[i].Key) + len(plan.Puts[i].Value)
	}
	return n
}

// newTransaction turns a plan made on tree into one transaction. All keys that
// it guards or removes are compared one by one as long as the request then stays below limit
// bytes. It reports false when no nesting carries the operations.
func newTransaction(plan *mapping.Plan, tree *mapping.Tree, limit int) (*transaction, bool) {
	t := &transaction{}
	operations := make([]*pb.RequestOp, 0, len(plan.DeleteRanges)+len(plan.Deletes)+len(plan.Puts))
	for _, r := range plan.DeleteRanges {
		t.ranges = append(t.ranges, len(operations))
		operations = append(operations, deleteOp(r.Prefix, clientv3.GetPrefixRangeEnd(r.Prefix)))
	}
	for _, key := range plan.Deletes {
		operations = append(operations, deleteOp(key, ""))
	}
	operations = append(operations, putOps(plan)...)
	conditions, guards := conditions(plan, tree), guards(plan, tree)
	t.most = mostBytes(plan, conditions, guards)
	if len(conditions)+len(guards) <= maxCompares {
		return t, t.make(plan, append(conditions, exact(guards)...), operations, nil)
	}
	if len(conditions) <= topWidth {
		if t.make(plan, conditions, operations, guards) {
			if t.within(limit) {
				return t, true
			}
			size := proto.Size(t.request)
			// As many as there is room for, and the others by their range.
			each := (size-proto.Size(&pb.TxnRequest{Compare: conditions, Success: operations}))/len(guards) + 1
			if fit := len(guards) - (size-limit)/each - len(guards)/20 - 1; fit > maxCompares {
				rest := rangeOf(guards[fit:], tree)
				if t.make(plan, append(conditions, rest), operations, guards[:fit]) && t.within(limit) {
					return t, true
				}
			}
		}
	}
	return t, t.make(plan, roughly(conditions, guards, tree), operations, nil)
}

// make makes the request of compares on the top level, guards in nested
// transactions, and operations.
func (t *transaction) make(plan *mapping.Plan, compares []*pb.Compare, operations []*pb.RequestOp, guards []mapping.Guard) bool {
	t.request = &pb.TxnRequest{Compare: compares, Failure: questions(plan)}
	t.checks = len(guards) > 0
	var ok bool
	if !t.checks {
		t.request.Success, ok = nest(operations, len(compares))
		return ok
	}
	checks, ok := packed(checks(guards), topWidth/2, maxTxnOps-topWidth-checkWidth)
	if !ok {
		return false
	}
	if operations, ok = packed(operations, topWidth/2, maxTxnOps-topWidth); !ok {
		return false
	}
	t.request.Success = append(checks, operations...)
	return true
}

// putOps are the plan's puts as operations, of which a move has many: they are made together.
func putOps(plan *mapping.Plan) []*pb.RequestOp {
	all := make([]*pb.RequestOp, len(plan.Puts))
	made := make([]struct {
		operation pb.RequestOp
		request   pb.RequestOp_RequestPut
		put       pb.PutRequest
	}, len(plan.Puts))
	for i := range made {
		m, put := &made[i], &plan.Puts[i]
		m.put.Key, m.put.Value, m.put.Lease = []byte(put.Key), put.Value, put.Lease
		m.request.RequestPut = &m.put
		m.operation.Request = &m.request
		all[i] = &m.operation
	}
	return all
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
	return packed(operations, top, maxTxnOps-top)
}

// packed groups operations so that at most width remain, with as few levels below as hold
// them when the widths of these may be room together.
func packed(operations []*pb.RequestOp, width, room int) ([]*pb.RequestOp, bool) {
	for levels := range 5 {
		below := room
		if levels > 0 {
			below = room / levels
		}
		capacity := width
		for range levels {
			capacity *= below
		}
		if capacity < len(operations) {
			continue
		}
		for range levels {
			groups := make([]*pb.RequestOp, 0, len(operations)/below+1)
			for group := range slices.Chunk(operations, below) {
				groups = append(groups, nested(&pb.TxnRequest{Success: group}))
			}
			operations = groups
		}
		return operations, true
	}
	return nil, false
}

func nested(request *pb.TxnRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: request}}
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
