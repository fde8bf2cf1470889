package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:         "status",
		Usage:        "tell how the mounts of this machine are",
		ArgsUsage:    "[MOUNTPOINT]",
		Description:  "Exits with 3 when a mount has lost etcd, with 4 when nothing is mounted there or its daemon is gone.",
		Flags:        []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the mount's .ovscfgfs/status as it is"}},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 1, " [MOUNTPOINT]"); err != nil {
				return err
			}
			paths, err := statusPaths(c.Args().First())
			if err != nil {
				return err
			}
			var failed []error
			for _, path := range paths {
				failed = append(failed, printStatus(c.App.Writer, path, c.Bool("json")))
			}
			return errors.Join(failed...)
		},
	}
}

// statusPaths returns the named mount, or all of this machine.
func statusPaths(name string) ([]string, error) {
	if name != "" {
		path, err := ourMount(name)
		return []string{path}, err
	}
	list, err := mounts()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, m := range list {
		if m.fsType == fuseType {
			paths = append(paths, m.path)
		}
	}
	if len(paths) == 0 {
		return nil, failf(exitMountpoint, "no ovscfgfs is mounted on this machine: ovscfgfs mount does it")
	}
	return paths, nil
}

// ourMount resolves a path that must be the mountpoint of an ovscfgfs.
func ourMount(name string) (string, error) {
	path, err := resolve(name)
	if err != nil {
		return "", failf(exitMountpoint, "mountpoint %s cannot be reached: %w", name, err)
	}
	at, found, err := mountAt(path)
	if err != nil {
		return "", err
	}
	if !found || at.fsType != fuseType {
		return "", failf(exitMountpoint, "no ovscfgfs is mounted on %s (ovscfgfs status lists those that are)", name)
	}
	return path, nil
}

// mountStatus is what the commands read of .ovscfgfs/status.
type mountStatus struct {
	PID       int       `json:"pid"`
	Prefix    string    `json:"prefix"`
	ReadOnly  bool      `json:"read_only"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	Revision  int64     `json:"revision"`
	Keys      int       `json:"keys"`
}

func readStatus(mountpoint string) (mountStatus, []byte, error) {
	var status mountStatus
	data, err := readWithin(answerTime, filepath.Join(mountpoint, ".ovscfgfs", "status"))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return status, nil, failf(exitMountpoint, "the daemon of %s does not answer: end it (kill) and mount anew", mountpoint)
	case dead(err):
		return status, nil, failf(exitMountpoint, "the daemon of %s is gone: ovscfgfs umount %s cleans it up", mountpoint, mountpoint)
	case err != nil:
		return status, nil, failf(exitMountpoint, "the status of %s cannot be read: %w", mountpoint, err)
	}
	if err := json.Unmarshal(data, &status); err != nil {
		return status, data, failf(exitFailure, "the status of %s cannot be understood, is it of another version? %w", mountpoint, err)
	}
	return status, data, nil
}

// answerTime is how long a daemon may take to tell its status.
const answerTime = 10 * time.Second

// readWithin reads a file, or fails with os.ErrDeadlineExceeded when its daemon
// does not answer; the goroutine that waits for it then ends with the process.
func readWithin(limit time.Duration, name string) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := os.ReadFile(name)
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-time.After(limit):
		return nil, os.ErrDeadlineExceeded
	}
}

func printStatus(w io.Writer, mountpoint string, raw bool) error {
	status, data, err := readStatus(mountpoint)
	if err != nil {
		return err
	}
	if raw {
		_, err = w.Write(data)
	} else {
		_, err = fmt.Fprintln(w, statusLine(mountpoint, status))
	}
	if err == nil && !status.Connected {
		err = failf(exitEtcd, "%s has lost etcd and shows what it last knew", mountpoint)
	}
	return err
}

func statusLine(mountpoint string, s mountStatus) string {
	how := "read-write"
	if s.ReadOnly {
		how = "read-only"
	}
	link := "connected"
	if !s.Connected {
		link = "etcd out of reach"
	}
	if !s.Since.IsZero() {
		link += " since " + s.Since.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s: %s, %s, %d keys at revision %d, %s, pid %d", mountpoint, s.Prefix, how, s.Keys, s.Revision, link, s.PID)
}
