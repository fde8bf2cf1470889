package fs

import (
	"os"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Between the commit of a rename and its end the tree shows the result, and the table what was before. Who asks
// then is answered as after it: a directory and a file that change places were taken for gone.
func TestAskedDuringAnExchange(t *testing.T) {
	directory := func(m *mountedTest, name string) uint64 { return m.s.inodeAt(name).id }
	lookup := func(dir, name string) func(*mountedTest) func() fuse.Status {
		return func(m *mountedTest) func() fuse.Status {
			parent := directory(m, dir)
			return func() fuse.Status {
				return m.s.Lookup(nil, &fuse.InHeader{NodeId: parent}, name, &fuse.EntryOut{})
			}
		}
	}
	for _, test := range []struct {
		name string
		// prepare returns what asks.
		prepare func(m *mountedTest) (ask func() fuse.Status)
	}{
		{"name of the directory", lookup("e/c", "0")},
		{"name of the file", lookup("0", "1")},
		{"name in the directory", lookup("e/c/0", "0")},
		{"attributes", func(m *mountedTest) func() fuse.Status {
			id := directory(m, "e/c/0")
			return func() fuse.Status {
				return m.s.GetAttr(nil, &fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: id}}, &fuse.AttrOut{})
			}
		}},
		{"open", func(m *mountedTest) func() fuse.Status {
			id := m.s.inodeAt("0/1").id
			return func() fuse.Status {
				var out fuse.OpenOut
				st := m.s.Open(nil, &fuse.OpenIn{InHeader: fuse.InHeader{NodeId: id}}, &out)
				if st.Ok() {
					m.s.Release(nil, &fuse.ReleaseIn{InHeader: fuse.InHeader{NodeId: id}, Fh: out.Fh})
				}
				return st
			}
		}},
		{"listing", func(m *mountedTest) func() fuse.Status {
			id := directory(m, "e/c/0")
			return func() fuse.Status {
				in := &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}, Size: 4096}
				return m.s.ReadDir(nil, in, fuse.NewDirEntryList(make([]byte, 4096), 0))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := mountTree(t, map[string]string{"/ovs/e": `{"c": [[5,"x"]]}`, "/ovs/0": `[1,2]`, "/ovs/k": "1"})
			for _, name := range []string{"e/c/0/0", "0/1"} {
				if _, err := os.Lstat(m.path(name)); err != nil {
					t.Fatal(err)
				}
			}
			was := m.s.inodeAt("e/c/0")
			ask := test.prepare(m)
			answered := make(chan fuse.Status, 1)
			m.store.mu.Lock()
			m.store.after = func() {
				go func() { answered <- ask() }()
				await(t, "it waits, or is answered", func() bool {
					m.s.table.mu.Lock()
					defer m.s.table.mu.Unlock()
					return m.s.table.unclaimed != nil || len(answered) > 0
				})
			}
			m.store.mu.Unlock()
			if err := unix.Renameat2(unix.AT_FDCWD, m.path("e/c/0"), unix.AT_FDCWD, m.path("0/1"), unix.RENAME_EXCHANGE); err != nil {
				t.Fatal(err)
			}
			if st := <-answered; !st.Ok() {
				t.Errorf("it was answered %v", st)
			}
			m.settle()
			if got := m.read("0/1/1"); got != "x\n" {
				t.Errorf("the directory: %q", got)
			}
			if got := m.read("e/c/0"); got != "2\n" {
				t.Errorf("the file: %q", got)
			}
			if m.s.inodeAt("0/1") != was {
				t.Error("the directory is another one")
			}
		})
	}
}
