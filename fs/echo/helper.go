package echo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// firstLane is the descriptor of the first lane's socket in the helper.
const firstLane = 3

// parentCheck is how often the helper looks whether the daemon lives.
const parentCheck = time.Second

// Help is the helper process: args are those that Start gave it. It returns
// when there is nothing more to do; the process must end then.
func Help(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: echo MOUNTPOINT DEVICE LANES; the daemon starts it by itself")
	}
	device, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("device %q is no number", args[1])
	}
	lanes, err := strconv.Atoi(args[2])
	if err != nil || lanes < 1 || lanes > 64 {
		return fmt.Errorf("%q is no number of lanes", args[2])
	}
	// The daemon ends it; a signal to the group must not end it before.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	root, err := cloneMount(args[0], device)
	if err != nil {
		return err
	}
	done := make(chan struct{}, lanes)
	for k := range lanes {
		go func() {
			serveLane(root, firstLane+k)
			done <- struct{}{}
		}()
	}
	parent := os.Getppid()
	go func() {
		watchMount(device, parent)
		done <- struct{}{}
	}()
	<-done
	return nil
}

// cloneMount returns the root of a clone of the mount of a device.
func cloneMount(mountpoint string, device uint64) (int, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, mountpoint, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("open_tree %s: %w", mountpoint, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("fstat %s: %w", mountpoint, err)
	}
	if st.Dev != device {
		return 0, fmt.Errorf("%s is not the mount any more", mountpoint)
	}
	// The clone of a read-only mount is one too; the filesystem is not.
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return 0, fmt.Errorf("mount_setattr %s: %w", mountpoint, err)
	}
	return fd, nil
}

// serveLane tells the daemon its thread id and does what it is asked, until
// the daemon closes the socket.
func serveLane(root, socket int) {
	runtime.LockOSThread()
	buf := make([]byte, maxMessage)
	answer := binary.LittleEndian.AppendUint32(nil, uint32(unix.Gettid()))
	for {
		if _, err := unix.Write(socket, answer); err != nil {
			return
		}
		n, err := read(socket, buf)
		if err != nil || n == 0 {
			return
		}
		r, err := parseRequest(buf[:n])
		var result uint32
		if err == nil && r.Op == touchAll {
			result = r.touchAll(root)
		} else {
			if err == nil {
				err = r.do(root)
			}
			result = uint32(errnoOf(err))
		}
		answer = binary.LittleEndian.AppendUint32(answer[:0], result)
	}
}

// touchAll touches what can be touched, and returns how many that were.
func (r Request) touchAll(root int) (done uint32) {
	for path := range strings.SplitSeq(r.Path, pathSeparator) {
		if (Request{Op: Touch, Path: path}).do(root) == nil {
			done++
		}
	}
	return done
}

func read(fd int, buf []byte) (int, error) {
	for {
		n, err := unix.Read(fd, buf)
		if err != unix.EINTR {
			return n, err
		}
	}
}

func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return unix.EIO
}

// do repeats the change below root.
func (r Request) do(root int) error {
	switch r.Op {
	case Touch, TouchClose:
		// Of the change's time alone: with both times set the event would be ATTRIB.
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_NOW}}
		if err := unix.UtimesNanoAt(root, r.Path, times, unix.AT_SYMLINK_NOFOLLOW); err != nil || r.Op == Touch {
			return err
		}
		return openClose(root, r.Path, 0)
	case Create:
		return unix.Mknodat(root, r.Path, unix.S_IFREG|0o600, 0)
	case CreateClose:
		return openClose(root, r.Path, unix.O_CREAT|unix.O_EXCL)
	case Mkdir:
		return unix.Mkdirat(root, r.Path, 0o700)
	case Unlink:
		return unix.Unlinkat(root, r.Path, 0)
	case Rmdir:
		return unix.Unlinkat(root, r.Path, unix.AT_REMOVEDIR)
	case Link:
		return unix.Symlinkat(".", root, r.Path) // the daemon knows where it leads
	case Rename:
		return unix.Renameat(root, r.Path, root, r.To)
	case Exchange:
		return unix.Renameat2(root, r.Path, root, r.To, unix.RENAME_EXCHANGE)
	}
	return unix.ENOSYS
}

func openClose(root int, path string, flags int) error {
	fd, err := unix.Openat(root, path, flags|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// watchMount returns when the mount has left the mount table or the daemon is
// dead. A clone of the mount must not outlive it.
func watchMount(device uint64, parent int) {
	table, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for {
		if found, err := Mounted(device); err != nil || !found || !alive(parent) {
			if !alive(parent) {
				abort(device)
			}
			return
		}
		// An error of poll makes the loop no tighter than the timeout below.
		poll := []unix.PollFd{{Fd: int32(table), Events: unix.POLLPRI}}
		if _, err := unix.Poll(poll, int(parentCheck.Milliseconds())); err != nil && err != unix.EINTR {
			return
		}
	}
}

// alive reports whether the daemon lives. One whose first thread is a zombie
// may have others that can only end when the connection does.
func alive(parent int) bool {
	if os.Getppid() != parent {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", parent))
	if err != nil {
		return false
	}
	k := bytes.LastIndexByte(stat, ')')
	return k < 0 || k+2 >= len(stat) || stat[k+2] != 'Z' && stat[k+2] != 'X'
}

// abort ends the connection of a dead daemon, if /sys lets it: requests in the
// kernel that nobody will answer end then.
func abort(device uint64) {
	// It is only help: without fusectl the kernel ends them with the last descriptor.
	_ = os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", unix.Minor(device)), []byte("1"), 0)
}
