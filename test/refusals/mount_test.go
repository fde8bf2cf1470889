// Package refusals asks a real daemon, from outside, for what it must refuse:
// each errno of the contract, with words, and nothing changed in etcd.
package refusals

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// mount is an etcd, and a daemon that shows it.
type mount struct {
	t    *testing.T
	etcd *harness.Etcd
	// client may see and change everything.
	client *clientv3.Client
	dir    string
}

// begin starts an etcd, has prepare change what is in it and where the daemon looks for it,
// and mounts it.
func begin(t *testing.T, serverFlags []string, prepare func(*mount) (endpoint string), flags ...string) *mount {
	t.Helper()
	programs, err := harness.Build()
	if err != nil {
		t.Fatal(err)
	}
	work, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &mount{t: t, dir: filepath.Join(work, "mnt")}
	if m.etcd, err = harness.StartEtcd(programs, filepath.Join(work, "etcd"), serverFlags...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.etcd.Stop() })
	m.client = m.etcd.Client
	for key, value := range stored {
		m.put(key, value)
	}
	endpoint := prepare(m)
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(programs.Path("ovscfgfs"), append(append([]string{"mount", "--endpoints", endpoint, "--state-dir", filepath.Join(work, "state")}, flags...), m.dir)...)
	cmd.Env = append(os.Environ(), "OVSCFGFS_DIAL_TIMEOUT=60s")
	if slices.Contains(flags, "--user") {
		cmd.Env = append(cmd.Env, "OVSCFGFS_PASSWORD=secret")
	}
	daemon, err := harness.Mount(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := daemon.Stop(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// direct is a daemon that talks to its etcd without anybody between.
func direct(m *mount) string { return m.etcd.Endpoint }

// in is the mount within a part of the test.
func (m *mount) in(t *testing.T) *mount {
	part := *m
	part.t = t
	return &part
}

func (m *mount) put(key, value string) {
	m.t.Helper()
	if _, err := m.client.Put(context.Background(), key, value); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mount) path(name string) string { return filepath.Join(m.dir, name) }

// contents is all that etcd holds under the prefix, with revisions.
func (m *mount) contents() string {
	m.t.Helper()
	response, err := m.client.Get(context.Background(), "/ovs", clientv3.WithPrefix())
	if err != nil {
		m.t.Fatal(err)
	}
	var b strings.Builder
	for _, kv := range response.Kvs {
		b.WriteString(kv.String())
	}
	return b.String()
}

// write writes as a program does that looks at every error.
func write(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// callOf is the system call that an error is of.
func callOf(err error) string {
	var path *os.PathError
	var link *os.LinkError
	var other *os.SyscallError
	switch {
	case errors.As(err, &path):
		return path.Op
	case errors.As(err, &link):
		return link.Op
	case errors.As(err, &other):
		return other.Syscall
	}
	return ""
}

// refusal is what must come of an attempt.
type refusal struct {
	name string
	// at is what the words are told of, a shown path.
	at    string
	errno syscall.Errno
	// call is the system call that fails: the shell ignores the errors of close.
	call  string
	words string // part of them
	try   func(m *mount) error
}

// check makes the attempt.
func (r *refusal) check(m *mount) {
	m.t.Helper()
	before := m.contents()
	err := r.try(m)
	if !errors.Is(err, r.errno) || callOf(err) != r.call {
		m.t.Errorf("%v (%s), want %v of %s", err, callOf(err), r.errno, r.call)
	}
	if after := m.contents(); after != before {
		m.t.Errorf("etcd was changed:\n%.500s\n%.500s", before, after)
	}
	line := m.lastError()
	if line.Path != r.at || line.Errno != unix.ErrnoName(r.errno) || !strings.Contains(line.Error, r.words) {
		m.t.Errorf(".ovscfgfs/errors has %+v, want %s of %s with %q", line, unix.ErrnoName(r.errno), r.at, r.words)
	}
	var st syscall.Stat_t
	if syscall.Lstat(m.path(r.at), &st) != nil {
		return // there is no file to tell it
	}
	value := make([]byte, 4096)
	n, err := syscall.Getxattr(m.path(r.at), "user.ovscfgfs.error", value)
	if err != nil || string(value[:n]) != line.Error {
		m.t.Errorf("user.ovscfgfs.error is %q, %v; .ovscfgfs/errors says %q", value[:max(n, 0)], err, line.Error)
	}
}

type problem struct{ Path, Errno, Error string }

func (m *mount) lastError() (line problem) {
	m.t.Helper()
	text, err := os.ReadFile(m.path(".ovscfgfs/errors"))
	if err != nil {
		m.t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &line); err != nil {
		m.t.Errorf(".ovscfgfs/errors: %v: %q", err, text)
	}
	return line
}
