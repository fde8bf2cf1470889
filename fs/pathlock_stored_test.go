package fs

import (
	"os"
	"slices"
	"testing"
)

// renameDuringCommit has the next commit find a rename under way. The error comes when that is done.
func (m *mountedTest) renameDuringCommit(from, to string) (done chan error) {
	done = make(chan error, 1)
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	m.store.before = func() {
		go func() { done <- os.Rename(m.path(from), m.path(to)) }()
		until(done) // it may be waiting for this commit
	}
	return done
}

func (m *mountedTest) wantKeys(want ...string) {
	m.t.Helper()
	var got []string
	for kv := range m.store.Tree().Under("/ovs") {
		got = append(got, kv.Key)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		m.t.Errorf("the keys are %q, want %q", got, want)
	}
}

// An empty file is stored after its close has returned: touch x/y/f; mv x x2.
func TestDirectoryIsRenamedWhileAFileInItIsStored(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1"})
	m.mkdir("x")
	m.mkdir("x/y")
	done := m.renameDuringCommit("x", "x2")
	m.write("x/y/f", "")
	m.wantErr("rename", <-done, nil)
	m.settle()
	if got := m.list(""); !slices.Equal(got, []string{"k", "x2"}) {
		t.Errorf("it lists %q", got)
	}
	if _, err := os.Stat(m.path("x2/y/f")); err != nil {
		t.Error(err)
	}
	m.wantKeys("/ovs/k", "/ovs/x2/y/f")
}

// Also one of the tree, and with what another program is writing.
func TestDirectoryOfKeysIsRenamedWhileAFileInItIsStored(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/x/y/f": "1"})
	done := m.renameDuringCommit("x", "x2")
	m.write("x/y/f", "2\n")
	m.wantErr("rename", <-done, nil)
	m.settle()
	m.wantKeys("/ovs/x2/y/f")
	if got := m.read("x2/y/f"); got != "2\n" {
		t.Errorf("read %q", got)
	}
}

func TestFileIsRenamedWhileItIsStored(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/f": "1"})
	done := m.renameDuringCommit("f", "g")
	m.write("f", "2") // not a whole line, so that close stores it
	m.wantErr("rename", <-done, nil)
	m.settle()
	m.wantKeys("/ovs/g")
	if got := m.read("g"); got != "2\n" {
		t.Errorf("read %q", got)
	}
}

func TestNewFileIsRenamedWhileItIsStored(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "1"})
	done := m.renameDuringCommit("f", "g")
	m.write("f", "")
	m.wantErr("rename", <-done, nil)
	m.settle()
	m.wantKeys("/ovs/g", "/ovs/k")
	m.list("")
}
