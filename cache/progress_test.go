package cache_test

import (
	"context"
	"sync/atomic"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/openvstorage/ovscfgfs/cache"
)

// progressCounter counts the progress requests of a client.
type progressCounter struct {
	grpc.ClientStream
	asked *atomic.Int64
}

func (s progressCounter) SendMsg(m any) error {
	if r, ok := m.(*pb.WatchRequest); ok && r.GetProgressRequest() != nil {
		s.asked.Add(1)
	}
	return s.ClientStream.SendMsg(m)
}

// The watch brings what a commit has written by itself, also after a revision of other keys;
// a revision without any watched key is asked about.
func TestCommitAsksForNoProgress(t *testing.T) {
	e := newEtcd(t)
	e.put("/ovs/a", "0")
	var asked atomic.Int64
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.addr}, DialOptions: []grpc.DialOption{
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			stream, err := streamer(ctx, desc, cc, method, opts...)
			return progressCounter{stream, &asked}, err
		}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	n := open(t, e.addr, func(o *cache.Options) { o.Client = client })
	if _, err := n.Barrier(e.ctx); err != nil {
		t.Fatal(err)
	}
	const commits = 50
	before := asked.Load()
	for range commits {
		e.put("/elsewhere", "x")
		if err := n.Commit(e.ctx, add("/ovs/a")); err != nil {
			t.Fatal(err)
		}
	}
	// One that is late is asked about.
	if got := asked.Load() - before; got > commits/5 {
		t.Errorf("%d commits asked %d times how far the watch is", commits, got)
	}
	before = asked.Load()
	e.put("/elsewhere", "y")
	n.agree(e)
	if asked.Load() == before {
		t.Error("the revision of another key was not asked about")
	}
}
