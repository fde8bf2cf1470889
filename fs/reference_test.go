package fs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// withReferences shows the URLs etcd://h/ovs/PATH as links.
func withReferences(o *Options) {
	targetOf := func(text string) (string, bool) {
		return strings.CutPrefix(strings.TrimSuffix(text, "\n"), "etcd://h/ovs/")
	}
	link := func(n mapping.Node) (string, bool) { return targetOf(string(n.Content())) }
	o.References = References{
		Target:   func(_ string, n mapping.Node) (string, bool) { return link(n) },
		Link:     link,
		TargetOf: targetOf,
		URL:      func(_ *mapping.Tree, target string) (string, error) { return "etcd://h/ovs/" + target, nil },
	}
}

func (m *mountedTest) link(name string) string {
	m.t.Helper()
	text, err := os.Readlink(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return text
}

func TestReferencesAreLinks(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a/b/ref": `"etcd://h/ovs/x"`, "/ovs/x": "1", "/ovs/doc": `{"r": "etcd://h/ovs/a", "n": 1}`}, withReferences)
	for name, want := range map[string]string{"a/b/ref": "../../x", "doc/r": "../a"} {
		if got := m.link(name); got != want {
			t.Errorf("%s leads to %s, want %s", name, got, want)
		}
		if st, err := os.Lstat(m.path(name)); err != nil || st.Mode()&os.ModeSymlink == 0 || st.Size() != int64(len(want)) {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
	if got := m.read("a/b/ref"); got != "1\n" {
		t.Errorf("through the link: %q", got)
	}
	if err := os.Symlink("../x", m.path("doc/new")); err != nil {
		t.Fatal(err)
	}
	if kv, _ := m.store.Tree().Get("/ovs/doc"); string(kv.Value) != `{"r": "etcd://h/ovs/a", "n": 1, "new": "etcd://h/ovs/x"}` {
		t.Errorf("a new link made %s", kv.Value)
	}
	m.wantErr("over it", os.Symlink("../x", m.path("doc/new")), syscall.EEXIST)
	m.wantErr("out of the mount", os.Symlink("../../x", m.path("doc/out")), syscall.EPERM)
	m.wantErr("out of the mount", os.Symlink("/etc", m.path("doc/out")), syscall.EPERM)
	m.wantErr("into the control directory", os.Symlink("../.ovscfgfs/status", m.path("doc/out")), syscall.EPERM)
	if err := os.Symlink(m.path("a/b"), m.path("abs")); err != nil || m.link("abs") != "a/b" {
		t.Errorf("an absolute target: %v", err)
	}
	// A directory takes its links along; they lead to the same.
	if err := os.Rename(m.path("a/b"), m.path("b")); err != nil {
		t.Fatal(err)
	}
	if got := m.link("b/ref"); got != "../x" || m.read("b/ref") != "1\n" {
		t.Errorf("moved, it leads to %s", got)
	}
	if n := m.commits(func() {
		if output, err := exec.Command("ln", "-sfn", m.path("doc"), m.path("b/ref")).CombinedOutput(); err != nil {
			t.Fatalf("ln -sf: %v, %s", err, output)
		}
	}); n != 1 || m.link("b/ref") != "../doc" {
		t.Errorf("ln -sf: %s, %d commits", m.link("b/ref"), n)
	}
	if err := os.Remove(m.path("b/ref")); err != nil {
		t.Fatal(err)
	}
}

// What a leaf has become by a write is what the next call sees.
func TestWrittenIsALinkAtOnce(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/leaf": `"plain"`, "/ovs/x": "1"}, withReferences)
	for range 300 {
		if err := os.WriteFile(m.path("d/leaf"), []byte("etcd://h/ovs/x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := m.link("d/leaf"); got != "../x" {
			t.Fatalf("it leads to %s", got)
		}
		m.store.put(map[string]string{"/ovs/d/leaf": `"plain"`})
		m.read(controlName + "/" + controlBarrier)
		if got := m.read("d/leaf"); got != "plain\n" {
			t.Fatalf("it reads %q", got)
		}
	}
}

func TestWithoutReferencesNoLinks(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/ref": `"etcd://h/ovs/x"`})
	if got := m.read("ref"); got != "etcd://h/ovs/x\n" {
		t.Errorf("it reads %q", got)
	}
	m.wantErr("symlink", os.Symlink("ref", m.path("link")), syscall.ENOTSUP)
	if _, err := unix.Getxattr(m.path("ref"), xattrTarget, nil); !errors.Is(err, syscall.ENOTSUP) {
		t.Errorf("the attribute: %v", err)
	}
}

// A leaf that turns into a link, a file and a directory is seen as one of them, by those who look all the time
// and by those who look after the change.
func TestLeafTurnsIntoALink(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/leaf": `"plain"`, "/ovs/x": "1", "/ovs/y": "2"}, withReferences)
	stop := make(chan struct{})
	var looking sync.WaitGroup
	defer looking.Wait()
	defer close(stop)
	for range 2 {
		looking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := os.Lstat(m.path("d/leaf")); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESTALE) {
					t.Errorf("lstat: %v", err)
					return
				}
				if b, err := os.ReadFile(m.path("d/leaf")); err == nil && !strings.Contains("plain\n1\n2\n", string(b)) {
					t.Errorf("it read %q", b)
					return
				}
				_, _ = os.Readlink(m.path("d/leaf"))
				_, _ = os.ReadDir(m.path("d"))
			}
		})
	}
	for range 100 {
		for _, step := range []struct{ value, link, content string }{
			{`"etcd://h/ovs/x"`, "../x", "1\n"}, {`"etcd://h/ovs/y"`, "../y", "2\n"}, {`"plain"`, "", "plain\n"}, {`"etcd://h/ovs/x"`, "../x", "1\n"}, {`{"f": 1}`, "", ""}, {`"plain"`, "", "plain\n"},
		} {
			m.store.put(map[string]string{"/ovs/d/leaf": step.value})
			m.read(controlName + "/" + controlBarrier)
			st, err := os.Lstat(m.path("d/leaf"))
			if err != nil {
				t.Fatalf("%s: %v", step.value, err)
			}
			switch {
			case step.link != "":
				if st.Mode()&os.ModeSymlink == 0 || m.link("d/leaf") != step.link {
					t.Fatalf("%s: %v", step.value, st.Mode())
				}
			case (step.content == "") != st.IsDir() || st.Mode()&os.ModeSymlink != 0:
				t.Fatalf("%s: %v", step.value, st.Mode())
			}
			if step.content != "" && m.read("d/leaf") != step.content {
				t.Fatalf("%s reads %q", step.value, m.read("d/leaf"))
			}
		}
	}
}
