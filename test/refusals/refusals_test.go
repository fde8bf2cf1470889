package refusals

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/test/faults"
	"github.com/openvstorage/ovscfgfs/test/harness"
)

// stored is what each etcd begins with.
var stored = map[string]string{
	"/ovs/doc":                      `{"n": 1, "b": true, "s": "text", "list": ["a", "b"], "o": {}}`,
	"/ovs/keys/a":                   `"a"`,
	"/ovs/keys/b":                   "raw\ntext\n",
	"/ovs/alba/asds/x/config":       `{"port": 8600, "log_level": "info"}`,
	"/ovs/alba/asds/x/config.other": "1",
}

func writing(name, text string) func(*mount) error {
	return func(m *mount) error { return write(m.path(name), text) }
}

// byItself are refusals that need no more than a mount.
var byItself = []refusal{
	{"a number", "doc/n", syscall.EINVAL, "write", "is a number", writing("doc/n", "abc\n")},
	{"a number without a newline", "doc/n", syscall.EINVAL, "write", "is a number", writing("doc/n", "abc")},
	{"a boolean", "doc/b", syscall.EINVAL, "write", "is a boolean", writing("doc/b", "yes\n")},
	{"a string that is no text", "doc/s", syscall.EINVAL, "write", "UTF-8", writing("doc/s", "\xff\n")},
	{"no JSON", "doc.json", syscall.EINVAL, "close", "JSON", writing("doc.json", "{\n")},
	{"no YAML", "doc.yaml", syscall.EINVAL, "close", "YAML", writing("doc.yaml", "{\n")},
	{"the schema", "alba/asds/x/config/port", syscall.EINVAL, "write", "at most 65535", writing("alba/asds/x/config/port", "70000\n")},
	{"the schema, of a string", "alba/asds/x/config/log_level", syscall.EINVAL, "write", "log_level", writing("alba/asds/x/config/log_level", "shouting\n")},
	{"the name of nothing", "doc/50%", syscall.EINVAL, "open", "%25", writing("doc/50%", "1\n")},
	{"the name of a field among keys", "keys/a%2Fb", syscall.EINVAL, "open", "slash", writing("keys/a%2Fb", "1\n")},
	{"beyond an array's end", "doc/list/7", syscall.EINVAL, "open", "end", writing("doc/list/7", "1\n")},
	{"a type that does not fit", "doc/s", syscall.EINVAL, "setxattr", "number", func(m *mount) error {
		return os.NewSyscallError("setxattr", syscall.Setxattr(m.path("doc/s"), "user.type", []byte("number"), 0))
	}},
	{"too large", "keys/b", syscall.EFBIG, "write", "etcd takes requests of", writing("keys/b", strings.Repeat("line\n", 400_000))},
	{"too large, by truncate", "keys/b", syscall.EFBIG, "truncate", "etcd takes requests of", func(m *mount) error { return os.Truncate(m.path("keys/b"), 2<<20) }},
	{"the middle of an array", "doc/list/0", syscall.EBUSY, "remove", "last element", func(m *mount) error { return os.Remove(m.path("doc/list/0")) }},
	{"a view of keys removed", "keys.json", syscall.EPERM, "remove", "", func(m *mount) error { return os.Remove(m.path("keys.json")) }},
	{"keys into a document", "keys", syscall.EXDEV, "rename", "document", func(m *mount) error { return os.Rename(m.path("keys"), m.path("doc/keys")) }},
	{"a symbolic link", "keys/link", syscall.ENOTSUP, "symlink", "symbolic link", func(m *mount) error { return os.Symlink("a", m.path("keys/link")) }},
	{"a long name", "keys/" + strings.Repeat("n", 256), syscall.ENAMETOOLONG, "open", "255", writing("keys/"+strings.Repeat("n", 256), "1\n")},
}

// TestRefusals: what a mount refuses by what it knows itself.
func TestRefusals(t *testing.T) {
	m := begin(t, nil, direct, "--validate", "enforce")
	for _, r := range byItself {
		t.Run(r.name, func(t *testing.T) {
			r.check(m.in(t))
		})
	}
	t.Run("stale", func(t *testing.T) { stale(m.in(t)) })
	t.Run("a large move", func(t *testing.T) {
		for i := range 40 {
			m.put(fmt.Sprintf("/ovs/large/%d", i), strings.Repeat("x", 60_000))
		}
		m.barrier()
		r := refusal{"", "large", syscall.EMSGSIZE, "rename", "etcd takes", func(m *mount) error { return os.Rename(m.path("large"), m.path("larger")) }}
		r.check(m.in(t))
	})
}

func (m *mount) barrier() {
	m.t.Helper()
	if _, err := os.ReadFile(m.path(".ovscfgfs/barrier")); err != nil {
		m.t.Fatal(err)
	}
}

func stale(m *mount) {
	f, err := os.OpenFile(m.path("doc/s"), os.O_RDWR, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Read(make([]byte, 10)); err != nil {
		m.t.Fatal(err)
	}
	m.put("/ovs/doc", strings.Replace(stored["/ovs/doc"], "text", "other", 1))
	m.barrier()
	r := refusal{"", "doc/s", syscall.ESTALE, "sync", "changed by someone else", func(*mount) error {
		if _, err := f.WriteAt([]byte("m"), 0); err != nil {
			return err
		}
		return f.Sync()
	}}
	r.check(m)
}

// TestFullQuota: an etcd whose quota is used up.
func TestFullQuota(t *testing.T) {
	m := begin(t, []string{"--quota-backend-bytes", "4194304"}, direct)
	for i := 0; ; i++ {
		_, err := m.client.Put(context.Background(), fmt.Sprintf("fill%d", i), strings.Repeat("x", 500_000))
		if errors.Is(err, rpctypes.ErrNoSpace) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []refusal{
		{"", "doc/n", syscall.ENOSPC, "write", "quota", writing("doc/n", "2\n")},
		{"", "doc/s", syscall.ENOSPC, "write", "quota", writing("doc/s", "other\n")},
		{"", "keys/b", syscall.ENOSPC, "close", "quota", writing("keys/b", "other\nlines\n")},
		{"", "keys/new", syscall.ENOSPC, "close", "quota", writing("keys/new", "1\n")},
		{"", "keys", syscall.ENOSPC, "rename", "quota", func(m *mount) error { return os.Rename(m.path("keys"), m.path("moved")) }},
	} {
		r.check(m)
	}
}

// TestUnauthorized: etcd lets the user read, and nothing else.
func TestUnauthorized(t *testing.T) {
	m := begin(t, nil, func(m *mount) string {
		ctx, c := context.Background(), m.client
		for _, err := range []error{
			second(c.UserAdd(ctx, "root", "root")),
			second(c.UserGrantRole(ctx, "root", "root")),
			second(c.UserAdd(ctx, "reader", "secret")),
			second(c.RoleAdd(ctx, "reader")),
			second(c.RoleGrantPermission(ctx, "reader", "/ovs", "/ovt", clientv3.PermissionType(clientv3.PermRead))),
			second(c.UserGrantRole(ctx, "reader", "reader")),
			second(c.AuthEnable(ctx)),
		} {
			if err != nil {
				m.t.Fatal(err)
			}
		}
		var err error
		if m.client, err = clientv3.New(clientv3.Config{Endpoints: []string{m.etcd.Endpoint}, Username: "root", Password: "root", Logger: zap.NewNop()}); err != nil {
			m.t.Fatal(err)
		}
		m.t.Cleanup(func() { _ = m.client.Close() })
		return m.etcd.Endpoint
	}, "--user", "reader")
	for _, r := range []refusal{
		{"", "doc/n", syscall.EACCES, "write", "reader", writing("doc/n", "2\n")},
		{"", "keys/b", syscall.EACCES, "close", "reader", writing("keys/b", "other\nlines\n")},
		{"", "keys/a", syscall.EACCES, "remove", "reader", func(m *mount) error { return os.Remove(m.path("keys/a")) }},
	} {
		r.check(m)
	}
}

func second[T any](_ T, err error) error { return err }

// TestOutOfReach: the network between the mount and etcd.
func TestOutOfReach(t *testing.T) {
	var proxy *faults.Proxy
	m := begin(t, nil, func(m *mount) string {
		var err error
		if proxy, err = faults.NewProxy(m.etcd.Endpoint); err != nil {
			m.t.Fatal(err)
		}
		m.t.Cleanup(proxy.Close)
		return proxy.Addr()
	}, "--command-timeout", "2s")
	proxy.HoldRequests()
	lost := refusal{"", "doc/s", syscall.ETIMEDOUT, "write", "could not be learned", writing("doc/s", "other\n")}
	lost.check(m)
	proxy.Cut()
	if !harness.Await(func() bool { return errors.Is(write(m.path("doc/n"), "2\n"), syscall.EROFS) }) {
		t.Fatal("no EROFS")
	}
	away := refusal{"", "doc/n", syscall.EROFS, "open", "etcd", writing("doc/n", "2\n")}
	away.check(m)
	proxy.Heal()
	if !harness.Await(func() bool { return write(m.path("doc/n"), "2\n") == nil }) {
		t.Fatal("it does not come back")
	}
}
