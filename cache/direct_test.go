package cache_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// counting is a Direct, and how many keys it was answered with.
type counting struct {
	*cache.Direct
	keys, requests atomic.Int64
}

func newDirect(t *testing.T, e *etcd) *counting {
	t.Helper()
	d := &counting{}
	count := func(ctx context.Context, method string, in, out any, cc *grpc.ClientConn, next grpc.UnaryInvoker, o ...grpc.CallOption) error {
		err := next(ctx, method, in, out, cc, o...)
		d.requests.Add(1)
		switch out := out.(type) {
		case *pb.RangeResponse:
			d.keys.Add(int64(len(out.Kvs)))
		case *pb.TxnResponse:
			for _, one := range out.Responses {
				d.keys.Add(int64(len(one.GetResponseRange().GetKvs())))
			}
		}
		return err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.addr}, Logger: zap.NewNop(), DialOptions: []grpc.DialOption{grpc.WithUnaryInterceptor(count)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if d.Direct, err = cache.NewDirect(cache.Options{Client: client, Settings: mapping.Settings{Prefix: "/ovs"}}); err != nil {
		t.Fatal(err)
	}
	return d
}

func namesAt(t *testing.T, tree *mapping.Tree, path string) (names []string) {
	t.Helper()
	n, ok := tree.Lookup(path)
	if !ok {
		t.Fatalf("%s is not there", path)
	}
	for child := range n.Children() {
		name := child.Name()
		if child.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return names
}

func TestDirectReadsNamesAndNotWhatIsBelow(t *testing.T) {
	e := newEtcd(t)
	for i := range 40 {
		var pairs []string
		for j := range 100 {
			pairs = append(pairs, fmt.Sprintf("/ovs/big/d%d/%03d", i%4, i*100+j), "1")
		}
		e.put(pairs...)
	}
	e.put("/ovs/big/d0", `{"f": 1}`, "/ovs/big/d0-x", "1", "/ovs/big/z", "2", "/ovs/big/d4", "3", "/ovs/bigger", "4")
	d := newDirect(t, e)
	tree, err := d.Read(t.Context(), cache.Scope{Keys: []string{"/ovs", "/ovs/big"}, Names: []string{"/ovs/big"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"d0/", "d0-x", "d1/", "d2/", "d3/", "d4", "z"}
	if names := namesAt(t, tree, "big"); !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the names are %q", names)
	}
	if n := d.keys.Load(); n > 300 {
		t.Errorf("%d keys were read for 7 names", n)
	}
}

func TestDirectReadsAFlatDirectoryInFewRequests(t *testing.T) {
	e := newEtcd(t)
	var want []string
	for i := range 30 {
		var pairs []string
		for j := range 100 {
			name := fmt.Sprintf("%05d", i*100+j)
			want = append(want, name)
			pairs = append(pairs, "/ovs/flat/"+name, "1")
		}
		e.put(pairs...)
	}
	d := newDirect(t, e)
	tree, err := d.Read(t.Context(), cache.Scope{Names: []string{"/ovs/flat"}})
	if err != nil {
		t.Fatal(err)
	}
	if names := namesAt(t, tree, "flat"); !slices.Equal(names, want) {
		t.Errorf("%d names, want %d", len(names), len(want))
	}
	if n := d.requests.Load(); n > 10 {
		t.Errorf("%d requests for 3,000 keys", n)
	}
}

func TestDirectCommitReadsOnlyItsScopeAndPlansAgain(t *testing.T) {
	e := newEtcd(t)
	e.put("/ovs/a", `{"n": 1, "m": 1}`, "/ovs/b", "1", "/ovs/c", "1")
	d := newDirect(t, e)
	tries := 0
	revision, err := d.Commit(t.Context(), cache.Scope{Keys: []string{"/ovs", "/ovs/a"}, Present: []string{"/ovs/a"}}, func(tree *mapping.Tree) (mapping.Plan, error) {
		if tree.Keys() != 1 {
			t.Errorf("%d keys were read, want the one", tree.Keys())
		}
		if tries++; tries == 1 {
			e.put("/ovs/a", `{"n": 1, "m": 2}`)
		}
		return mapping.Write("a/n", []byte("5\n"), mapping.WriteOptions{})(tree)
	})
	if err != nil || tries != 2 {
		t.Fatalf("%d tries, %v", tries, err)
	}
	response, err := e.Get(e.ctx, "/ovs/a")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(response.Kvs[0].Value); got != `{"n": 5, "m": 2}` || response.Kvs[0].ModRevision != revision {
		t.Errorf("%s at %d, the commit said %d", got, response.Kvs[0].ModRevision, revision)
	}
	if revision, err := d.Commit(t.Context(), cache.Scope{}, func(*mapping.Tree) (mapping.Plan, error) { return mapping.Plan{}, nil }); revision != 0 || err != nil {
		t.Errorf("nothing to do: %d, %v", revision, err)
	}
}
