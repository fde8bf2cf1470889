package fs

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestRefusals(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config, "/ovs/d/k": "1", "/ovs/raw": "a\nb"}, func(o *Options) { o.RequestLimit = 1 << 16 })
	mk := func(f func(string, uint32) error) func(string) error {
		return func(p string) error { return f(m.path(p), 0o644) }
	}
	m.wantErr("mkfifo", mk(unix.Mkfifo)("fifo"), syscall.EPERM)
	m.wantErr("symlink", os.Symlink("x", m.path("link")), syscall.ENOTSUP)
	m.wantErr("link", os.Link(m.path("raw"), m.path("link")), syscall.ENOTSUP)
	m.wantErr("rmdir of a full directory", unix.Rmdir(m.path("d")), syscall.ENOTEMPTY)
	m.wantErr("unlink of a directory", unix.Unlink(m.path("d")), syscall.EISDIR)
	m.wantErr("rename into itself", os.Rename(m.path("d"), m.path("d/e")), syscall.EINVAL)
	m.wantErr("rename of nothing", os.Rename(m.path("none"), m.path("x")), syscall.ENOENT)
	m.wantErr("directory to a scratch name", os.Rename(m.path("d"), m.path(".d")), syscall.EXDEV)
	m.wantErr("a name that is no encoding", os.WriteFile(m.path("a%zz"), nil, 0o644), syscall.EINVAL)
	m.wantErr("a slash within a segment of a key", os.WriteFile(m.path("x%2Fy"), nil, 0o644), syscall.EINVAL)
	m.wantErr("a long name", os.WriteFile(m.path(strings.Repeat("x", 256)), nil, 0o644), syscall.ENAMETOOLONG)
	m.wantErr("a control file", os.WriteFile(m.path(".ovscfgfs/errors"), nil, 0o644), syscall.EACCES)
	m.wantErr("type", unix.Setxattr(m.path("raw"), "user.type", []byte("integer"), 0), syscall.EINVAL)
	m.wantErr("another attribute", unix.Setxattr(m.path("raw"), "user.ovscfgfs.key", []byte("x"), 0), syscall.ENOTSUP)
	m.wantErr("truncate beyond the limit", os.Truncate(m.path("raw"), 1<<40), syscall.EFBIG)

	f, err := os.OpenFile(m.path("raw"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 1<<16)); err != nil {
		t.Error(err)
	}
	_, err = f.Write([]byte{1})
	m.wantErr("a write over the limit", err, syscall.EFBIG)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	m.quiet()

	m.store.setWritable(&mapping.Error{Kind: mapping.ReadOnly, Reason: "etcd is out of reach"})
	m.wantErr("open for writing", os.WriteFile(m.path("raw"), []byte("x"), 0), syscall.EROFS)
	m.wantErr("create", os.WriteFile(m.path("new"), []byte("x"), 0o644), syscall.EROFS)
	m.wantErr("remove", os.Remove(m.path("raw")), syscall.EROFS)
	m.wantErr("rename", os.Rename(m.path("raw"), m.path("x")), syscall.EROFS)
	if err := os.WriteFile(m.path(".scratch"), []byte("x"), 0o644); err != nil {
		t.Errorf("scratch while etcd is away: %v", err)
	}
	m.store.setWritable(nil)

	m.store.setRefuse(&mapping.Error{Kind: mapping.NoSpace, Reason: "the quota is used up"})
	for _, shell := range []string{"bash", "dash"} {
		m.sh(shell, "echo 1 > c/port", 1)
	}
	m.wantErr("close", os.WriteFile(m.path("raw"), []byte("x\ny\n"), 0), syscall.ENOSPC)
	m.wantErr("close of a new file", os.WriteFile(m.path("new"), []byte("x"), 0o644), syscall.ENOSPC)
	m.quiet()
	if _, err := os.Stat(m.path("new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that could not be stored is shown: %v", err)
	}
	m.store.setRefuse(nil)
	m.want("/ovs/c", config)
	m.want("/ovs/raw", "a\nb")
	if n := m.store.count(); n != 0 {
		t.Errorf("%d commits", n)
	}
	m.write("new", "x\n")
	m.want("/ovs/new", `"x"`)
}

func (f *fakeStore) setWritable(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writable = err
}

func (f *fakeStore) setRefuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = err
}
