package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// resolve returns the absolute path without symlinks, as mountinfo has it. The
// mountpoint itself may be one whose daemon has died.
func resolve(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(absolute)
	if !dead(err) {
		return resolved, err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(absolute))
	return filepath.Join(parent, filepath.Base(absolute)), err
}

// dead reports the errors of a mount whose daemon is gone.
func dead(err error) bool {
	return errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ECONNABORTED)
}

// prepareMountpoint returns the resolved path of a directory that can be
// mounted on. A stale mount that a dead ovscfgfs left there is cleaned away.
func prepareMountpoint(path string, nonempty bool, logger *slog.Logger) (string, error) {
	if path == "" {
		return "", failf(exitUsage, "no mountpoint: name a directory")
	}
	resolved, err := resolve(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", failf(exitMountpoint, "mountpoint %s does not exist: make it first (mkdir -p %s)", path, path)
	case err != nil:
		return "", failf(exitMountpoint, "mountpoint %s cannot be reached: %w", path, err)
	}
	if err := cleanStale(resolved, logger); err != nil {
		return "", err
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return "", failf(exitMountpoint, "mountpoint %s cannot be reached: %w", path, err)
	}
	if !info.IsDir() {
		return "", failf(exitMountpoint, "mountpoint %s is not a directory: name an empty directory", path)
	}
	if nonempty {
		return resolved, nil
	}
	directory, err := os.Open(resolved)
	if err != nil {
		return "", failf(exitMountpoint, "mountpoint %s cannot be read: %w", path, err)
	}
	defer func() { _ = directory.Close() }()
	if _, err := directory.Readdirnames(1); !errors.Is(err, io.EOF) {
		return "", failf(exitMountpoint, "mountpoint %s is not empty, the mount would hide what is in it: name an empty directory, or give -o nonempty", path)
	}
	return resolved, nil
}

// cleanStale refuses a mountpoint that is in use by another ovscfgfs, and
// detaches dead ones, which may lie on top of each other.
func cleanStale(path string, logger *slog.Logger) error {
	for {
		at, found, err := mountAt(path)
		if err != nil {
			return err
		}
		if !found || at.fsType != fuseType {
			return nil
		}
		// Not stat: the kernel answers that from what it has cached.
		if err := unix.Statfs(path, new(unix.Statfs_t)); !dead(err) {
			return failf(exitMountpoint, "an ovscfgfs is mounted on %s already: ovscfgfs umount %s ends it", path, path)
		}
		logger.Warn("detaching a stale mount whose daemon is gone", "mountpoint", path)
		if err := unmountPath(path, true); err != nil {
			return failf(exitMountpoint, "%s has a stale mount that cannot be detached: %w (umount -l %s as root)", path, err, path)
		}
	}
}

// unmountPath unmounts as root does, or else through fusermount3, which may
// unmount what its caller mounted. A lazy unmount detaches a mount in use.
func unmountPath(path string, lazy bool) error {
	flags, option := unix.UMOUNT_NOFOLLOW, "-u"
	if lazy {
		flags, option = flags|unix.MNT_DETACH, "-uz"
	}
	err := unix.Unmount(path, flags)
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	program, missing := fusermount()
	if missing != nil {
		return missing
	}
	output, err := exec.Command(program, option, "--", path).CombinedOutput()
	if err == nil {
		return nil
	}
	if at, found, _ := mountAt(path); found && at.fsType == fuseType && !lazy {
		// fusermount3 says EBUSY only in words.
		return unix.EBUSY
	}
	return failf(exitFailure, "%s", oneLine(string(output)))
}

func fusermount() (string, error) {
	for _, name := range []string{"fusermount3", "fusermount"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", failf(exitFuse, "fusermount3 is not installed, and only root can do without it: install the package fuse3")
}

// checkFUSE says what a mount needs that is not there.
func checkFUSE(device string, allowOther bool) error {
	if _, err := os.Stat(device); err != nil {
		return failf(exitFuse, "there is no %s: load the kernel module (modprobe fuse), or give the container --device %s --cap-add SYS_ADMIN", device, device)
	}
	if os.Geteuid() == 0 {
		return nil
	}
	// fusermount3 opens it with the rights of its caller.
	file, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return failf(exitFuse, "this user may not use %s: mount as root, or let root allow it (chmod 666 %s, as most systems have it)", device, device)
	}
	_ = file.Close()
	if _, err := fusermount(); err != nil {
		return err
	}
	if allowOther && !userAllowOther("/etc/fuse.conf") {
		return failf(exitFuse, "-o allow_other is root's to give: write the line user_allow_other into /etc/fuse.conf, or leave it away")
	}
	return nil
}
