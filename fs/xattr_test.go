package fs

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func (m *mountedTest) xattr(path, name string) (string, error) {
	buf := make([]byte, 4096)
	n, err := unix.Lgetxattr(m.path(path), name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func TestXattrs(t *testing.T) {
	m := mountTree(t, map[string]string{
		"/ovs/doc":   `{"a/b": [1, "s", true, null, {}]}`,
		"/ovs/raw":   "one\ntwo",
		"/ovs/whole": "one\ntwo\n",
		"/ovs/dir/k": "1",
	})
	m.store.put(map[string]string{"/ovs/dir/k": "2"})
	for _, c := range []struct{ path, name, want string }{
		{"doc", "user.type", "object"},
		{"doc/a%2Fb", "user.type", "array"},
		{"doc/a%2Fb/0", "user.type", "number"},
		{"doc/a%2Fb/1", "user.type", "string"},
		{"doc/a%2Fb/2", "user.type", "boolean"},
		{"doc/a%2Fb/3", "user.type", "null"},
		{"doc/a%2Fb/4", "user.type", "object"},
		{"raw", "user.type", "raw"},
		{"dir", "user.type", "directory"},
		{"raw", "user.ovscfgfs.newline", "added"},
		{"doc/a%2Fb/1", "user.ovscfgfs.key", "/ovs/doc"},
		{"doc/a%2Fb/1", "user.ovscfgfs.pointer", "/a~1b/1"},
		{"doc", "user.ovscfgfs.pointer", ""},
		{"dir/k", "user.ovscfgfs.revision", "2"},
		{"dir/k", "user.ovscfgfs.version", "2"},
		{"dir", "user.ovscfgfs.key", "/ovs/dir"},
	} {
		if got, err := m.xattr(c.path, c.name); err != nil || got != c.want {
			t.Errorf("%s of %s is %q, %v; want %q", c.name, c.path, got, err, c.want)
		}
	}
	for _, c := range []struct{ path, name string }{
		{"raw", "user.other"}, {"raw", "system.posix_acl_access"}, {"raw", "security.selinux"}, {"raw", "user.ovscfgfs.error"},
		{"whole", "user.ovscfgfs.newline"}, {"doc/a%2Fb/1", "user.ovscfgfs.newline"}, {"dir", "user.ovscfgfs.revision"}, {"dir/k", "user.ovscfgfs.lease"},
	} {
		if got, err := m.xattr(c.path, c.name); err != unix.ENOTSUP {
			t.Errorf("%s of %s is %q, %v; want ENOTSUP", c.name, c.path, got, err)
		}
	}
	for path, want := range map[string]string{
		"doc": "user.ovscfgfs.text user.type", "raw": "user.ovscfgfs.newline user.type", "whole": "user.type", "doc/a%2Fb/1": "user.type", "dir": "",
	} {
		buf := make([]byte, 4096)
		n, err := unix.Llistxattr(m.path(path), buf)
		names := strings.Fields(strings.ReplaceAll(string(buf[:max(n, 0)]), "\x00", " "))
		slices.Sort(names)
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s lists %q, %v; want %q", path, got, err, want)
		}
	}
}

// A buffer that is too small is told the size that it must have.
func TestXattrSizes(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	if n, err := unix.Lgetxattr(m.path("a"), "user.type", nil); n != len("number") || err != nil {
		t.Errorf("the size is %d, %v", n, err)
	}
	if _, err := unix.Lgetxattr(m.path("a"), "user.type", make([]byte, 3)); err != unix.ERANGE {
		t.Errorf("a small buffer gets %v", err)
	}
}
