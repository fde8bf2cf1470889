package cache_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/test/faults"
)

func TestMain(m *testing.M) {
	if n := os.Getenv(memberEnv); n != "" {
		if err := runMember(n); err != nil {
			fmt.Fprintln(os.Stderr, "member", n, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// long bounds what takes well under a second on an idle machine.
const long = 90 * time.Second

// etcd is a server with a client of its own, for what others do.
type etcd struct {
	*clientv3.Client
	t    testing.TB
	addr string // host:port
	ctx  context.Context
}

func newEtcd(t testing.TB, options ...embedded.Option) *etcd {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), "http://127.0.0.1:0", nil, append(options, embedded.UnsafeNoFsync())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	addr := strings.TrimPrefix(server.Endpoints()[0], "http://")
	ctx, cancel := context.WithTimeout(context.Background(), long)
	t.Cleanup(cancel)
	return &etcd{Client: dial(t, addr), t: t, addr: addr, ctx: ctx}
}

func dial(t testing.TB, addr string) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// put stores pairs of key and value in one transaction and returns its revision.
func (e *etcd) put(pairs ...string) int64 {
	e.t.Helper()
	var ops []clientv3.Op
	for i := 0; i < len(pairs); i += 2 {
		ops = append(ops, clientv3.OpPut(pairs[i], pairs[i+1]))
	}
	return e.txn(ops...)
}

// txn carries out operations in one transaction, nested where they are many.
func (e *etcd) txn(ops ...clientv3.Op) int64 {
	e.t.Helper()
	for len(ops) > 64 {
		var groups []clientv3.Op
		for group := range slices.Chunk(ops, 30) {
			groups = append(groups, clientv3.OpTxn(nil, group, nil))
		}
		ops = groups
	}
	response, err := e.Txn(e.ctx).Then(ops...).Commit()
	if err != nil {
		e.t.Fatal(err)
	}
	return response.Header.Revision
}

// below returns what etcd holds at and below prefix, and the revision.
func (e *etcd) below(prefix string) (map[string]mapping.KV, int64) {
	e.t.Helper()
	response, err := e.Get(e.ctx, prefix, clientv3.WithPrefix()) // all keys for ""
	if err != nil {
		e.t.Fatal(err)
	}
	all := map[string]mapping.KV{}
	for _, kv := range response.Kvs {
		if key := string(kv.Key); key == prefix || strings.HasPrefix(key, prefix+"/") {
			all[key] = mapping.KV{Key: key, Value: kv.Value, CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease}
		}
	}
	return all, response.Header.Revision
}

// shown returns all that a tree holds.
func shown(tree *mapping.Tree) map[string]mapping.KV {
	all := map[string]mapping.KV{}
	prefix := tree.Settings().Prefix
	if kv, ok := tree.Get(prefix); ok {
		all[prefix] = kv
	}
	for kv := range tree.Under(prefix) {
		all[kv.Key] = kv
	}
	return all
}

// node is a cache of /ovs with what it published.
type node struct {
	*cache.Cache
	*record
}

// open opens a cache of /ovs on the server at addr.
func open(t testing.TB, addr string, change ...func(*cache.Options)) *node {
	t.Helper()
	n := &node{record: &record{t: t}}
	n.gate = sync.NewCond(&n.mu)
	options := cache.Options{Client: dial(t, addr), Settings: mapping.Settings{Prefix: "/ovs"}, Timeout: long, Publish: n.publish}
	for _, c := range change {
		c(&options)
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	c, err := cache.Open(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	n.Cache = c
	return n
}

// agree waits until the node shows etcd's newest revision, and compares all.
func (n *node) agree(e *etcd) {
	e.t.Helper()
	if _, err := n.Barrier(e.ctx); err != nil {
		e.t.Fatal(err)
	}
	want, _ := e.below("/ovs")
	equal(e.t, shown(n.Tree()), want)
}

func equal(t testing.TB, got, want map[string]mapping.KV) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[key]
		w := want[key]
		same := bytes.Equal(g.Value, w.Value)
		g.Value, w.Value = nil, nil
		if !ok || !same || fmt.Sprint(g) != fmt.Sprint(w) {
			t.Fatalf("%q: shown %v, etcd has %v, same bytes: %v", key, g, w, same)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Fatalf("%q is shown, and etcd does not have it", key)
		}
	}
}

func proxied(t testing.TB, e *etcd) *faults.Proxy {
	t.Helper()
	p, err := faults.NewProxy(e.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// set is an edit that stores a value whatever was there.
func set(key, value string) mapping.Edit {
	return func(tree *mapping.Tree) (mapping.Plan, error) {
		kv, _ := tree.Get(key)
		return mapping.Plan{
			Guards: []mapping.Guard{{Key: key, ModRevision: kv.ModRevision}},
			Puts:   []mapping.Put{{Key: key, Value: []byte(value)}},
		}, nil
	}
}

// add is an edit that adds one to a number.
func add(key string) mapping.Edit {
	return func(tree *mapping.Tree) (mapping.Plan, error) {
		kv, _ := tree.Get(key)
		n, _ := strconv.Atoi(string(kv.Value))
		return set(key, strconv.Itoa(n+1))(tree)
	}
}

// move is an edit that renames a directory of keys.
func move(from, to string) mapping.Edit {
	return func(tree *mapping.Tree) (mapping.Plan, error) {
		plan := mapping.Plan{Move: true, Absent: []string{to + "/"}, Guards: []mapping.Guard{{Key: to}}}
		whole := mapping.Range{Prefix: from + "/"}
		for kv := range tree.Under(from) {
			whole.Count++
			whole.MaxModRevision = max(whole.MaxModRevision, kv.ModRevision)
			plan.Puts = append(plan.Puts, mapping.Put{Key: to + kv.Key[len(from):], Value: kv.Value, Lease: kv.Lease})
		}
		plan.DeleteRanges = []mapping.Range{whole}
		return plan, nil
	}
}

func wantKind(t testing.TB, err error, want mapping.Kind) {
	t.Helper()
	if err == nil || mapping.KindOf(err) != want {
		t.Fatalf("error %v of kind %v, want %v", err, mapping.KindOf(err), want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Fatalf("an error of several lines: %q", err)
	}
	t.Logf("%v", err)
}

// compactAll compacts etcd at its newest revision.
func (e *etcd) compactAll() {
	e.t.Helper()
	_, revision := e.below("/ovs")
	if _, err := e.Compact(e.ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		e.t.Fatal(err)
	}
}

// alarm reports whether etcd has raised its space alarm.
func (e *etcd) alarm() bool {
	e.t.Helper()
	alarms, err := e.AlarmList(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	return slices.ContainsFunc(alarms.Alarms, func(a *pb.AlarmMember) bool { return a.Alarm == pb.AlarmType_NOSPACE })
}
