package fs

import (
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A directory that others have removed, of which the kernel has not been told yet, is not there
// for who removes it by its name: rm -rf of one tree on two mounts said that it is a directory.
func TestDirectoryThatOthersHaveRemoved(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/in/k": "1", "/ovs/d/k": "1"})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d, err := unix.Open(m.path("d"), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(d)
	held, err := unix.Open(m.path("d/in"), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held)
	release := m.withhold()
	m.store.del("/ovs/d/in/k")
	m.forgetAttributes("d/in")
	var st unix.Stat_t
	m.wantErr("stat", unix.Fstatat(d, "in", &st, unix.AT_SYMLINK_NOFOLLOW), syscall.ENOENT)
	m.wantErr("unlink", unix.Unlinkat(d, "in", 0), syscall.ENOENT)
	m.wantErr("rmdir", unix.Unlinkat(d, "in", unix.AT_REMOVEDIR), syscall.ENOENT)
	m.wantErr("rm -rf", os.RemoveAll(m.path("d/in")), nil)
	m.wantErr("fstat", unix.Fstat(held, &st), nil)
	if st.Nlink != 0 {
		t.Errorf("it has %d links", st.Nlink)
	}
	release()
	m.settle()
	if got := m.list("d"); len(got) != 1 {
		t.Errorf("it lists %q", got)
	}
}
