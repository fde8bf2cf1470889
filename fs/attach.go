package fs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// attach mounts: with mount(2) where this process may, else with the set-uid
// program fusermount3.
func (m *Mounted) attach(o *fuse.MountOptions) (server *fuse.Server, direct bool, err error) {
	if _, err := m.checkPoint(); err != nil {
		return nil, false, err
	}
	if os.Geteuid() == 0 {
		server, err = m.attachDirect(o)
		return server, true, err
	}
	if m.s.opt.ReadOnly {
		o.Options = append(o.Options, "ro")
	}
	server, err = fuse.NewServer(m.s.served(), m.point, o)
	return server, false, err
}

// checkPoint looks at the mountpoint before anything is mounted on it.
func (m *Mounted) checkPoint() (unix.Stat_t, error) {
	var st unix.Stat_t
	err := unix.Stat(m.point, &st)
	switch {
	case errors.Is(err, unix.ENOENT):
		return st, mapping.Errorf(mapping.NotFound, m.point, "the mountpoint does not exist; create it with: mkdir -p %s", m.point)
	case errors.Is(err, unix.ENOTCONN):
		return st, mapping.Errorf(mapping.Stale, m.point, "a mount whose daemon has died is still there; remove it with: umount -l %s", m.point)
	case err != nil:
		return st, mapping.Errorf(mapping.Other, m.point, "the mountpoint cannot be used: %w", err)
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return st, mapping.Errorf(mapping.NotDirectory, m.point, "the mountpoint is not a directory")
	}
	return st, nil
}

// attachDirect mounts with mount(2). It opens the device itself, close-on-exec:
// a program that this process runs must not keep the connection alive.
func (m *Mounted) attachDirect(o *fuse.MountOptions) (*fuse.Server, error) {
	st, err := m.checkPoint()
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	data := []string{
		fmt.Sprintf("fd=%d", fd), fmt.Sprintf("rootmode=%o", st.Mode&unix.S_IFMT),
		fmt.Sprintf("user_id=%d", os.Geteuid()), fmt.Sprintf("group_id=%d", os.Getegid()),
		fmt.Sprintf("max_read=%d", o.MaxWrite),
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV)
	if m.s.opt.ReadOnly {
		flags |= unix.MS_RDONLY
	}
	for _, option := range o.Options {
		if !mountFlag(option, &flags) {
			data = append(data, option)
		}
	}
	if o.AllowOther {
		data = append(data, "allow_other")
	}
	if err := m.mount(o, flags, strings.Join(data, ",")); err != nil {
		unix.Close(fd)
		return nil, err
	}
	server, err := fuse.NewServer(m.s.served(), fmt.Sprintf("/dev/fd/%d", fd), o)
	if err != nil {
		_ = unix.Unmount(m.point, unix.MNT_DETACH)
	}
	return server, err
}

// mount calls mount(2). Where events are raised on a read-only mount, only the
// mount is read-only and not the filesystem, so that the helper can repeat changes
// in a clone that is not. Nothing is served before it is so.
func (m *Mounted) mount(o *fuse.MountOptions, flags uintptr, data string) error {
	apart := flags&unix.MS_RDONLY != 0 && m.s.echoes != nil
	if !apart {
		return unix.Mount(o.FsName, m.point, "fuse."+o.Name, flags, data)
	}
	if err := unix.Mount(o.FsName, m.point, "fuse."+o.Name, flags&^unix.MS_RDONLY, data); err != nil {
		return err
	}
	const ofMount = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME | unix.MS_RELATIME
	err := unix.Mount("", m.point, "", unix.MS_REMOUNT|unix.MS_BIND|flags&ofMount, "")
	if err != nil {
		_ = unix.Unmount(m.point, unix.MNT_DETACH)
	}
	return err
}

// mountFlag puts an option that is a flag of mount(2) into flags.
func mountFlag(option string, flags *uintptr) bool {
	set, clear := map[string]uintptr{
		"ro": unix.MS_RDONLY, "nodev": unix.MS_NODEV, "nosuid": unix.MS_NOSUID, "noexec": unix.MS_NOEXEC,
		"noatime": unix.MS_NOATIME, "nodiratime": unix.MS_NODIRATIME, "relatime": unix.MS_RELATIME, "sync": unix.MS_SYNCHRONOUS,
	}[option], map[string]uintptr{
		"rw": unix.MS_RDONLY, "dev": unix.MS_NODEV, "suid": unix.MS_NOSUID, "exec": unix.MS_NOEXEC, "async": unix.MS_SYNCHRONOUS,
	}[option]
	*flags = *flags&^clear | set
	return set|clear != 0
}

// detach unmounts, unless the mount is in use.
func (m *Mounted) detach() error {
	if m.direct {
		return unix.Unmount(m.point, unix.UMOUNT_NOFOLLOW)
	}
	program, err := exec.LookPath("fusermount3")
	if err != nil {
		if program, err = exec.LookPath("fusermount"); err != nil {
			return err
		}
	}
	out, err := exec.Command(program, "-u", m.point).CombinedOutput()
	switch text := string(out); {
	case err == nil:
		return nil
	case strings.Contains(text, "busy"):
		return unix.EBUSY
	case strings.Contains(text, "not found"), strings.Contains(text, "not mounted"):
		return unix.EINVAL
	default:
		return fmt.Errorf("%s: %s", err, strings.TrimSpace(text))
	}
}
