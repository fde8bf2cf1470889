package fs

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// moveElsewhere has another node move the document d to e.
func (m *mountedTest) moveElsewhere() {
	kv, _ := m.store.Tree().Get("/ovs/t/d")
	m.store.put(map[string]string{"/ovs/t/e": string(kv.Value)})
	m.store.del("/ovs/t/d")
}

// TestNoKeyOfAField has others move a document away before a change of a part of it is stored. It
// is refused: a key in its place would stand in the way of the document when that comes back.
func TestNoKeyOfAField(t *testing.T) {
	const document = `{"n": 1, "s": "text", "o": {"x": 1}}`
	write := func(path string, flags int) func(m *mountedTest) error {
		return func(m *mountedTest) error {
			f, err := unix.Open(m.path(path), flags|unix.O_CLOEXEC, 0o644)
			if err != nil {
				return err
			}
			_, err = unix.Write(f, []byte("7\n"))
			return errors.Join(err, unix.Close(f))
		}
	}
	for name, change := range map[string]func(m *mountedTest) error{
		"a field":            write("t/d/n", unix.O_WRONLY|unix.O_TRUNC),
		"a field in a field": write("t/d/o/x", unix.O_WRONLY|unix.O_TRUNC),
		"a new field":        write("t/d/new", unix.O_WRONLY|unix.O_CREAT),
		"appended":           write("t/d/s", unix.O_WRONLY|unix.O_APPEND),
		"moved into it":      func(m *mountedTest) error { return os.Rename(m.path("t/k"), m.path("t/d/k")) },
		"replaced":           func(m *mountedTest) error { return os.Rename(m.path("t/x.tmp"), m.path("t/d/s")) },
	} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, map[string]string{"/ovs/t/d": document, "/ovs/t/k": "5"})
			m.write("t/x.tmp", "other\n")
			m.store.mu.Lock()
			m.store.before = m.moveElsewhere
			m.store.mu.Unlock()
			if err := change(m); !errors.Is(err, syscall.ENOENT) {
				t.Errorf("got %v, want ENOENT", err)
			}
			m.wantKeys("/ovs/t/e", "/ovs/t/k")
			m.want("/ovs/t/e", document)
		})
	}
}

// TestWriteToAFieldThatIsGone writes to an open field after others have changed what it is in: write(2) says so, which the shell hears.
func TestWriteToAFieldThatIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		now   map[string]string
		errno syscall.Errno
	}{
		"removed":          {nil, syscall.ENOENT},
		"a string":         {map[string]string{"/ovs/d": `{"o": "text"}`}, syscall.ENOTDIR},
		"an array":         {map[string]string{"/ovs/d": `{"o": [1]}`}, syscall.EINVAL},
		"a raw value":      {map[string]string{"/ovs/d": "text"}, syscall.ENOENT},
		"an object itself": {map[string]string{"/ovs/d": `{"o": {"x": {}}}`}, syscall.EISDIR},
	} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, map[string]string{"/ovs/d": `{"o": {"x": 1}}`})
			f, err := unix.Open(m.path("d/o/x"), unix.O_WRONLY|unix.O_TRUNC|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			m.store.del("/ovs/d")
			m.store.put(c.now)
			if _, err := unix.Write(f, []byte("7\n")); err != c.errno {
				t.Errorf("write: %v, want %v", err, c.errno)
			}
			_ = unix.Close(f)
			if c.now == nil {
				m.wantKeys()
			} else {
				m.want("/ovs/d", c.now["/ovs/d"])
			}
		})
	}
}

// TestAppendToWhatWasRemoved: what others have removed holds nothing, so that only what is appended is there.
func TestAppendToWhatWasRemoved(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/log": "a\nb\n", "/ovs/d": `{"s": "old", "n": 1}`})
	for name, want := range map[string]string{"log": `"c"`, "d/s": `{"n": 1, "s": "c"}`} {
		f, err := os.OpenFile(m.path(name), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		if name == "log" {
			m.store.del("/ovs/log")
		} else {
			m.store.put(map[string]string{"/ovs/d": `{"n": 1}`})
		}
		_, err = f.WriteString("c\n")
		m.wantErr("write", err, nil)
		m.wantErr("close", f.Close(), nil)
		if name == "log" {
			m.want("/ovs/log", want)
		} else {
			m.want("/ovs/d", want)
		}
	}
}
