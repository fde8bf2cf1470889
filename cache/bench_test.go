package cache_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// fill stores n keys of about ten bytes each, ten to a directory.
func fill(e *etcd, n int) {
	const each = 2_500
	for from := 0; from < n; from += each {
		var ops []clientv3.Op
		for i := from; i < min(n, from+each); i++ {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/ovs/%03d/%03d/%d", i/1000, i/10%100, i%10), fmt.Sprintf("%010d", i)))
		}
		e.txn(ops...)
	}
}

// BenchmarkLoad opens a cache of 100,000 keys beside a bare paged range of them.
func BenchmarkLoad(b *testing.B) {
	const keys, page = 100_000, 10_000
	e := newEtcd(b)
	fill(e, keys)
	bare := dial(b, e.addr)
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			n, from, revision := 0, "/ovs/", int64(0)
			for {
				r, err := bare.Get(b.Context(), from, clientv3.WithRange("/ovs0"), clientv3.WithLimit(page), clientv3.WithRev(revision))
				if err != nil {
					b.Fatal(err)
				}
				revision = r.Header.Revision
				n += len(r.Kvs)
				if !r.More {
					break
				}
				from = string(r.Kvs[len(r.Kvs)-1].Key) + "\x00"
			}
			if n != keys {
				b.Fatal(n)
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		for b.Loop() {
			c, err := cache.Open(b.Context(), cache.Options{Client: bare, Settings: mapping.Settings{Prefix: "/ovs"}})
			if err != nil {
				b.Fatal(err)
			}
			if c.Tree().Keys() != keys {
				b.Fatal(c.Tree().Keys())
			}
			b.StopTimer()
			c.Close()
			b.StartTimer()
		}
	})
}

// BenchmarkCommit commits one value beside a bare put of it.
func BenchmarkCommit(b *testing.B) {
	e := newEtcd(b)
	fill(e, 10_000)
	n := open(b, e.addr)
	bare := dial(b, e.addr)
	b.Run("bare", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := bare.Put(b.Context(), "/ovs/000/000/1", fmt.Sprint(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := n.Commit(b.Context(), set("/ovs/000/000/1", fmt.Sprint(i))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRemotePut measures from the end of somebody's put to its
// publication, beside the arrival of the event at a bare watch.
func BenchmarkRemotePut(b *testing.B) {
	e := newEtcd(b)
	fill(e, 10_000)
	arrived := make(chan time.Time, 1)
	run := func(b *testing.B) {
		var total time.Duration
		for i := 0; b.Loop(); i++ {
			e.put("/ovs/000/000/1", strings.Repeat("x", i%7))
			sent := time.Now()
			total += (<-arrived).Sub(sent)
		}
		b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/notice")
	}
	b.Run("bare", func(b *testing.B) {
		watched := dial(b, e.addr).Watch(b.Context(), "/ovs/", clientv3.WithRange("/ovs0"), clientv3.WithCreatedNotify())
		<-watched
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range watched {
				select {
				case arrived <- time.Now():
				case <-b.Context().Done():
				}
			}
		}()
		run(b)
	})
	b.Run("cache", func(b *testing.B) {
		revision := int64(0)
		open(b, e.addr, func(o *cache.Options) {
			o.Publish = func(_, tree *mapping.Tree, keys []string) {
				if tree.Revision() > revision && len(keys) > 0 {
					revision = tree.Revision()
					select {
					case arrived <- time.Now():
					default:
					}
				}
			}
		})
		run(b)
	})
}

// BenchmarkRename moves a directory of keys to and fro, beside the same transaction made by a bare
// client, and beside one with two range compares in place of a compare for each key.
func BenchmarkRename(b *testing.B) {
	for _, keys := range []int{10, 100, 1000, 4000} {
		e := newEtcd(b)
		ops := []clientv3.Op{clientv3.OpPut("/ovs/stays", "1")}
		for i := range keys {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/ovs/a/leaf%05d", i), fmt.Sprintf(`"v%07d"`, i)))
		}
		e.txn(ops...)
		from, to := "a", "b"
		swap := func() { from, to = to, from }

		var diverted *pb.TxnRequest // what a commit would send, if divert
		divert := false
		catch := func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
			if txn, ok := request.(*pb.TxnRequest); ok && divert {
				diverted = txn
				return status.Error(codes.PermissionDenied, "diverted")
			}
			return invoke(ctx, method, request, reply, cc, o...)
		}
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.addr}, Logger: zap.NewNop(), DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(catch)}})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { client.Close() })
		n := open(b, e.addr, func(o *cache.Options) { o.Client = client })
		bare := pb.NewKVClient(e.ActiveConnection())

		b.Run(fmt.Sprintf("keys=%d/ranges", keys), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				had, err := e.Get(b.Context(), "/ovs/"+from+"/", clientv3.WithPrefix())
				if err != nil {
					b.Fatal(err)
				}
				var ops []clientv3.Op
				for _, kv := range had.Kvs {
					ops = append(ops, clientv3.OpPut("/ovs/"+to+strings.TrimPrefix(string(kv.Key), "/ovs/"+from), string(kv.Value)))
				}
				groups := []clientv3.Op{clientv3.OpDelete("/ovs/"+from+"/", clientv3.WithPrefix())}
				for some := range slices.Chunk(ops, 64) {
					groups = append(groups, clientv3.OpTxn(nil, some, nil))
				}
				b.StartTimer()
				answer, err := e.Txn(b.Context()).If(
					clientv3.Compare(clientv3.ModRevision("/ovs/"+from+"/"), "<", had.Header.Revision+1).WithPrefix(),
					clientv3.Compare(clientv3.CreateRevision("/ovs/"+to+"/"), "=", 0).WithPrefix(),
				).Then(groups...).Commit()
				if err != nil || !answer.Succeeded {
					b.Fatal(err)
				}
				swap()
			}
		})
		b.Run(fmt.Sprintf("keys=%d/bare", keys), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if _, err := n.Barrier(b.Context()); err != nil {
					b.Fatal(err)
				}
				divert = true
				_ = n.Commit(b.Context(), mapping.Rename(from, to, 0))
				divert = false
				b.StartTimer()
				answer, err := bare.Txn(b.Context(), diverted)
				if err != nil || !answer.Succeeded {
					b.Fatal(err)
				}
				swap()
			}
		})
		if _, err := n.Barrier(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("keys=%d/cache", keys), func(b *testing.B) {
			for b.Loop() {
				if err := n.Commit(b.Context(), mapping.Rename(from, to, 0)); err != nil {
					b.Fatal(err)
				}
				swap()
			}
		})
	}
}
