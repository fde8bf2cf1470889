package model

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// barrier is a mount's file of that name, held open: each read of its start
// waits anew, and none looks it up.
type barrier int

func openBarrier(t *testing.T, root string) barrier {
	path := filepath.Join(root, ".ovscfgfs", "barrier")
	fd, err := retry(func() (int, error) { return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) })
	if err != nil {
		t.Fatal(&os.PathError{Op: "open", Path: path, Err: err})
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return barrier(fd)
}

// pass returns when the mount shows etcd's newest revision, which it returns.
func (b barrier) pass() (int64, error) {
	text := make([]byte, 32)
	n, err := retry(func() (int, error) { return syscall.Pread(int(b), text, 0) })
	if err != nil {
		return 0, fmt.Errorf("the barrier: %w", err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(text[:n])), 10, 64)
}
