package fs

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// An empty directory of keys, which only the mount knows, is a directory like
// others where renames are concerned.
func TestRenameAndLocalDirectories(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a/k": "1", "/ovs/b/k": "2", "/ovs/c": `{"d": {"x": 1}}`})
	mkdir := func(name string) {
		t.Helper()
		if err := os.Mkdir(m.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	isDir := func(name string) {
		t.Helper()
		if info, err := os.Lstat(m.path(name)); err != nil || !info.IsDir() {
			t.Errorf("%s is no directory: %v", name, err)
		}
	}
	mkdir("empty")
	m.wantErr("a field's directory onto it", syscall.Rename(m.path("c/d"), m.path("empty")), syscall.EXDEV)
	m.wantErr("a file onto it", syscall.Rename(m.path("a/k"), m.path("empty")), syscall.EISDIR)
	m.wantErr("an exchange", unix.Renameat2(-1, m.path("a"), -1, m.path("empty"), unix.RENAME_EXCHANGE), syscall.EXDEV)
	m.wantErr("into a document", syscall.Rename(m.path("empty"), m.path("c/new")), syscall.EXDEV)
	m.wantErr("to a name that encodes nothing", syscall.Rename(m.path("empty"), m.path("50%")), syscall.EINVAL)
	isDir("empty")

	mkdir("a/in")
	m.wantErr("a directory of keys onto it", syscall.Rename(m.path("a"), m.path("empty")), nil)
	m.want("/ovs/empty/k", "1")
	isDir("empty/in")
	m.wantErr("an exchange of directories", unix.Renameat2(-1, m.path("empty"), -1, m.path("b"), unix.RENAME_EXCHANGE), nil)
	m.want("/ovs/empty/k", "2")
	isDir("b/in")
	if _, err := os.Lstat(m.path("empty/in")); !os.IsNotExist(err) {
		t.Errorf("empty/in is still there: %v", err)
	}
	m.wantErr("its removal", syscall.Rmdir(m.path("b/in")), nil)
}

// Who looks into directories while they are exchanged leaves nothing with the
// kernel that is no longer true.
func TestLookingIntoExchangedDirectories(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/1": "[1, 2]", "/ovs/d/k": "1", "/ovs/n/b/c": "false"})
	m.mkdir("n/local")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for _, name := range []string{"d/1", "n/1", "d/b", "n/b"} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = os.Lstat(m.path(name))
					_, _ = os.ReadDir(m.path(filepath.Dir(name)))
				}
			}
		})
	}
	has := map[string]string{"d": "1", "n": "b"}
	for n := range 40 {
		m.wantErr("exchange", unix.Renameat2(-1, m.path("d"), -1, m.path("n"), unix.RENAME_EXCHANGE), nil)
		has["d"], has["n"] = has["n"], has["d"]
		m.read(".ovscfgfs/barrier")
		for dir, name := range has {
			other := map[string]string{"1": "b", "b": "1"}[name]
			if _, err := os.Lstat(m.path(dir + "/" + name)); err != nil {
				t.Fatalf("%d: %v", n, err)
			}
			if _, err := os.Lstat(m.path(dir + "/" + other)); !os.IsNotExist(err) {
				t.Fatalf("%d: %s/%s is there: %v", n, dir, other, err)
			}
		}
	}
}
