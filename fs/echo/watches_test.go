package echo

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func FuzzParseWatch(f *testing.F) {
	f.Add([]byte("inotify wd:1 ino:2 sdev:35 mask:fc6 ignored_mask:0 fhandle-bytes:c fhandle-type:81 f_handle:000000000200000000000000"))
	f.Add([]byte("inotify wd:1 ino:2 sdev:35 mask:fc6 fhandle-type:1 f_handle:0200000000000000"))
	f.Add([]byte("inotify mask:zz f_handle: fhandle-type:81"))
	f.Fuzz(func(_ *testing.T, b []byte) { parseWatch(b) })
}

func TestParseWatch(t *testing.T) {
	node, mask, ok := parseWatch([]byte("inotify wd:1 ino:2 sdev:35 mask:8 ignored_mask:0 fhandle-bytes:c fhandle-type:81 f_handle:010000000203000000000000 \n"))
	if !ok || node != 1<<32|0x302 || mask != unix.IN_CLOSE_WRITE || !WantsClose(mask) {
		t.Errorf("node %x, mask %x, %v", node, mask, ok)
	}
}

// Other filesystems' watches are none of a FUSE mount.
func TestScanLeavesOutOtherDevices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("looking up who watches needs root")
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	dir := t.TempDir()
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY); err != nil {
		t.Fatal(err)
	}
	w, _, err := Scan(unix.Mkdev(0, 0xfffff))
	if err != nil || len(w) != 0 {
		t.Errorf("%v, %v", w, err)
	}
}

func TestDeviceOfTheMountTable(t *testing.T) {
	device, err := Device("/proc")
	if err != nil || device == 0 {
		t.Fatalf("%d, %v", device, err)
	}
	if ok, err := Mounted(device); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	if got := unescape(`/a\040b\134`); got != `/a b\` {
		t.Errorf("%q", got)
	}
}
