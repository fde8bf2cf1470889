package model

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// held is a directory that is held, so that what is in it is found without the
// names above it, which the kernel looks up anew each time. It is not open.
type held int

func hold(path string) (held, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return held(fd), nil
}

// root is a path of the directory.
func (h held) root() string { return "/proc/self/fd/" + strconv.Itoa(int(h)) }

func (h held) letGo() { _ = syscall.Close(int(h)) }
