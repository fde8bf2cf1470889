package events

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// put sets keys in one transaction.
func put(t testing.TB, e *harness.Etcd, pairs ...string) {
	t.Helper()
	var ops []clientv3.Op
	for k := 0; k < len(pairs); k += 2 {
		ops = append(ops, clientv3.OpPut(pairs[k], pairs[k+1]))
	}
	transact(t, e, ops...)
}

func transact(t testing.TB, e *harness.Etcd, ops ...clientv3.Op) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := e.Client.Txn(ctx).Then(ops...).Commit(); err != nil {
		t.Fatal(err)
	}
}

// programs are built once.
var programs = sync.OnceValues(harness.Build)

func etcdctl(t testing.TB, p *harness.Pair, args ...string) {
	t.Helper()
	built, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(built.Path("etcdctl"), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_ENDPOINTS="+p.Etcd.Endpoint)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("etcdctl %q: %v\n%s", args, err, out)
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// eventsStatus is what a mount says of its events.
type eventsStatus struct {
	On      bool
	Reason  string
	Helper  int
	Watched int
	Raised  uint64
}

func statusOf(t testing.TB, mountpoint string) eventsStatus {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(mountpoint, ".ovscfgfs/status"))
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Events eventsStatus }
	if err := json.Unmarshal(text, &status); err != nil {
		t.Fatal(err)
	}
	return status.Events
}

func awaitEvents(t testing.TB, mountpoint string) {
	t.Helper()
	var last eventsStatus
	if !harness.Await(func() bool { last = statusOf(t, mountpoint); return last.On }) {
		t.Fatalf("no events: %+v", last)
	}
}
