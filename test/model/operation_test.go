package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// operation is one change that a program makes on a mount.
type operation struct {
	what     string
	path, to string
	text     string
	n        int
}

func (o operation) String() string {
	s := fmt.Sprintf("%s %q", o.what, o.path)
	if o.to != "" {
		s += fmt.Sprintf(" to %q", o.to)
	}
	if o.text != "" {
		s += fmt.Sprintf(" %q", o.text)
	}
	if o.n != 0 {
		s += fmt.Sprintf(" %d", o.n)
	}
	return s
}

const scratchName = ".new"

// run performs it below root.
func (o operation) run(root string) error {
	at := func(path string) string { return filepath.Join(root, path) }
	switch o.what {
	case "write":
		return write(at(o.path), os.O_WRONLY|os.O_TRUNC, o.text, 0)
	case "append":
		return write(at(o.path), os.O_WRONLY|os.O_APPEND, o.text, 0)
	case "patch":
		return write(at(o.path), os.O_RDWR, o.text, o.n)
	case "create":
		err := write(at(o.path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, o.text, 0)
		if err != nil && !errors.Is(err, syscall.EEXIST) {
			err = errors.Join(err, awaitGone(at(o.path)))
		}
		return err
	case "truncate":
		return syscall.Truncate(at(o.path), int64(o.n))
	case "unlink":
		return syscall.Unlink(at(o.path))
	case "rmdir":
		return syscall.Rmdir(at(o.path))
	case "mkdir":
		return syscall.Mkdir(at(o.path), 0o755)
	case "settype":
		return syscall.Setxattr(at(o.path), "user.type", []byte(o.text), 0)
	case "rename":
		return unix.Renameat2(unix.AT_FDCWD, at(o.path), unix.AT_FDCWD, at(o.to), uint(o.n))
	case "replace":
		if err := write(at(scratchName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, o.text, 0); err != nil {
			return fmt.Errorf("%w: a scratch file: %w", errUnexpected, err)
		}
		err := syscall.Rename(at(scratchName), at(o.path))
		if err != nil {
			if gone := syscall.Unlink(at(scratchName)); gone != nil {
				return fmt.Errorf("%w: the scratch file of a refused rename: %w", errUnexpected, gone)
			}
		}
		return err
	case "view":
		return write(at(o.path)+".json", os.O_WRONLY|os.O_TRUNC, o.text, 0)
	case "yaml":
		return write(at(o.path)+".yaml", os.O_WRONLY|os.O_APPEND, o.text, 0)
	case "lines":
		return write(at(o.path)+".lines", os.O_WRONLY|os.O_APPEND, o.text, 0)
	case "unview":
		return syscall.Unlink(at(o.path) + ".json")
	}
	panic(o.what)
}

var errUnexpected = errors.New("unexpected")

func write(path string, flags int, text string, offset int) error {
	fd, err := retry(func() (int, error) { return syscall.Open(path, flags|syscall.O_CLOEXEC, 0o644) })
	if err != nil {
		return err
	}
	var n int
	if flags&os.O_RDWR != 0 {
		n, err = retry(func() (int, error) { return syscall.Pwrite(fd, []byte(text), int64(offset)) })
	} else {
		n, err = retry(func() (int, error) { return syscall.Write(fd, []byte(text)) })
	}
	if err == nil && n != len(text) {
		err = fmt.Errorf("%w: %d bytes of %d written", errUnexpected, n, len(text))
	}
	if closed := syscall.Close(fd); err == nil {
		err = closed
	}
	return err
}

// retry is for signals, which the Go runtime sends itself.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
