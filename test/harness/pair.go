package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Pair is an etcd with two mounts of it, as two nodes have it.
type Pair struct {
	Etcd *Etcd
	// Dirs are the mountpoints.
	Dirs [2]string

	t       testing.TB
	work    string
	flags   []string
	via     func(mount int, endpoint string) string
	daemons [2]*Daemon
}

// StartPair starts an etcd, has fill put what the mounts are to begin with, and
// mounts it twice; flags are added to the command line of both. All of it ends
// with the test, which fails if a daemon ends badly or leaves something behind.
func StartPair(t testing.TB, fill func(*Etcd), flags ...string) *Pair {
	t.Helper()
	return StartPairThrough(t, fill, func(_ int, endpoint string) string { return endpoint }, flags...)
}

// StartPairThrough is StartPair with mounts that reach etcd, which listens at
// endpoint, at the addresses that via returns for each.
func StartPairThrough(t testing.TB, fill func(*Etcd), via func(mount int, endpoint string) string, flags ...string) *Pair {
	t.Helper()
	work, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	programs, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	p := &Pair{t: t, work: work, flags: flags, via: via}
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
		p.Dirs[i] = filepath.Join(work, "mount"+strconv.Itoa(i))
		if err := os.Mkdir(p.Dirs[i], 0o755); err != nil {
			t.Fatal(err)
		}
		p.Mount(i)
	}
	return p
}

// Mount mounts i, for the first time or after Kill.
func (p *Pair) Mount(i int) {
	p.t.Helper()
	var err error
	if p.daemons[i], err = Mount(p.Command(i)); err != nil {
		p.t.Fatal(err)
	}
}

// Command is what mounts i, not started yet.
func (p *Pair) Command(i int) *exec.Cmd {
	args := append([]string{"mount", "--endpoints", p.via(i, p.Etcd.Endpoint), "--state-dir", filepath.Join(p.work, "state"+strconv.Itoa(i))}, p.flags...)
	cmd := exec.Command(p.Etcd.programs.Path("ovscfgfs"), append(args, p.Dirs[i])...)
	// A busy machine is slow, not broken.
	cmd.Env = append(os.Environ(), "OVSCFGFS_DIAL_TIMEOUT=60s", "OVSCFGFS_COMMAND_TIMEOUT=60s", "OVSCFGFS_OFFLINE_AFTER=60s")
	return cmd
}

// PID is the process of the daemon of mount i.
func (p *Pair) PID(i int) int { return p.daemons[i].PID() }

// Kill kills the daemon of mount i, waits for its end and takes the mount that
// it leaves out of the mount table.
func (p *Pair) Kill(i int) {
	p.t.Helper()
	p.daemons[i].Kill()
	p.daemons[i] = nil
	if err := syscall.Unmount(p.Dirs[i], syscall.MNT_DETACH); err != nil {
		p.t.Fatal(err)
	}
}

// Barrier returns when mount i shows etcd's newest revision, which it returns.
func (p *Pair) Barrier(i int) (int64, error) {
	text, err := os.ReadFile(filepath.Join(p.Dirs[i], ".ovscfgfs", "barrier"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
