package fs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// record keeps every value that a key has had.
func (m *mountedTest) record(key string) func() []string {
	var mu sync.Mutex
	var values []string
	m.store.mu.Lock()
	next := m.store.publish
	m.store.publish = func(old, now *mapping.Tree, keys []string) {
		if kv, ok := now.Get(key); ok {
			mu.Lock()
			values = append(values, string(kv.Value))
			mu.Unlock()
		}
		next(old, now, keys)
	}
	m.store.mu.Unlock()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return values
	}
}

// TestSeveralLinesAreNeverHalfVisible writes values of several lines line by line.
func TestSeveralLinesAreNeverHalfVisible(t *testing.T) {
	for _, c := range []struct{ key, path, before, after string }{
		{"/ovs/new", "new", "", "a\nb\nc\n"},
		{"/ovs/k", "k", "x\ny\n", "a\nb\nc\n"},
		{"/ovs/one", "one", "some text", "a\nb\nc"},
		{"/ovs/x.ini", "x.ini", "[a]\n", "a\nb\nc\n"},
		{"/ovs/c", "c/text", config, with(`one\ntwo`, `a\nb\nc`)},
	} {
		for _, script := range []string{
			"for l in a b c; do echo $l; done > ", "for l in a b c; do /bin/echo $l; done > ", "(echo a; echo b | cat; echo c) > ",
			`python3 -c 'import subprocess,sys; f=open(sys.argv[1],"w"); [subprocess.run(["echo",l],stdout=f) for l in "abc"]' `,
		} {
			values := map[string]string{"/ovs/a": "1"}
			if c.before != "" {
				values[c.key] = c.before
			}
			m := mountTree(t, values)
			had := m.record(c.key)
			m.sh("bash", script+c.path, 0)
			m.quiet()
			if got := had(); len(got) != 1 || got[0] != c.after {
				t.Errorf("%s%s: it had the values %q, want only %q", script, c.path, got, c.after)
			}
		}
	}
}

func TestWhatIsCommittedWhen(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	f, err := os.OpenFile(m.path("c/port"), os.O_RDWR|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dup, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(dup)
	m.want("/ovs/c", config) // a close without a write
	if _, err := f.WriteString("1\n"); err != nil {
		t.Fatal(err)
	}
	m.want("/ovs/c", with("8080", "1")) // a whole line
	if _, err := f.WriteAt([]byte("23"), 0); err != nil {
		t.Fatal(err)
	}
	m.want("/ovs/c", with("8080", "1"))
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	m.want("/ovs/c", with("8080", "23"))
	if err := f.Truncate(1); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	m.want("/ovs/c", with("8080", "2"))
	if n := m.store.count(); n != 3 {
		t.Errorf("%d commits", n)
	}
	// A truncation and nothing else, at the last close.
	m.sh("bash", ": > c/name", 0)
	m.quiet()
	m.want("/ovs/c", strings.Replace(with("8080", "2"), `"v1"`, `""`, 1))
}

func TestWrittenIsSeenAtOnce(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config, "/ovs/raw": "x"})
	for i := range 200 {
		for _, name := range []string{"c/port", "raw"} {
			text := strings.Repeat(fmt.Sprint(1+i%9), 1+i%40) + "\n"
			if err := os.WriteFile(m.path(name), []byte(text), 0); err != nil {
				t.Fatal(err)
			}
			st, err := os.Stat(m.path(name))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.read(name); got != text || st.Size() != int64(len(text)) {
				t.Fatalf("round %d: %s reads %q of size %d, want %q", i, name, got, st.Size(), text)
			}
		}
	}
}

func TestViewAndFieldsAgree(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	for i := range 50 {
		port := fmt.Sprint(i + 1)
		m.write("c.json", with("8080", port))
		if got := m.read("c/port"); got != port+"\n" {
			t.Fatalf("round %d: the field reads %q", i, got)
		}
		m.write("c/port", port+"0\n")
		if got := m.read("c.json"); got != with("8080", port+"0")+"\n" {
			t.Fatalf("round %d: the view reads %q", i, got)
		}
		m.write(".new", with("8080", port+"1"))
		if err := os.Rename(m.path(".new"), m.path("c.json")); err != nil {
			t.Fatal(err)
		}
		if got := m.read("c/port"); got != port+"1\n" {
			t.Fatalf("round %d: after a rename onto the view the field reads %q", i, got)
		}
	}
	if err := os.WriteFile(m.path("c.json"), []byte("{"), 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("invalid JSON: %v", err)
	}
}

func TestStale(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	other := with(`"v1"`, `"v2"`)
	for _, c := range []struct {
		name, path, now string
		read            bool
		want            error
	}{
		{"read, then changed by another", "c/port", with("8080", "7"), true, syscall.ESTALE},
		{"not read", "c/port", with("8080", "7"), false, nil},
		{"read, another field changed", "c/port", other, true, nil},
		{"a view read, then changed", "c.json", other, true, syscall.ESTALE},
		{"a view not read", "c.json", other, false, nil},
	} {
		m.store.put(map[string]string{"/ovs/c": config})
		m.settle()
		f, err := os.OpenFile(m.path(c.path), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if c.read {
			if _, err := f.Read(make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
		}
		m.store.put(map[string]string{"/ovs/c": c.now})
		content := "9090\n"
		if c.path == "c.json" {
			content = with("8080", "9090")
		}
		_, err = f.WriteAt([]byte(content), 0)
		if err == nil {
			err = f.Close()
		} else {
			f.Close()
		}
		if !errors.Is(err, c.want) && (err != nil || c.want != nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want != nil {
			m.want("/ovs/c", c.now)
		}
	}
}

func TestMmap(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/raw": "hello\nworld\n"})
	f, err := os.OpenFile(m.path("raw"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, 12, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	// The page is read in by a system call: a fault would stop the thread that
	// may have to answer it.
	if err := unix.Madvise(mem, unix.MADV_POPULATE_WRITE); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mem, []byte("hello\nworld\n")) {
		t.Errorf("mapped %q", mem)
	}
	copy(mem, "HELLO")
	if err := unix.Munmap(mem); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	m.quiet()
	m.want("/ovs/raw", "HELLO\nworld\n")
}
