package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Filesystem magics of statfs(2) (linux/magic.h).
const (
	magicTmpfs = 0x01021994
	magicFuse  = 0x65735546
)

// diskNames name what the work directory may lie on.
var diskNames = map[int64]string{
	0xEF53: "ext4", 0x58465342: "xfs", 0x9123683E: "btrfs", 0x794C7630: "overlayfs", 0x2FC12FC1: "zfs", 0xF2F52010: "f2fs",
}

// openMemory makes a tmpfs of the lab's own, or without the privilege a
// directory of /dev/shm.
func (l *lab) openMemory() (string, error) {
	own := filepath.Join(l.dir, "tmpfs")
	if err := os.Mkdir(own, 0o700); err != nil {
		return "", err
	}
	err := syscall.Mount("bench", own, "tmpfs", 0, "size=75%,nr_inodes=0")
	if err == nil {
		l.onClose(func() error { return syscall.Unmount(own, 0) })
		return own, nil
	}
	shm, tempErr := os.MkdirTemp("/dev/shm", "ovscfgfs-bench-")
	if tempErr != nil {
		return "", errors.Join(fmt.Errorf("mount a tmpfs: %w", err), tempErr)
	}
	l.onClose(func() error { return os.RemoveAll(shm) })
	if magic(shm) != magicTmpfs {
		return "", errors.New("no tmpfs to compare with: run as root, or mount one on /dev/shm")
	}
	return shm, nil
}

// magic is the type of the filesystem at path, 0 if it cannot be told.
func magic(path string) int64 {
	var s syscall.Statfs_t
	if syscall.Statfs(path, &s) != nil {
		return 0
	}
	return int64(s.Type)
}

// diskName names the filesystem of the work directory, "" when it is in memory
// and so has no cold state.
func (l *lab) diskName() string {
	m := magic(l.dir)
	if m == magicTmpfs {
		return ""
	}
	if name, ok := diskNames[m]; ok {
		return name
	}
	return "disk"
}

// dropCaches makes the kernel forget entries, attributes and pages of every
// filesystem. It needs root.
func dropCaches() error {
	syscall.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}
