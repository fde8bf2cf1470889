package fs

import (
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// byPath are changes that programs make in a directory d, which is about to be called e, with
// the keys that there have to be then.
var byPath = []struct {
	name   string
	change func(m *mountedTest) error
	want   []string
	check  func(m *mountedTest)
}{
	{"truncate", func(m *mountedTest) error { return os.Truncate(m.path("d/f"), 1) }, nil,
		func(m *mountedTest) { m.want("/ovs/e/f", "1") }},
	{"open and write", func(m *mountedTest) error { return os.WriteFile(m.path("d/f"), []byte("2\n"), 0) }, nil,
		func(m *mountedTest) { m.want("/ovs/e/f", "2") }},
	{"new file", func(m *mountedTest) error { return os.WriteFile(m.path("d/g"), []byte("2\n"), 0o644) }, []string{"/ovs/e/g"}, nil},
	{"mknod", func(m *mountedTest) error {
		if err := unix.Mknod(m.path("d/g"), unix.S_IFREG|0o644, 0); err != nil {
			return err
		}
		return os.WriteFile(m.path("d/g"), []byte("2\n"), 0o644)
	}, []string{"/ovs/e/g"}, nil},
	{"symlink", func(m *mountedTest) error { return os.Symlink("f", m.path("d/g")) }, []string{"/ovs/e/g"}, nil},
	{"mkdir in a document", func(m *mountedTest) error { return os.Mkdir(m.path("d/doc/new"), 0o755) }, nil,
		func(m *mountedTest) { m.want("/ovs/e/doc", `{"a": 1, "new": {}}`) }},
	{"mkdir", func(m *mountedTest) error { return os.Mkdir(m.path("d/new"), 0o755) }, nil, nil},
	{"type", func(m *mountedTest) error { return unix.Setxattr(m.path("d/f"), xattrType, []byte("string"), 0) }, nil,
		func(m *mountedTest) { m.want("/ovs/e/f", `"100"`) }},
	{"type of the directory", func(m *mountedTest) error { return unix.Setxattr(m.path("d/doc"), xattrType, []byte("directory"), 0) }, []string{"/ovs/e/doc/a"}, nil},
	{"text", func(m *mountedTest) error { return unix.Setxattr(m.path("d/f"), xattrText, []byte("1e2"), 0) }, nil, nil},
	{"touch of a counter", func(m *mountedTest) error { return os.Chtimes(m.path("d/f"), time.Time{}, time.Now()) }, nil, nil},
	{"chmod", func(m *mountedTest) error { return os.Chmod(m.path("d/f"), 0o600) }, nil, func(m *mountedTest) {
		if info, err := os.Stat(m.path("e/f")); err != nil || info.Mode() != 0o600 {
			m.t.Errorf("%v, %v", info, err)
		}
	}},
	{"scratch file", func(m *mountedTest) error { return os.WriteFile(m.path("d/.x"), []byte("x"), 0o644) }, nil, nil},
	{"scratch file into the tree", func(m *mountedTest) error {
		if err := os.WriteFile(m.path("d/.x"), []byte("7\n"), 0o644); err != nil {
			return err
		}
		f, err := unix.Open(m.path("d/.x"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := os.Rename(m.path("d/.x"), m.path("d/f")); err != nil {
			return err
		}
		if _, err := unix.Pwrite(f, []byte("8"), 0); err != nil {
			return err
		}
		return unix.Close(f)
	}, nil, func(m *mountedTest) { m.want("/ovs/e/f", "8") }},
	{"unlink", func(m *mountedTest) error { return os.Remove(m.path("d/f")) }, []string{"-/ovs/e/f"}, nil},
	{"rmdir", func(m *mountedTest) error { return os.Remove(m.path("d/empty")) }, []string{"-/ovs/e/empty"}, nil},
	{"rename in it", func(m *mountedTest) error { return os.Rename(m.path("d/f"), m.path("d/doc/f")) }, []string{"-/ovs/e/f"}, nil},
	{"rename out of it", func(m *mountedTest) error { return os.Rename(m.path("d/f"), m.path("f")) }, []string{"-/ovs/e/f", "/ovs/f"}, nil},
	{"rename into it", func(m *mountedTest) error { return os.Rename(m.path("k"), m.path("d/k")) }, []string{"-/ovs/k", "/ovs/e/k"}, nil},
}

// renameWays make a change while d gets the name e.
var renameWays = map[string]func(m *mountedTest, change func() error) (changed, renamed error){
	"during the change": renamedDuring,
	"before the rename": changedBefore,
	"after the rename":  changedAfter,
}

// TestPathOfAChangeIsRenamed renames a directory while a program makes a change in it: before the
// change is stored, after it was looked up where it goes, and before the mount has come to terms with the rename.
func TestPathOfAChangeIsRenamed(t *testing.T) {
	for name, way := range renameWays {
		for _, c := range byPath {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				m := mountTree(t, map[string]string{"/ovs/k": "1", "/ovs/d/f": "100", "/ovs/d/doc": `{"a": 1}`, "/ovs/d/empty": "{}"}, withReferences)
				for _, path := range []string{"d/f", "d/doc", "d/empty", "k"} {
					if _, err := os.Stat(m.path(path)); err != nil {
						t.Fatal(err)
					}
				}
				changed, renamed := way(m, func() error { return c.change(m) })
				m.wantErr("rename", renamed, nil)
				m.settle()
				if changed != nil && changed != syscall.ENOENT && !os.IsNotExist(changed) {
					t.Error(changed) // the directory it was looked up in may be gone for a path that is looked up anew
				}
				want := []string{"/ovs/e/doc", "/ovs/e/empty", "/ovs/e/f", "/ovs/k"}
				if changed == nil {
					for _, key := range c.want {
						if gone, ok := strings.CutPrefix(key, "-"); ok {
							want = slices.DeleteFunc(want, func(key string) bool { return key == gone })
						} else if !strings.HasSuffix(key, "/doc/a") {
							want = append(want, key)
						} else {
							want[0] = key
						}
					}
					if c.check != nil {
						c.check(m)
					}
				} else {
					t.Logf("it was refused: %v", changed)
				}
				slices.Sort(want)
				m.wantKeys(want...)
				if got := m.list(""); slices.Contains(got, "d") || !slices.Contains(got, "e") {
					t.Errorf("it lists %q", got)
				}
				for _, name := range m.list("e") {
					if _, err := os.Lstat(m.path("e/" + name)); err != nil {
						t.Errorf("it lists %v", err)
					}
				}
			})
		}
	}
}

// until waits for done as long as there may be something in its way.
func until(done chan error) {
	select {
	case err := <-done:
		done <- err
	case <-time.After(grace):
	}
}

func renamedDuring(m *mountedTest, change func() error) (changed, renamed error) {
	done := m.renameDuringCommit("d", "e")
	changed = change()
	m.store.mu.Lock()
	idle := m.store.before != nil
	m.store.before = nil
	m.store.mu.Unlock()
	if idle { // it has stored nothing
		return changed, os.Rename(m.path("d"), m.path("e"))
	}
	return changed, <-done
}

// changedBefore has the change begin before the rename is stored, and store after that.
func changedBefore(m *mountedTest, change func() error) (changed, renamed error) {
	done, over, stores := make(chan error, 1), make(chan struct{}), make(chan error, 1)
	m.store.mu.Lock()
	m.store.before = func() {
		m.store.mu.Lock()
		m.store.before = func() {
			stores <- nil
			<-over
		}
		m.store.mu.Unlock()
		go func() { done <- change() }()
		select {
		case <-stores:
		case err := <-done:
			done <- err
		case <-time.After(grace):
		}
	}
	m.store.mu.Unlock()
	renamed = os.Rename(m.path("d"), m.path("e"))
	close(over)
	changed = <-done
	m.store.mu.Lock()
	m.store.before = nil
	m.store.mu.Unlock()
	return changed, renamed
}

// changedAfter has the change made between the moment at which the tree shows the rename and its end.
func changedAfter(m *mountedTest, change func() error) (changed, renamed error) {
	done := make(chan error, 1)
	m.store.mu.Lock()
	m.store.after = func() {
		go func() { done <- change() }()
		until(done)
	}
	m.store.mu.Unlock()
	renamed = os.Rename(m.path("d"), m.path("e"))
	return <-done, renamed
}

// An empty file is stored after its close has returned, which may be while its directory is made a document.
func TestDirectoryGetsItsFirstKeyWhileItIsMadeADocument(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1"})
	m.mkdir("d")
	m.store.mu.Lock()
	m.store.before = func() { m.store.put(map[string]string{"/ovs/d/f": `""`}) }
	m.store.mu.Unlock()
	m.wantErr("setxattr", unix.Setxattr(m.path("d"), xattrType, []byte("object"), 0), nil)
	m.wantKeys("/ovs/d", "/ovs/k")
	m.want("/ovs/d", "{\n    \"f\": \"\"\n}")
}

// A scratch file that has become one of the tree goes where that goes, for who has it open.
func TestWhatWasAScratchFileFollowsRenames(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(m *mountedTest) error
		want []string
	}{
		{"its directory", func(m *mountedTest) error { return os.Rename(m.path("d"), m.path("e")) }, []string{"/ovs/e/f=2", "/ovs/e/g=1", "/ovs/k=0"}},
		{"itself", func(m *mountedTest) error { return os.Rename(m.path("d/f"), m.path("h")) }, []string{"/ovs/d/g=1", "/ovs/h=2", "/ovs/k=0"}},
		{"an exchange", func(m *mountedTest) error {
			return unix.Renameat2(unix.AT_FDCWD, m.path("d/f"), unix.AT_FDCWD, m.path("k"), unix.RENAME_EXCHANGE)
		}, []string{"/ovs/d/f=0", "/ovs/d/g=1", "/ovs/k=2"}},
		{"overwritten", func(m *mountedTest) error { return os.Rename(m.path("k"), m.path("d/f")) }, []string{"/ovs/d/f=0", "/ovs/d/g=1"}},
		{"removed", func(m *mountedTest) error { return os.RemoveAll(m.path("d")) }, []string{"/ovs/k=0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mountTree(t, map[string]string{"/ovs/k": "0", "/ovs/d/f": "1", "/ovs/d/g": "1"})
			f, err := os.Create(m.path("d/.x"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString("7\n"); err != nil {
				t.Fatal(err)
			}
			m.wantErr("rename", os.Rename(m.path("d/.x"), m.path("d/f")), nil)
			m.wantErr("change", c.do(m), nil)
			if _, err := f.WriteAt([]byte("2\n"), 0); err != nil {
				t.Fatal(err)
			}
			m.wantErr("close", f.Close(), nil)
			var got []string
			for kv := range m.store.Tree().Under("/ovs") {
				got = append(got, kv.Key+"="+string(kv.Value))
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("the keys are %q, want %q", got, c.want)
			}
		})
	}
}

// So does a file that others have removed, and that is stored again by who has it open.
func TestRemovedFileFollowsRenames(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/f": "1", "/ovs/d/g": "1"})
	f, err := os.OpenFile(m.path("d/f"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.store.del("/ovs/d/f")
	m.settle()
	m.wantErr("rename", os.Rename(m.path("d"), m.path("e")), nil)
	if _, err := f.WriteString("2\n"); err != nil {
		t.Fatal(err)
	}
	m.wantErr("close", f.Close(), nil)
	m.wantKeys("/ovs/e/f", "/ovs/e/g")
}

// Renames of directories in each other and changes in them go on for as long as there are any.
func TestPathLocksAreNotWaitedForInACircle(t *testing.T) {
	l := newPathLocks()
	var all sync.WaitGroup
	for _, m := range []moving{{"a/x", "b/x"}, {"b/y", "a/y"}, {"a", "c"}, {"b", "d"}, {"a/x/z", "b"}, {"a", "b"}} {
		all.Go(func() {
			for range 2000 {
				l.take(m)()
			}
		})
	}
	for _, path := range []string{"a/x/z/f", "b/x/f", "a/f", "c/f", "k"} {
		all.Go(func() {
			for range 2000 {
				l.share(path)()
			}
		})
	}
	all.Wait()
	if len(l.shared)+len(l.alone)+len(l.wanted) > 0 {
		t.Errorf("left: %v, %v, %v", l.shared, l.alone, l.wanted)
	}
	// What waits goes before what is new, and two renames apart from each other do not wait.
	release, taken := l.share("a/f"), make(chan func())
	go func() { taken <- l.take(moving{"a", "b"}) }()
	await(t, "the rename waits", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.wanted) == 1
	})
	shared := make(chan func())
	go func() { shared <- l.share("a/g") }()
	l.take(moving{"c", "d"})()
	release()
	taking := <-taken
	select {
	case <-shared:
		t.Error("the path was shared under a rename")
	default:
	}
	taking()
	(<-shared)()
}
