package fs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// compareWithTree walks the mount and the tree beside each other: names, kinds,
// sizes and contents must be equal.
func (m *mountedTest) compareWithTree() {
	m.t.Helper()
	m.compareDir("", m.store.Tree().Root())
}

func (m *mountedTest) compareDir(path string, n mapping.Node) {
	m.t.Helper()
	var want []string
	for c := range n.Children() {
		want = append(want, c.Name())
	}
	slices.Sort(want)
	if got := m.list(path); !slices.Equal(got, want) {
		m.t.Errorf("%q lists %q, the tree has %q", path, got, want)
	}
	for c := range n.Children() {
		p := filepath.Join(path, c.Name())
		fi, err := os.Lstat(m.path(p))
		switch {
		case err != nil:
			m.t.Errorf("%q is in the tree: %v", p, err)
		case fi.IsDir() != c.IsDir():
			m.t.Errorf("%q: directory %v, in the tree %v", p, fi.IsDir(), c.IsDir())
		case c.IsDir():
			m.compareDir(p, c)
		default:
			if got := m.read(p); got != string(c.Content()) {
				m.t.Errorf("%q reads %q, the tree has %q", p, got, c.Content())
			}
			if fi.Size() != c.Size() {
				m.t.Errorf("%q has size %d, in the tree %d", p, fi.Size(), c.Size())
			}
		}
	}
}

// randomChange is one revision: some keys of a small tree come, change or go.
func randomChange(r *rand.Rand) []mapping.Change {
	keys := []string{
		"/ovs/a", "/ovs/a/b", "/ovs/a/b/c", "/ovs/d/e/f", "/ovs/d/e", "/ovs/d/g", "/ovs/h", "/ovs/h/i", "/ovs/h/x", "/ovs/a/x", "/ovs/j/k/l/m",
	}
	values := []string{
		"1", "22", "333", `"text"`, "raw\ntext", `{"x": 1}`, `{"x": 22, "i": "long text here"}`, `{"i": {"x": [1, 2, 3]}, "b": 1}`,
		`[1, {"x": 5}, "three"]`, `[1]`, `{}`, "", `{"x": {"y": 1}}`, `{"x": {"y": 333}}`, strings.Repeat("z", 5000), strings.Repeat("y", 9000),
	}
	var changes []mapping.Change
	seen := map[string]bool{}
	for range 1 + r.IntN(3) {
		key := keys[r.IntN(len(keys))]
		if seen[key] {
			continue
		}
		seen[key] = true
		if r.IntN(3) == 0 {
			changes = append(changes, mapping.Change{KV: mapping.KV{Key: key}, Deleted: true})
		} else {
			changes = append(changes, mapping.Change{KV: mapping.KV{Key: key, Value: []byte(values[r.IntN(len(values))])}})
		}
	}
	return changes
}

// look asks the kernel for everything below dir, and for some names that may
// not be there, so that it has all of it in its caches.
func look(dir string) error {
	for _, name := range []string{"a", "b", "x", "i", "a/b", "a/b/c", "d/e/f", "h/i", "h/x/y", "a/x", "d.json", "j/k/l/m", "a/.value", "h/.value"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); unexpected(err) {
			return err
		}
	}
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			_, err = os.ReadFile(path)
		}
		if unexpected(err) {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
}

// unexpected reports an error that is not just that a name came or went.
func unexpected(err error) bool {
	return err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) &&
		!errors.Is(err, syscall.EISDIR) && !errors.Is(err, syscall.ESTALE)
}

// Whatever happens while whoever looks, in the end the kernel has what the
// tree has.
func TestKernelFollowsTree(t *testing.T) {
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, map[string]string{"/ovs/a/b": "1"}, option)
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			for range 15 {
				ctx, cancel := context.WithCancel(t.Context())
				var lookers sync.WaitGroup
				for range 3 {
					lookers.Go(func() {
						for ctx.Err() == nil {
							if err := look(m.dir); err != nil {
								t.Errorf("looking: %v", err)
								return
							}
						}
					})
				}
				for range 60 {
					m.store.apply(randomChange(r))
					if r.IntN(2) == 0 {
						m.settle()
					}
				}
				cancel()
				lookers.Wait()
				m.settle()
				m.compareWithTree()
				if t.Failed() {
					return
				}
			}
		})
	}
}
