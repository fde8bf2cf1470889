package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
)

// mountState is the part of the state directory that belongs to one
// mountpoint, so that the mounts of a machine can share --state-dir.
func mountState(dir, mountpoint string) string {
	name := url.PathEscape(mountpoint)
	if len(name) > 200 {
		sum := sha256.Sum256([]byte(mountpoint))
		name = name[:160] + "-" + hex.EncodeToString(sum[:16])
	}
	return filepath.Join(dir, name)
}

// claimState makes this mount's own directory for scratch files and keeps
// another mount from using it at the same time.
func (d *daemon) claimState() error {
	d.config.stateDir = mountState(d.config.stateDir, d.config.mountpoint)
	if err := os.MkdirAll(d.config.stateDir, 0o700); err != nil {
		return failf(exitInput, "the state directory cannot be made: %w (give another with --state-dir)", err)
	}
	lock, err := os.OpenFile(d.config.stateDir+"/lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return failf(exitInput, "the state directory cannot be used: %w (give another with --state-dir)", err)
	}
	d.onStop(func() { _ = lock.Close() })
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return failf(exitMountpoint, "another ovscfgfs for %s still runs on %s: end it, or give another --state-dir", d.config.mountpoint, d.config.stateDir)
	}
	if err != nil {
		return failf(exitInput, "the state directory %s cannot be locked: %w", d.config.stateDir, err)
	}
	return nil
}
