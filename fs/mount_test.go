package fs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestMountIsInTheMountTable(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"}, func(o *Options) { o.FSName = "some etcd" })
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if want := `some\040etcd ` + m.dir + " fuse.ovscfgfs rw,"; !strings.Contains(string(mounts), want) {
		t.Errorf("the mount table lacks %q:\n%s", want, mounts)
	}
}

func TestReadOnlyMountRefusesWrites(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"}, readOnly)
	if err := os.WriteFile(m.path("a"), []byte("2\n"), 0); !strings.Contains(errorText(err), "read-only file system") {
		t.Errorf("writing says %v", err)
	}
	if err := os.Mkdir(m.path("d"), 0o755); !strings.Contains(errorText(err), "read-only file system") {
		t.Errorf("mkdir says %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return "nothing"
	}
	return err.Error()
}

func TestUnmountSaysWhoIsThere(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/a": "1"})
	sleeper := inside(t.Context(), m.path("d"), "sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	}()
	await(t, "it sleeps there", func() bool { return program(uint32(sleeper.Process.Pid)) == "sleep" })
	err := m.Unmount()
	if mapping.KindOf(err) != mapping.Busy || !strings.Contains(err.Error(), "sleep (pid ") || !strings.Contains(err.Error(), m.path("d")) {
		t.Errorf("unmounting a mount in use says %v", err)
	}
	if strings.Contains(errorText(err), "\n") {
		t.Errorf("the error has more than a line: %q", err)
	}
	if got := m.read("d/a"); got != "1\n" {
		t.Errorf("then a read gets %q", got)
	}
}

func TestUnmountFromOutside(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	await(t, "unmounted from outside", func() bool { return unix.Unmount(m.dir, 0) == nil })
	ended := make(chan struct{})
	go func() {
		m.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Wait does not return")
	}
	if err := m.Unmount(); err != nil {
		t.Errorf("unmounting what is unmounted says %v", err)
	}
	// A change after the end is taken and goes nowhere.
	m.store.put(map[string]string{"/ovs/a": "2"})
	<-m.s.notices.caughtUp()
}

func TestMountRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for point, want := range map[string]struct {
		kind mapping.Kind
		text string
	}{
		"/nonexistent/ovs": {mapping.NotFound, "mkdir -p /nonexistent/ovs"},
		file:               {mapping.NotDirectory, "is not a directory"},
	} {
		_, err := Mount(Options{Store: newFakeStore(t, nil), Mountpoint: point, StateDir: t.TempDir()})
		if mapping.KindOf(err) != want.kind || !strings.Contains(errorText(err), want.text) {
			t.Errorf("mounting on %s says %v", point, err)
		}
	}
	_, err := Mount(Options{Store: newFakeStore(t, nil), Mountpoint: t.TempDir(), StateDir: t.TempDir(), MountOptions: []string{"no_such_option"}})
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("an unknown option says %v", err)
	}
}
