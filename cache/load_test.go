package cache_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// hostile are keys that sort, split or look in awkward ways.
var hostile = []string{
	"/ovs", "/ovs/", "/ovs//", "/ovs/a", "/ovs/a/", "/ovs/a//b", "/ovs/a-b", "/ovs/a/b", "/ovs/a0", "/ovs/a!", "/ovs/..", "/ovs/./.",
	"/ovs/\xff\xfe", "/ovs/\x00", "/ovs/\x00/\x00", "/ovs/a\nb", "/ovs/%2F", "/ovs/a/b/c", "/ovs/a.b/c", "/ovs/ä/ö",
	// Not of the prefix, though in or near the watched range.
	"/ovs-x", "/ovs.y/z", "/ovs!", "/ovs0", "/ovsx/a", "/ov", "/", "ovs/a", "/zzz",
}

func TestLoadEqualsBareRange(t *testing.T) {
	e := newEtcd(t)
	for _, key := range hostile {
		e.put(key, "value of "+key)
	}
	for group := range 10 {
		var pairs []string
		for i := range 600 {
			pairs = append(pairs, fmt.Sprintf("/ovs/many/%d/%d", i, group), fmt.Sprintf(`{"n":%d,"b":"%c"}`, i, rune(group)))
		}
		e.put(pairs...)
	}
	e.put("/ovs/large", string(make([]byte, 1<<20)), "/ovs/empty", "")
	lease, err := e.Grant(e.ctx, 3600)
	if err != nil {
		t.Fatal(err)
	}
	e.txn(clientv3.OpPut("/ovs/leased", "x", clientv3.WithLease(lease.ID)))

	n := open(t, e.addr)
	want, revision := e.below("/ovs")
	equal(t, shown(n.Tree()), want)
	if got := n.Tree().Revision(); got != revision {
		t.Errorf("revision %d, etcd is at %d", got, revision)
	}
	if got := n.Status(); got.Keys != len(want) || !got.Connected || got.Prefix != "/ovs" {
		t.Errorf("status %+v, %d keys wanted", got, len(want))
	}
}

func TestLoadOfNothing(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	if n.Tree().Revision() < 1 || n.Tree().Keys() != 0 {
		t.Errorf("revision %d, %d keys", n.Tree().Revision(), n.Tree().Keys())
	}
	e.put("/ovs/a", "1")
	n.agree(e)
}

func TestPrefixOfEverything(t *testing.T) {
	e := newEtcd(t)
	e.put("/", "1", "/a", "1", "a", "1", "/ovs/b", "1", "0", "1")
	n := open(t, e.addr, func(o *cache.Options) { o.Settings.Prefix = "" })
	e.put("/ovs/c", "1", "b", "1")
	if err := n.Commit(e.ctx, set("/d", "1")); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Barrier(e.ctx); err != nil {
		t.Fatal(err)
	}
	want, _ := e.below("")
	equal(t, shown(n.Tree()), want)
	if n.Tree().Keys() != 5 {
		t.Errorf("%d keys", n.Tree().Keys())
	}
}

func TestUsage(t *testing.T) {
	e := newEtcd(t, embedded.Quota(64<<20))
	n := open(t, e.addr)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for e.ctx.Err() == nil {
		<-tick.C
		if size, quota := n.Usage(); size > 0 && quota == 64<<20 {
			return
		}
	}
	t.Errorf("%+v", n.Status())
}

func TestOpenSaysWhyNot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = cache.Open(ctx, cache.Options{Client: dial(t, nobody), Settings: mapping.Settings{Prefix: "/ovs"}})
	wantKind(t, err, mapping.ReadOnly)

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = cache.Open(canceled, cache.Options{Client: dial(t, nobody), Settings: mapping.Settings{Prefix: "/ovs"}})
	wantKind(t, err, mapping.Canceled)

	_, err = cache.Open(t.Context(), cache.Options{Client: dial(t, nobody), Settings: mapping.Settings{Prefix: "ovs/"}})
	wantKind(t, err, mapping.Invalid)
}

func TestRights(t *testing.T) {
	t.Parallel()
	e := newEtcd(t, func(c *embed.Config) { c.BcryptCost = 4 }) // the lowest there is
	e.put("/ovs", "root", "/ovs/a", "1", "/ovs/secret", "2")
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"root", "below", "none"} {
		do(e.UserAdd(e.ctx, user, "pw"))
		do(e.RoleAdd(e.ctx, user))
		do(e.UserGrantRole(e.ctx, user, user))
	}
	do(e.RoleGrantPermission(e.ctx, "below", "/ovs/", "/ovs0", clientv3.PermissionType(clientv3.PermRead)))
	do(e.RoleGrantPermission(e.ctx, "below", "/ovs/a", "", clientv3.PermissionType(clientv3.PermReadWrite)))
	do(e.AuthEnable(e.ctx))

	as := func(user, password string) func(*cache.Options) {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.addr}, Username: user, Password: password, Logger: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		return func(o *cache.Options) { o.Client = client }
	}
	n := open(t, e.addr, as("below", "pw"))
	if _, ok := n.Tree().Get("/ovs"); ok || n.Tree().Keys() != 2 {
		t.Errorf("a role for /ovs/ shows %v", shown(n.Tree()))
	}
	if err := n.Commit(e.ctx, set("/ovs/a", "3")); err != nil {
		t.Fatal(err)
	}
	wantKind(t, n.Commit(e.ctx, set("/ovs/secret", "3")), mapping.Denied)

	for _, user := range []func(*cache.Options){as("none", "pw"), func(*cache.Options) {}} {
		options := cache.Options{Client: dial(t, e.addr), Settings: mapping.Settings{Prefix: "/ovs"}}
		user(&options)
		_, err := cache.Open(e.ctx, options)
		wantKind(t, err, mapping.Denied)
	}
}
