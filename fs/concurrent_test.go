package fs

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestChangedBySomeoneElseMeanwhile(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1", "/ovs/c": config})
	exclusive := func(name string) error {
		f, err := os.OpenFile(m.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("mine\n"); err != nil {
			t.Error(err)
		}
		m.store.put(map[string]string{"/ovs/" + name: `"theirs"`})
		return f.Close()
	}
	m.wantErr("O_EXCL", exclusive("lock"), syscall.EEXIST)
	m.quiet()
	m.settle()
	await(t, "theirs is shown", func() bool { return m.read("lock") == "theirs\n" })

	f, err := os.Create(m.path("new"))
	if err != nil {
		t.Fatal(err)
	}
	m.store.put(map[string]string{"/ovs/new": `"theirs"`})
	if _, err := f.WriteString("mine\n"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("the last close wins: %v", err)
	}
	m.want("/ovs/new", `"mine"`)

	f, err = os.OpenFile(m.path("c/port"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.store.put(map[string]string{"/ovs/c": `{}`})
	m.settle()
	if _, err := f.WriteString("9"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("the last close wins: %v", err)
	}
	m.want("/ovs/c", `{"port": 9}`)
	if got := m.read("c/port"); got != "9\n" {
		t.Errorf("it reads %q", got)
	}

	f, err = os.OpenFile(m.path("a"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.path("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("9"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	m.want("/ovs/a", "(no such key)") // removed here: as on any file system
}

// TestTwoMounts has two mounts of one store edit one document.
func TestTwoMounts(t *testing.T) {
	const rounds = 100
	var doc strings.Builder
	for i := range 8 {
		fmt.Fprintf(&doc, `, "f%d": 0`, i)
	}
	store := newFakeStore(t, map[string]string{"/ovs/c": `{"lines": []` + doc.String() + "}"})
	a, b := mountStore(t, store), mountStore(t, store)
	store.mu.Lock()
	store.publish = func(old, now *mapping.Tree, keys []string) {
		a.Published(old, now, keys)
		b.Published(old, now, keys)
	}
	store.mu.Unlock()
	var wg sync.WaitGroup
	for w := range 8 {
		m := []*mountedTest{a, b}[w%2]
		wg.Go(func() {
			for i := 1; i <= rounds; i++ {
				if err := os.WriteFile(m.path(fmt.Sprintf("c/f%d", w)), []byte(fmt.Sprintln(i)), 0); err != nil {
					t.Error(err)
					return
				}
				f, err := os.OpenFile(m.path("c/lines.lines"), os.O_WRONLY|os.O_APPEND, 0)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := fmt.Fprintf(f, "%d-%d\n", w, i); err != nil {
					t.Error(err)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for w := range 8 {
		if got := a.read(fmt.Sprintf("c/f%d", w)); got != fmt.Sprintln(rounds) {
			t.Errorf("f%d is %q", w, got)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.read("c/lines.lines")), "\n")
	seen := map[string]bool{}
	for _, l := range lines {
		seen[l] = true
	}
	if len(lines) != 8*rounds || len(seen) != 8*rounds {
		t.Errorf("%d lines, %d different, want %d", len(lines), len(seen), 8*rounds)
	}
	a.quiet()
	b.quiet()
}

// TestManyAtOnce does everything to a few names from many programs' places at
// once: nothing may hang, and what is left must be readable.
func TestManyAtOnce(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config, "/ovs/d/a": "1", "/ovs/d/b": "x\ny"})
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 60 {
				p := func(name string) string { return m.path(name) }
				switch (i + w) % 9 {
				case 0:
					_ = os.WriteFile(p("d/a"), fmt.Appendln(nil, i), 0o644)
				case 1:
					_ = os.WriteFile(p("d/.s"), fmt.Appendln(nil, i), 0o644)
					_ = os.Rename(p("d/.s"), p("d/a"))
				case 2:
					_ = os.Rename(p("d/a"), p("d/a~"))
				case 3:
					_ = os.Remove(p("d/a"))
				case 4:
					_ = os.Rename(p("d/a"), p("d/b"))
				case 5:
					_ = os.Mkdir(p("d/e"), 0o755)
					_ = os.WriteFile(p("d/e/k"), nil, 0o644)
				case 6:
					_ = os.RemoveAll(p("d/e"))
				case 7:
					_, _ = os.ReadDir(p("d"))
					_, _ = os.ReadFile(p("d/a"))
					_, _ = os.Stat(p("d/e/k"))
				case 8:
					_ = os.WriteFile(p("c.json"), []byte(with("8080", fmt.Sprint(i))), 0o644)
					m.store.put(map[string]string{"/ovs/d/r": fmt.Sprint(i)})
					m.store.del("/ovs/d/r")
				}
			}
		})
	}
	wg.Wait()
	m.quiet()
	m.settle()
	m.sh("bash", "ls -lR . >/dev/null; cat c.json >/dev/null; rm -rf d; ! test -e d", 0)
}
