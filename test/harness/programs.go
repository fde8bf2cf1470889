// Package harness runs the real programs for end-to-end tests: this module's
// binary and etcd's server and etcdctl, built from the module; it waits for
// what they announce and finds what they leave behind.
package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Programs are the built executables.
type Programs struct {
	// Dir holds them under the names ovscfgfs, etcd and etcdctl, for PATH.
	Dir string
}

// Path returns the executable of that name.
func (p Programs) Path(name string) string { return filepath.Join(p.Dir, name) }

// Build builds the programs once for all test processes of this module, into
// the user's cache. ovscfgfs is built with the race detector unless
// OVSCFGFS_TEST_RACE is 0. It may be called by several processes at once.
func Build() (Programs, error) {
	root, err := moduleRoot()
	if err != nil {
		return Programs{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Programs{}, err
	}
	sum := sha256.Sum256([]byte(root))
	name := hex.EncodeToString(sum[:8])
	args := []string{"build", "-buildvcs=false", "-ldflags=-w"}
	if os.Getenv("OVSCFGFS_TEST_RACE") != "0" {
		name += "-race"
		args = append(args, "-race")
	}
	programs := Programs{Dir: filepath.Join(cache, "ovscfgfs-test", name)}
	if err := os.MkdirAll(programs.Dir, 0o755); err != nil {
		return Programs{}, err
	}
	unlock, err := lock(filepath.Join(programs.Dir, "lock"))
	if err != nil {
		return Programs{}, err
	}
	defer unlock()
	// The go command leaves an executable alone that is up to date already.
	if _, err := goCommand(root, append(args, "-o", programs.Path("ovscfgfs"), "./cmd/ovscfgfs")...); err != nil {
		return Programs{}, err
	}
	for name, tool := range map[string]string{"etcd": "go.etcd.io/etcd/server/v3", "etcdctl": "go.etcd.io/etcd/etcdctl/v3"} {
		path, err := goCommand(root, "tool", "-n", tool)
		if err != nil {
			return Programs{}, err
		}
		if err := link(path, programs.Path(name)); err != nil {
			return Programs{}, err
		}
	}
	return programs, nil
}

func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(output)), nil
}

func moduleRoot() (string, error) {
	file, err := goCommand("", "env", "GOMOD")
	return filepath.Dir(file), err
}

// link makes path a symlink to target, whatever was there.
func link(target, path string) error {
	if old, err := os.Readlink(path); err == nil && old == target {
		return nil
	}
	_ = os.Remove(path)
	return os.Symlink(target, path)
}

func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
