package fs

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestModes(t *testing.T) {
	m := mountTree(t, map[string]string{
		"/ovs/doc":    `{"user": "u", "password": "p", "url": "https://u:p@host/", "plain": "https://host/", "tokens": ["a", "b"]}`,
		"/ovs/open":   "1",
		"/ovs/dir/my": "x",
	}, func(o *Options) { o.FileMode, o.DirMode, o.UID, o.GID = 0o640, 0o750, 7, 8 })
	for path, want := range map[string]os.FileMode{
		"doc": os.ModeDir | 0o750, "dir": os.ModeDir | 0o750, "open": 0o640, "doc/user": 0o640, "doc/plain": 0o640,
		"doc/password": 0o600, "doc/url": 0o600, "doc/tokens/1": 0o600, "doc.json": 0o600, "dir.json": 0o640,
		".ovscfgfs/status": 0o440,
	} {
		fi, err := os.Stat(m.path(path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if fi.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, fi.Mode(), want)
		}
		if st := fi.Sys().(*syscall.Stat_t); st.Uid != 7 || st.Gid != 8 {
			t.Errorf("%s belongs to %d:%d", path, st.Uid, st.Gid)
		}
	}
}

// Inode numbers come from the path: they stay when a value changes, from mount
// to mount and in each mount.
func TestInodeNumbersComeFromPaths(t *testing.T) {
	numbers := func(m *mountedTest) (list []uint64) {
		for _, path := range []string{"doc", "doc/a", "dir/k", "doc/list/0"} {
			var st unix.Stat_t
			if err := unix.Stat(m.path(path), &st); err != nil {
				t.Fatal(err)
			}
			list = append(list, st.Ino)
		}
		return list
	}
	values := map[string]string{"/ovs/doc": `{"a": 1, "list": [1]}`, "/ovs/dir/k": "1"}
	m := mountTree(t, values)
	first := numbers(m)
	m.store.put(map[string]string{"/ovs/doc": `{"list": [22], "a": 2}`, "/ovs/dir/k": "2"})
	m.settle()
	for name, again := range map[string][]uint64{"after a change": numbers(m), "on another mount": numbers(mountTree(t, values, readOnly))} {
		for k := range first {
			if first[k] != again[k] {
				t.Errorf("%s the numbers are %v, they were %v", name, again, first)
				break
			}
		}
	}
	// What a listing says is what stat says.
	out, err := exec.Command("ls", "-i", m.path("dir")).Output()
	if fields := strings.Fields(string(out)); err != nil || len(fields) != 2 {
		t.Fatalf("ls -i: %q, %v", out, err)
	}
}

func TestTimes(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/doc": `{"a": 1, "b": 1}`})
	stat := func(path string) os.FileInfo {
		fi, err := os.Stat(m.path(path))
		if err != nil {
			t.Fatal(err)
		}
		return fi
	}
	a, b := stat("doc/a"), stat("doc/b")
	m.store.put(map[string]string{"/ovs/doc": `{"a": 2, "b": 1}`})
	m.settle()
	if !stat("doc/a").ModTime().After(a.ModTime()) {
		t.Error("a changed field keeps its time")
	}
	if !stat("doc/b").ModTime().Equal(b.ModTime()) {
		t.Error("a field that did not change has a new time")
	}
}

func TestStatfs(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	var st unix.Statfs_t
	if err := unix.Statfs(m.dir, &st); err != nil {
		t.Fatal(err)
	}
	if total, free := int64(st.Blocks)*st.Bsize, int64(st.Bfree)*st.Bsize; total != 1<<30 || total-free != 1<<20 || st.Namelen != 255 {
		t.Errorf("%d bytes, %d free, names of %d", total, free, st.Namelen)
	}
}

// tar, find and ls see what the tree has.
func TestToolsSeeTheTree(t *testing.T) {
	m := mountTree(t, sample())
	out, err := exec.Command("sh", "-c", `cd "$1" && find . | LC_ALL=C sort && tar cf - . | tar tf - | wc -l && grep -rl 26203 . && ls -l vpools/p/hosts/h/config | wc -l`, "sh", m.dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	want := `.
./arakoon
./arakoon/c
./arakoon/c/config
./both
./both/.value
./both/below
./large
./plain
./text
./vpools
./vpools/p
./vpools/p/hosts
./vpools/p/hosts/h
./vpools/p/hosts/h/config
./vpools/p/hosts/h/config/empty
./vpools/p/hosts/h/config/list
./vpools/p/hosts/h/config/list/0
./vpools/p/hosts/h/config/list/1
./vpools/p/hosts/h/config/list/2
./vpools/p/hosts/h/config/list/2/0
./vpools/p/hosts/h/config/name
./vpools/p/hosts/h/config/none
./vpools/p/hosts/h/config/on
./vpools/p/hosts/h/config/password
./vpools/p/hosts/h/config/port
26
./vpools/p/hosts/h/config/port
8
`
	if string(out) != want {
		t.Errorf("they say:\n%s\nwant:\n%s", out, want)
	}
}

// TestModeGoesWithTheDirectory: what has the name of a removed directory next has nothing of it.
func TestModeGoesWithTheDirectory(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1"})
	if out := m.sh("bash", "mkdir d; echo 1 > d/x; chmod 700 d; rm -r d; echo 1 > d; stat -c %a d", 0); out != "644\n" {
		t.Errorf("the mode is %s", out)
	}
}
