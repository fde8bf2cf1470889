package fs

import (
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// withhold keeps the notices of changes back until the function it returns is called.
func (m *mountedTest) withhold() (release func()) {
	type change struct {
		old, now *mapping.Tree
		keys     []string
	}
	var changes []change
	set := func(publish func(old, now *mapping.Tree, keys []string)) {
		m.store.mu.Lock()
		m.store.publish = publish
		m.store.mu.Unlock()
	}
	set(func(old, now *mapping.Tree, keys []string) { changes = append(changes, change{old, now, keys}) })
	return func() {
		set(m.Published)
		for _, c := range changes {
			m.Published(c.old, c.now, c.keys)
		}
	}
}

// forgetAttributes has the kernel ask for the attributes of what is at path.
func (m *mountedTest) forgetAttributes(path string) {
	m.s.notices.kernel.InodeNotify(m.s.inodeAt(path).id, -1, 0)
}

// A directory that has become a leaf, of which the kernel has not been told yet, has lost
// its name for who has it open, and is the leaf for who comes by its name.
func TestDirectoryThatBecameALeaf(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d": "5", "/ovs/d/in/k": "1", "/ovs/d/other/k": "1"})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, test := range []struct {
		what   string
		remove func(d int) error
	}{
		{"rmdir", func(d int) error { return unix.Unlinkat(d, "in", unix.AT_REMOVEDIR) }},
		{"unlink of what nobody has looked at", func(d int) error { return unix.Unlinkat(d, "new", 0) }},
		{"open", func(d int) error {
			_, err := unix.Openat(d, "new", unix.O_RDONLY, 0)
			return err
		}},
		{"stat", func(d int) error { return unix.Fstatat(d, "new", new(unix.Stat_t), 0) }},
	} {
		for _, ask := range []bool{true, false} {
			m.store.put(map[string]string{"/ovs/d/in/k": "1"})
			m.settle()
			d, err := unix.Open(m.path("d"), unix.O_RDONLY|unix.O_DIRECTORY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(m.path("d/in/k")); err != nil {
				t.Fatal(err)
			}
			m.store.del("/ovs/d/other/k")
			m.settle()
			release := m.withhold()
			m.wantErr("the last key", os.Remove(m.path("d/in/k")), nil)
			if ask {
				m.forgetAttributes("d")
			}
			m.wantErr(test.what, test.remove(d), syscall.ENOENT)
			release()
			m.settle()
			if got := m.read("d"); got != "5\n" {
				t.Errorf("it reads %q", got)
			}
			if err := unix.Close(d); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Whoever comes by the name finds the leaf, however many do.
func TestLeafThatWasADirectory(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d": "5", "/ovs/d/k": "1"})
	if _, err := os.Lstat(m.path("d/k")); err != nil {
		t.Fatal(err)
	}
	release := m.withhold()
	defer release()
	m.wantErr("the last key", os.Remove(m.path("d/k")), nil)
	m.forgetAttributes("d")
	if got := m.read("d"); got != "5\n" {
		t.Errorf("it reads %q", got)
	}
	if _, err := os.Lstat(m.path("d/k")); err == nil || os.IsNotExist(err) {
		t.Errorf("a name in the leaf: %v", err)
	}
}
