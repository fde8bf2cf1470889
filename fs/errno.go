package fs

import (
	"errors"
	"log/slog"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// errnos is the one place where a refusal becomes an errno.
var errnos = [...]syscall.Errno{
	mapping.Other:        syscall.EIO,
	mapping.NotFound:     syscall.ENOENT,
	mapping.Exists:       syscall.EEXIST,
	mapping.NotDirectory: syscall.ENOTDIR,
	mapping.IsDirectory:  syscall.EISDIR,
	mapping.NotEmpty:     syscall.ENOTEMPTY,
	mapping.Invalid:      syscall.EINVAL,
	mapping.NameTooLong:  syscall.ENAMETOOLONG,
	mapping.Busy:         syscall.EBUSY,
	mapping.Stale:        syscall.ESTALE,
	mapping.CrossDevice:  syscall.EXDEV,
	mapping.NotPermitted: syscall.EPERM,
	mapping.NotSupported: syscall.ENOTSUP,
	mapping.ReadOnly:     syscall.EROFS,
	mapping.Denied:       syscall.EACCES,
	mapping.TooLarge:     syscall.EFBIG,
	mapping.MoveTooLarge: syscall.EMSGSIZE,
	mapping.NoSpace:      syscall.ENOSPC,
	mapping.TimedOut:     syscall.ETIMEDOUT,
	mapping.Canceled:     syscall.EINTR,
	mapping.Locked:       syscall.EAGAIN,
	mapping.NoLocks:      syscall.ENOLCK,
	mapping.LockLost:     syscall.EIO,
}

// errnoOf returns the errno of err, EIO for what is no *mapping.Error and no
// errno of the local disk.
func errnoOf(err error) syscall.Errno {
	var e *mapping.Error
	if errors.As(err, &e) && int(e.Kind) < len(errnos) {
		return errnos[e.Kind]
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return syscall.EIO
}

// fail answers err to the kernel and keeps its words for .ovscfgfs/errors and
// the attribute user.ovscfgfs.error of path. What becomes EIO is logged too,
// since nobody but the log's reader can do something about it.
func (s *server) fail(op, path string, err error) fuse.Status {
	return s.failMove(op, path, "", err)
}

// failMove is fail of an operation on two paths.
func (s *server) failMove(op, path, to string, err error) fuse.Status {
	if err == nil {
		return fuse.OK
	}
	errno := errnoOf(err)
	s.problems.addMove(op, path, to, errno, err)
	if errno == syscall.EIO {
		s.log.Error("operation failed", slog.String("op", op), slog.String("path", path), slog.Any("error", err))
	}
	return fuse.Status(errno)
}
