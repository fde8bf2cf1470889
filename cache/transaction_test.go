package cache

import (
	"fmt"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// budget is what etcd counts of a transaction: along each path of nested ones the
// larger of the numbers of compares and operations (checkTxnRequest in server, v3rpc/key.go).
func budget(request *pb.TxnRequest) int {
	deepest := 0
	for _, op := range request.Success {
		if inner := op.GetRequestTxn(); inner != nil {
			deepest = max(deepest, budget(inner))
		}
	}
	return max(len(request.Compare), len(request.Success), len(request.Failure)) + deepest
}

// compared lists all compares of a transaction.
func compared(request *pb.TxnRequest) []*pb.Compare {
	all := request.Compare
	for _, op := range request.Success {
		if inner := op.GetRequestTxn(); inner != nil {
			all = append(all[:len(all):len(all)], compared(inner)...)
		}
	}
	return all
}

// puts lists the keys that a transaction puts, in its order.
func puts(request *pb.TxnRequest, to []string) []string {
	for _, op := range request.Success {
		if inner := op.GetRequestTxn(); inner != nil {
			to = puts(inner, to)
		} else if op.GetRequestPut() != nil {
			to = append(to, string(op.GetRequestPut().Key))
		}
	}
	return to
}

func tree(t testing.TB, keys int) *mapping.Tree {
	t.Helper()
	empty, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	var changes []mapping.Change
	for i := range keys {
		changes = append(changes, mapping.Change{KV: mapping.KV{Key: fmt.Sprintf("/ovs/d/%06d", i), ModRevision: int64(i + 2)}})
	}
	full, _ := empty.Apply(int64(keys+5), empty.Root().Seen(), changes)
	return full
}

func TestTransactionFitsEtcdsLimits(t *testing.T) {
	for _, n := range []int{1, 99, 100, 101, 127, 128, 129, 500, 3_000, 30_000} {
		for _, guards := range []int{0, 32, 100, 101, 1_000, 30_000} {
			var plan mapping.Plan
			for i := range n {
				plan.Puts = append(plan.Puts, mapping.Put{Key: fmt.Sprint(i)})
			}
			for i := range guards {
				plan.Guards = append(plan.Guards, mapping.Guard{Key: fmt.Sprintf("/g/%06d", i), ModRevision: 1})
			}
			transaction, ok := newTransaction(&plan, tree(t, 0), 64<<20)
			if !ok {
				t.Errorf("%d puts with %d guards cannot be nested", n, guards)
				continue
			}
			if size := proto.Size(transaction.request); size > transaction.most {
				t.Errorf("%d puts with %d guards have %d bytes, which are said to be %d at most", n, guards, size, transaction.most)
			}
			if used := budget(transaction.request); used > maxTxnOps {
				t.Errorf("%d puts with %d guards use %d of %d", n, guards, used, maxTxnOps)
			}
			if found := compared(transaction.request); len(found) != guards {
				t.Errorf("%d puts: %d of %d guards are compared", n, len(found), guards)
			}
			got := puts(transaction.request, nil)
			if len(got) != n {
				t.Fatalf("%d of %d puts are left", len(got), n)
			}
			for i, key := range got {
				if key != fmt.Sprint(i) {
					t.Fatalf("%d puts: the %d-th is %s", n, i, key)
				}
			}
		}
	}
}

func TestCompares(t *testing.T) {
	for _, test := range []struct {
		name          string
		keys, guards  int
		limit         int
		exact, ranges int
	}{
		{"small directory: every key and the whole", 50, 1, 1 << 20, 51, 2},
		{"large directory: the same", 5_000, 1, 1 << 20, 5_001, 2},
		{"many guards", 200, 300, 1 << 20, 500, 2},
		{"the same guard twice", 0, -1, 1 << 20, 1, 2},
		{"no room: those beyond share one", 200, 300, 0, maxCompares - 3, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan := mapping.Plan{Absent: []string{"/ovs/to/"}, DeleteRanges: []mapping.Range{{Prefix: "/ovs/d/", Count: int64(test.keys), MaxModRevision: 500}}}
			for i := range test.guards {
				plan.Guards = append(plan.Guards, mapping.Guard{Key: fmt.Sprintf("/ovs/g/%04d", i), ModRevision: 1})
			}
			if test.guards < 0 {
				plan.Guards = []mapping.Guard{{Key: "/ovs/a", ModRevision: 3}, {Key: "/ovs/a", ModRevision: 3}}
			}
			exact, ranges := 0, 0
			transaction, ok := newTransaction(&plan, tree(t, test.keys), test.limit)
			if !ok || budget(transaction.request) > maxTxnOps {
				t.Fatalf("%v, %d", ok, budget(transaction.request))
			}
			for _, c := range compared(transaction.request) {
				if len(c.RangeEnd) == 0 {
					exact++
				} else {
					ranges++
				}
			}
			if exact != test.exact || ranges != test.ranges {
				t.Errorf("%d of one key and %d of ranges, want %d and %d", exact, ranges, test.exact, test.ranges)
			}
		})
	}
}

// TestRoomForGuards: the nearer the request comes to the limit the fewer keys are compared one by
// one, and it never goes over it because of them.
func TestRoomForGuards(t *testing.T) {
	const keys = 3_000
	shown := tree(t, keys)
	plan := mapping.Plan{DeleteRanges: []mapping.Range{{Prefix: "/ovs/d/", Count: keys, MaxModRevision: keys + 5}}}
	for kv := range shown.Under("/ovs/d") {
		plan.Puts = append(plan.Puts, mapping.Put{Key: "/ovs/to/" + kv.Key, Value: kv.Value})
	}
	least, _ := newTransaction(&plan, shown, 0)
	whole, _ := newTransaction(&plan, shown, 1<<30)
	from, to := proto.Size(least.request), proto.Size(whole.request)
	before := 0
	for limit := from; limit <= to; limit += (to - from) / 10 {
		transaction, ok := newTransaction(&plan, shown, limit)
		if !ok || proto.Size(transaction.request) > limit || budget(transaction.request) > maxTxnOps {
			t.Fatalf("limit %d: %v, %d bytes", limit, ok, proto.Size(transaction.request))
		}
		found := len(compared(transaction.request))
		if found < before {
			t.Errorf("limit %d: %d compares, less than before", limit, found)
		}
		before = found
	}
	if before < keys*9/10 {
		t.Errorf("%d compares with nearly all the room", before)
	}
}

func FuzzNest(f *testing.F) {
	f.Add(uint32(5), uint8(1))
	f.Add(uint32(129), uint8(100))
	f.Add(uint32(54_000), uint8(99))
	f.Fuzz(func(t *testing.T, n uint32, guards uint8) {
		if n > 100_000 || guards > maxCompares {
			t.Skip()
		}
		operations := make([]*pb.RequestOp, n)
		for i := range operations {
			operations[i] = &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{}}}
		}
		nested, ok := nest(operations, int(guards))
		request := &pb.TxnRequest{Compare: make([]*pb.Compare, guards), Success: nested}
		if !ok || budget(request) > maxTxnOps || len(puts(request, nil)) != int(n) {
			t.Errorf("%d operations beside %d compares: %v, budget %d", n, guards, ok, budget(request))
		}
	})
}
