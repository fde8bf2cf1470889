package events

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// nobody is a user without privileges.
const nobody = 65534

// Without the privilege that events need the daemon says so once, and the rest works.
func TestWithoutThePrivilege(t *testing.T) {
	p := &node{Pair: eventful(t, func(e *harness.Etcd) { put(t, e, "/ovs/d/key", "0") })}
	needs(t, "setpriv", "util-linux")
	needs(t, "fusermount3", "fuse3")
	user := []string{"--reuid", strconv.Itoa(nobody), "--regid", strconv.Itoa(nobody), "--clear-groups"}
	for _, c := range []struct {
		name string
		as   []string // of setpriv
		// reader is who may look into the mount.
		reader []string
		// status and word are what it says.
		status, word string
	}{
		{"as nobody", user, user, `"on": false`, "no inotify events for changes made elsewhere"},
		// Root in a container that may mount but not look into other processes.
		{"without ptrace", []string{"--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"}, nil, `"hidden"`, "no inotify events for some watchers"},
	} {
		t.Run(c.name, func(t *testing.T) { unprivileged(t, p, c.as, c.reader, c.status, c.word) })
	}
}

func unprivileged(t *testing.T, p *node, as, reader []string, status, word string) {
	built, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	// Where every user may get at.
	work, err := os.MkdirTemp("/tmp", "unprivileged")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left := harness.Leftovers(work); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		_ = os.RemoveAll(work)
	})
	program := filepath.Join(work, "ovscfgfs")
	if out, err := exec.Command("cp", built.Path("ovscfgfs"), program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir := filepath.Join(work, "mount")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{work, dir} {
		owner := 0
		if reader != nil {
			owner = nobody
		}
		if err := os.Chown(name, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(work, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(script string) string {
		t.Helper()
		args := append(append([]string{}, reader...), "sh", "-c", script, "sh", dir)
		out, err := exec.Command("setpriv", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	cmd := exec.Command("setpriv", append(append([]string{}, as...), program, "mount", "--endpoints", p.Etcd.Endpoint, "--state-dir", filepath.Join(work, "state"), dir)...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "HOME="+work)
	d, err := harness.Mount(cmd)
	if failed := (*harness.MountError)(nil); errors.As(err, &failed) && strings.Contains(failed.Words, "/dev/fuse") {
		t.Skip(failed.Words)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	}()
	value := strconv.Itoa(p.next())
	run(`echo ` + value + ` >"$1/d/key"`)
	for i := range p.Dirs {
		if _, err := p.Barrier(i); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(p.at("d/key")); err != nil || string(b) != value+"\n" {
		t.Errorf("%q, %v", b, err)
	}
	for range 20 {
		value = strconv.Itoa(p.next())
		put(t, p.Etcd, "/ovs/d/key", value)
		run(`cat "$1/.ovscfgfs/barrier"`)
		if got := run(`cat "$1/d/key"`); got != value {
			t.Errorf("read %q, want %s", got, value)
		}
	}
	if !harness.Await(func() bool { return strings.Contains(run(`cat "$1/.ovscfgfs/status"`), status) }) {
		t.Errorf("status %s", run(`cat "$1/.ovscfgfs/status"`))
	}
	if !harness.Await(func() bool { return strings.Contains(d.Log(), word) }) || strings.Count(d.Log(), word) != 1 {
		t.Errorf("it does not say so once:\n%s", d.Log())
	}
}
