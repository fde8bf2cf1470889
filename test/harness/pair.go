package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Pair is an etcd with two mounts of it, as two nodes have it.
type Pair struct {
	Etcd *Etcd
	// Dirs are the mountpoints.
	Dirs [2]string

	daemons [2]*Daemon
}

// StartPair starts an etcd, has fill put what the mounts are to begin with, and
// mounts it twice; flags are added to the command line of both. All of it ends
// with the test, which fails if a daemon ends badly or leaves something behind.
func StartPair(t testing.TB, fill func(*Etcd), flags ...string) *Pair {
	t.Helper()
	programs, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	work, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &Pair{}
	if p.Etcd, err = StartEtcd(programs, filepath.Join(work, "etcd")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for i, d := range p.daemons {
			if d == nil {
				continue
			}
			if t.Failed() {
				t.Logf("log of mount %d:\n%s", i, d.Log())
			}
			if err := d.Stop(); err != nil {
				t.Errorf("mount %d: %v", i, err)
			}
		}
		_ = p.Etcd.Stop()
		if left := Leftovers(work); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
	fill(p.Etcd)
	for i := range p.Dirs {
		name := strconv.Itoa(i)
		p.Dirs[i] = filepath.Join(work, "mount"+name)
		if err := os.Mkdir(p.Dirs[i], 0o755); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"mount", "--endpoints", p.Etcd.Endpoint, "--state-dir", filepath.Join(work, "state"+name)}, flags...)
		cmd := exec.Command(programs.Path("ovscfgfs"), append(args, p.Dirs[i])...)
		// A busy machine is slow, not broken.
		cmd.Env = append(os.Environ(), "OVSCFGFS_DIAL_TIMEOUT=60s", "OVSCFGFS_COMMAND_TIMEOUT=60s", "OVSCFGFS_OFFLINE_AFTER=60s")
		if p.daemons[i], err = Mount(cmd); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// Barrier returns when mount i shows etcd's newest revision, which it returns.
func (p *Pair) Barrier(i int) (int64, error) {
	text, err := os.ReadFile(filepath.Join(p.Dirs[i], ".ovscfgfs", "barrier"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
