package fs

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func (m *mountedTest) write(name, content string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
	m.quiet()
}

func (m *mountedTest) wantErr(what string, err error, want error) {
	m.t.Helper()
	if !errors.Is(err, want) {
		m.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestNewFiles(t *testing.T) {
	for _, c := range []struct{ path, content, key, want string }{
		{"k", "5\n", "/ovs/k", "5"},
		{"k", "true\n", "/ovs/k", "true"},
		{"k", "text\n", "/ovs/k", `"text"`},
		{"k", "a\nb\n", "/ovs/k", "a\nb\n"},
		{"k", `{"a": 1}` + "\n", "/ovs/k", `{"a": 1}`},
		{"k", "\xff\xfe", "/ovs/k", "\xff\xfe"},
		{"k", "", "/ovs/k", `""`},
		{"c.ini", "[a]\nb=1\n", "/ovs/c.ini", "[a]\nb=1\n"},
		{"dir/deep/k", "5\n", "/ovs/dir/deep/k", "5"},
		{"c/new", "5\n", "/ovs/c", `{"a": 1, "new": 5}`},
		{"c/new", "a\nb\n", "/ovs/c", `{"a": 1, "new": "a\nb"}`},
		{"l/2", "x\n", "/ovs/l", `[1, 2, "x"]`},
	} {
		m := mountTree(t, map[string]string{"/ovs/c": `{"a": 1}`, "/ovs/l": "[1, 2]"})
		if dir, _ := splitPath(c.path); strings.HasPrefix(dir, "dir") {
			if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		n := m.commits(func() { m.write(c.path, c.content) })
		m.want(c.key, c.want)
		if n != 1 {
			t.Errorf("%s: %d commits, want 1", c.path, n)
		}
		if c.content != "\xff\xfe" && !strings.HasPrefix(c.content, "{") {
			if got := m.read(c.path); got != c.content {
				t.Errorf("%s reads %q, want %q", c.path, got, c.content)
			}
		}
	}
}

func TestNewFileIsShownBeforeItIsStored(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	f, err := os.Create(m.path("new"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("line 1\n"); err != nil {
		t.Fatal(err)
	}
	if got := m.list(""); strings.Join(got, " ") != "a new" {
		t.Errorf("listing: %q", got)
	}
	if got := m.read("new"); got != "line 1\n" {
		t.Errorf("read %q", got)
	}
	m.want("/ovs/new", "(no such key)")
	if st, err := os.Stat(m.path("new")); err != nil || st.Size() != 7 {
		t.Errorf("stat: %v %v", st, err)
	}
	if _, err := os.OpenFile(m.path("new"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("O_EXCL: %v", err)
	}
	if _, err := f.WriteString("line 2\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	m.want("/ovs/new", "line 1\nline 2\n")
	if n := m.store.count(); n != 1 {
		t.Errorf("%d commits", n)
	}
}

func TestUnlinkBeforeItIsStored(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	f, err := os.Create(m.path("new"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.path("new")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("lost\n"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	m.quiet()
	if n := m.store.count(); n != 0 {
		t.Errorf("%d commits", n)
	}
	if got := m.list(""); len(got) != 1 {
		t.Errorf("listing: %q", got)
	}
}

func TestDirectories(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1", "/ovs/c": "{}"})
	m.sh("bash", `set -e
		mkdir d d/e c/sub
		test -d d/e
		rmdir d/e
		mkdir d/e
		echo 1 > d/e/k
		test "$(ls d)" = e
		! rmdir d 2>/dev/null
		rm d/e/k
		test -d d/e # emptied here, it stays for who made it
		rmdir d/e d
		! test -e d
		rmdir c/sub
		! mkdir a 2>/dev/null`, 0)
	m.want("/ovs/c", "{}")
	if got := m.list(""); strings.Join(got, " ") != "a c" && strings.Join(got, " ") != "c a" {
		t.Errorf("listing: %q", got)
	}
}

func TestRemoveTrees(t *testing.T) {
	m := mountTree(t, map[string]string{
		"/ovs/t/a": "1", "/ovs/t/b/c": `{"x": [1, 2, [3, 4]], "y": {"z": null}}`, "/ovs/t/b/d": "raw\ntext", "/ovs/keep": "1",
	})
	m.sh("bash", "touch t/b/.scratch; rm -r t", 0)
	if got := m.list(""); len(got) != 1 {
		t.Errorf("listing: %q", got)
	}
	if n := m.store.Tree().Keys(); n != 1 {
		t.Errorf("%d keys are left", n)
	}
}

func TestArrays(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/l": "[1, 2, 3]"})
	m.wantErr("remove from the middle", os.Remove(m.path("l/1")), syscall.EBUSY)
	m.wantErr("a gap", os.WriteFile(m.path("l/7"), nil, 0o644), syscall.EINVAL)
	if err := os.Remove(m.path("l/2")); err != nil {
		t.Fatal(err)
	}
	m.write("l/2", "x\n")
	m.want("/ovs/l", `[1, 2, "x"]`)
}

func TestRenames(t *testing.T) {
	values := map[string]string{
		"/ovs/a": "1", "/ovs/b": "2", "/ovs/c": `{"x": 1, "y": 2, "z": {"w": 3}}`, "/ovs/d/k1": "1", "/ovs/d/s/k2": "2",
	}
	for _, c := range []struct {
		script string
		want   map[string]string
	}{
		{"mv a new", map[string]string{"/ovs/a": "(no such key)", "/ovs/new": "1"}},
		{"mv a b", map[string]string{"/ovs/a": "(no such key)", "/ovs/b": "1"}},
		{"mv c/x c/first", map[string]string{"/ovs/c": `{"first": 1, "y": 2, "z": {"w": 3}}`}},
		{"mv c/x c/z/x", map[string]string{"/ovs/c": `{"y": 2, "z": {"w": 3, "x": 1}}`}},
		{"mv c/z z", map[string]string{"/ovs/c": `{"x": 1, "y": 2}`}},
		{"mv d e", map[string]string{"/ovs/e/k1": "1", "/ovs/e/s/k2": "2", "/ovs/d/k1": "(no such key)"}},
		{"touch d/.s; mv d e; test -e e/.s", map[string]string{"/ovs/e/k1": "1"}},
		{"mkdir e; mv -T d e", map[string]string{"/ovs/e/k1": "1"}},
		{"mkdir e; mv d e", map[string]string{"/ovs/e/d/k1": "1"}},
		{"mkdir e; mv e f; echo 1 > f/k", map[string]string{"/ovs/f/k": "1"}},
		{"mv -n a b", map[string]string{"/ovs/a": "1", "/ovs/b": "2"}},
		{"cd d && mv ../d ../e && cat k1", map[string]string{"/ovs/e/k1": "1"}},
	} {
		m := mountTree(t, values)
		status := 0
		if strings.HasPrefix(c.script, "mv -n") {
			status = 1 // coreutils 9.2 and later
		}
		func() {
			defer func() {
				if t.Failed() {
					t.Log(c.script)
				}
			}()
			if status == 1 {
				m.sh("bash", c.script+" || test $? = 1", 0)
			} else {
				m.sh("bash", c.script, 0)
			}
			for key, value := range c.want {
				m.want(key, value)
			}
		}()
	}
}

func TestExchange(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1", "/ovs/b": "2"})
	swap := func() error {
		return unix.Renameat2(unix.AT_FDCWD, m.path("a"), unix.AT_FDCWD, m.path("b"), unix.RENAME_EXCHANGE)
	}
	n := m.commits(func() {
		if err := swap(); err != nil {
			t.Fatal(err)
		}
	})
	if a, b := m.read("a"), m.read("b"); a != "2\n" || b != "1\n" || n != 1 {
		t.Errorf("a %q b %q, %d commits", a, b, n)
	}
	err := unix.Renameat2(unix.AT_FDCWD, m.path("a"), unix.AT_FDCWD, m.path("b"), unix.RENAME_NOREPLACE)
	m.wantErr("RENAME_NOREPLACE", err, syscall.EEXIST)
}

func TestInodeNumbersStay(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config, "/ovs/a": "1"})
	ino := func(name string) uint64 {
		st, err := os.Stat(m.path(name))
		if err != nil {
			t.Fatal(err)
		}
		return st.Sys().(*syscall.Stat_t).Ino
	}
	before := ino("c/port")
	for _, script := range []string{
		"echo 1 > c/port", "sed -i s/1/2/ c/port", "perl -i -pe s/2/3/ c/port",
		"vim -u NONE -es -c 'set backupcopy=no backupskip=' -c %s/3/4/ -c wq c/port", "mv c/port c/port~; echo 5 > c/port",
	} {
		m.sh("bash", script, 0)
		if now := ino("c/port"); now != before {
			t.Errorf("after %s: inode %d, was %d", script, now, before)
		}
	}
	// cp compares numbers to tell whether two names are one file.
	m.sh("bash", "set -e; mv a b; echo 2 > a; cp b a; cp c/port c/port~; mv a a~; echo 3 > a; cp a a~", 0)
}

func TestScratchSurvives(t *testing.T) {
	state := t.TempDir()
	keep := func(o *Options) { o.StateDir = state }
	m := mountTree(t, map[string]string{"/ovs/d/a": "1"}, keep)
	m.sh("bash", "echo one > d/.a.swp; mkdir d/empty .work; echo two > .work/port; chmod 600 d/.a.swp; ln -s x d/.#a", 0)
	if n := m.store.count(); n != 0 {
		t.Errorf("%d commits", n)
	}
	m.end()
	m = mountTree(t, map[string]string{"/ovs/d/a": "1"}, keep)
	m.sh("bash", `test $(cat d/.a.swp) = one -a $(cat .work/port) = two -a -d d/empty -a $(stat -c %a d/.a.swp) = 600 -a "$(readlink d/.#a)" = x`, 0)
	m.store.put(map[string]string{"/ovs/d/.a.swp": "etcd"})
	m.settle()
	await(t, "what is in etcd wins", func() bool { return m.read("d/.a.swp") == "etcd\n" })
}
