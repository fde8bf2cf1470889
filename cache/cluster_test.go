package cache_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache"
)

// memberEnv names a member of the cluster to the processes that newCluster
// starts of this test binary.
const memberEnv = "OVSCFGFS_TEST_MEMBER"

const clusterSize = 3

// runMember serves as member number n of a cluster, in the working directory,
// until its standard input ends. It talks to the others through sockets there: ports might be taken.
func runMember(n string) error {
	socket := func(kind, n string) url.URL { return url.URL{Scheme: "unix", Host: kind + n + ":0"} }
	config := embed.NewConfig()
	config.Name = "m" + n
	config.Dir = "data" + n
	peer, client := socket("peer", n), socket("client", n)
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	var all []string
	for i := range clusterSize {
		other := socket("peer", fmt.Sprint(i))
		all = append(all, fmt.Sprintf("m%d=%s", i, other.String()))
	}
	config.InitialCluster = strings.Join(all, ",")
	config.UnsafeNoFsync = true
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	if _, err := embed.StartEtcd(config); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// member is a server of the cluster, a process.
type member struct {
	*exec.Cmd
	endpoint string
}

func newCluster(t *testing.T) []member {
	t.Helper()
	dir := t.TempDir()
	var members []member
	for i := range clusterSize {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", memberEnv, i))
		command.Dir = dir
		command.Stderr = os.Stderr
		stdin, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			stdin.Close()
			command.Process.Kill()
			command.Wait()
		})
		members = append(members, member{command, "unix://" + filepath.Join(dir, fmt.Sprintf("client%d:0", i))})
	}
	return members
}

// TestLeaderIsLost counts on two nodes while the leader of a cluster of three is
// killed: no addition is lost or made twice, and both nodes follow on.
func TestLeaderIsLost(t *testing.T) {
	t.Parallel()
	const each = 60
	members := newCluster(t)
	var endpoints []string
	for _, m := range members {
		endpoints = append(endpoints, m.endpoint)
	}
	client := func() *clientv3.Client {
		c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	e := &etcd{Client: client(), t: t, ctx: ctx}
	var nodes []*node
	for range 2 {
		nodes = append(nodes, open(t, "", func(o *cache.Options) { o.Client = client() }))
	}
	var counted [2]atomic.Int64
	half := make(chan struct{}, 2)
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for made := 0; made < each; {
				// Without a leader nothing can be written; after two seconds the node says so at once.
				if err := n.Commit(ctx, add(fmt.Sprintf("/ovs/%d", i))); err == nil {
					made++
				} else if counted[i].Add(1); ctx.Err() != nil {
					t.Error(err)
					return
				}
				if made == each/2 {
					half <- struct{}{}
				}
			}
		})
	}
	<-half
	killed := false
	for _, m := range members {
		status, err := e.Status(ctx, m.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if status.Leader == status.Header.MemberId {
			killed = m.Process.Kill() == nil
		}
	}
	if !killed {
		t.Error("no leader was found to be killed")
	}
	wg.Wait()
	for i, n := range nodes {
		n.agree(e)
		kv, _ := n.Tree().Get(fmt.Sprintf("/ovs/%d", i))
		t.Logf("node %d: %s of %d, %d refusals", i, kv.Value, each, counted[i].Load())
		if string(kv.Value) != fmt.Sprint(each) {
			t.Errorf("%d additions made %s", each, kv.Value)
		}
	}
}
