package model

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

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

// elsewhere reports whether it changes other names than those that the kernel
// is told: of these the mount tells it a moment later.
func (o operation) elsewhere() bool {
	switch o.what {
	case "settype", "view", "yaml", "lines", "relines", "unview":
		return true
	}
	return false
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
	case "rm -r":
		return removeAll(at(o.path), o.n)
	case "backup":
		return backup(at(o.path), o.text)
	case "away and back":
		if err := syscall.Rename(at(o.path), at(o.path)+"~"); err != nil {
			return err
		}
		return syscall.Rename(at(o.path)+"~", at(o.path))
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
	case "relines":
		return write(at(o.path)+".lines", os.O_WRONLY|os.O_TRUNC, o.text, 0)
	case "unview":
		return syscall.Unlink(at(o.path) + ".json")
	}
	panic(o.what)
}

// removeAll removes a directory with all in it, with the real rm if tool is set.
func removeAll(path string, tool int) error {
	if tool == 0 {
		return os.RemoveAll(path)
	}
	if out, err := exec.Command("rm", "-r", path).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %w: %s", errUnexpected, err, out)
	}
	return nil
}

// backup changes a file as an editor does, that keeps a backup for a while.
func backup(path, text string) error {
	if err := syscall.Rename(path, path+"~"); err != nil {
		return err
	}
	if err := write(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, text, 0); err != nil {
		return err
	}
	return syscall.Unlink(path + "~")
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

// readFile is os.ReadFile without what that does for pipes and sockets.
func readFile(path string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = syscall.Close(fd) }()
	var content []byte
	buffer := make([]byte, 16<<10)
	for {
		n, err := retry(func() (int, error) { return syscall.Read(fd, buffer) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return content, nil
		}
		content = append(content, buffer[:n]...)
	}
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

// awaitGone returns when nothing has the name: a file that could not be stored
// goes with the last close, which the kernel tells a moment later.
func awaitGone(path string) error {
	for deadline := time.Now().Add(time.Minute); ; {
		if _, err := os.Lstat(path); errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTDIR) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s is still there after it was refused", errUnexpected, path)
		}
		time.Sleep(time.Millisecond)
	}
}
