package embedded_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// damaged names a directory to the process that TestDamagedDataIsAnError starts.
const damaged = "OVSCFGFS_TEST_DAMAGED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(damaged); dir != "" {
		_, err := embedded.Start(dir, "http://127.0.0.1:0", nil, embedded.UnsafeNoFsync())
		fmt.Println(err)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// long bounds what takes well under a second on an idle machine.
const long = 60 * time.Second

func start(t *testing.T, dir, listen string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(dir, listen, nil, embedded.UnsafeNoFsync())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func client(t *testing.T, s *embedded.Server) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: s.Endpoints(), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDataStaysOverARestart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, dir, "http://127.0.0.1:0")
	c := client(t, s)
	if _, err := c.Put(ctx, "/ovs/a", "1"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.Close()

	s = start(t, dir, "http://127.0.0.1:0")
	defer s.Close()
	c = client(t, s)
	defer c.Close()
	got, err := c.Get(ctx, "/ovs/a")
	if err != nil || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != "1" {
		t.Fatalf("after the restart: %v, %v", got, err)
	}
}

func TestDamagedDataIsAnError(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, "http://127.0.0.1:0").Close()
	logs, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log in %s: %v", dir, err)
	}
	if err := os.WriteFile(logs[0], []byte("not a log, but long enough to look at"), 0o600); err != nil {
		t.Fatal(err)
	}
	// In a process of its own: etcd leaves goroutines behind when it fails so.
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), damaged+"="+dir)
	output, err := command.CombinedOutput()
	if err != nil || strings.Count(string(output), "\n") != 1 || !strings.Contains(string(output), dir+" did not start: ") {
		t.Errorf("%v, output %s", err, output)
	}
	t.Logf("%s", output)
}

func TestRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(t.TempDir(), "used")
	defer start(t, used, "http://127.0.0.1:0").Close()

	for _, test := range []struct {
		name, dir, listen string
		want              mapping.Kind
	}{
		{"address in use", t.TempDir(), "http://" + taken.Addr().String(), mapping.Exists},
		{"not a URL", t.TempDir(), "127.0.0.1:2379", mapping.Invalid},
		{"no port", t.TempDir(), "http://127.0.0.1", mapping.Invalid},
		{"not an address of this machine", t.TempDir(), "http://192.0.2.1:2379", mapping.Invalid},
		{"directory is a file", file, "http://127.0.0.1:0", mapping.Denied},
		{"directory below a file", filepath.Join(file, "x"), "http://127.0.0.1:0", mapping.Denied},
		{"directory of a running server", used, "http://127.0.0.1:0", mapping.Busy},
		{"no directory", "", "http://127.0.0.1:0", mapping.Invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := embedded.Start(test.dir, test.listen, nil)
			if err == nil {
				s.Close()
			}
			if err == nil || mapping.KindOf(err) != test.want {
				t.Fatalf("error %v of kind %v, want %v", err, mapping.KindOf(err), test.want)
			}
			t.Log(err)
		})
	}
}
