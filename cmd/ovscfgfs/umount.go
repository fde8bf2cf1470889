package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/fs"
)

// daemonEnd bounds how long umount waits for the daemon after the mount is gone.
const daemonEnd = 30 * time.Second

func umountCommand() *cli.Command {
	return &cli.Command{
		Name:         "umount",
		Usage:        "unmount, and wait for the daemon's end",
		ArgsUsage:    "MOUNTPOINT",
		Description:  "A mount in use stays, and the error says who uses it.",
		Flags:        []cli.Flag{&cli.BoolFlag{Name: "lazy", Usage: "detach a mount in use; those who use it keep it until they are done, and the daemon ends with the last of them"}},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1, " MOUNTPOINT"); err != nil {
				return err
			}
			path, err := ourMount(c.Args().First())
			if err != nil {
				return err
			}
			return umount(c.Context, path, c.Bool("lazy"))
		},
	}
}

func umount(ctx context.Context, path string, lazy bool) error {
	// A mount whose daemon is gone has no status, and can only be detached.
	status, _, statusErr := readStatus(path)
	if statusErr != nil {
		lazy = true
	}
	if err := unmountPath(path, lazy); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return failf(exitBusy, "%w, or detach it with umount --lazy", fs.BusyError(path))
		}
		if errors.Is(err, unix.EPERM) {
			return failf(exitFuse, "%s was mounted by another user: only that one and root can unmount it", path)
		}
		return err
	}
	if lazy {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, daemonEnd)
	defer cancel()
	if err := awaitExit(ctx, status.PID); err != nil {
		return failf(exitBusy, "%s is unmounted, but its daemon (pid %d) has not ended yet: %w", path, status.PID, err)
	}
	return nil
}

// awaitExit returns when the process has ended.
func awaitExit(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("it cannot be watched: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
		if ready > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
