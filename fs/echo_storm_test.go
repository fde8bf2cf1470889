package fs

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Users and remote changes in the same directories: nothing hangs, and in the
// end the kernel has what the tree has.
func TestStormOfChangesAndUsers(t *testing.T) {
	m := mountEvents(t, map[string]string{"/ovs/d/keep": "0", "/ovs/e/keep": "0"})
	w := newWatcher(t, nil)
	w.add(m.path("d"), "d", watchAll)
	w.add(m.path("e"), "e", watchAll)
	rounds := 150
	if os.Getenv("OVSCFGFS_TEST_LONG") != "" {
		rounds = 20000
	}
	var users sync.WaitGroup
	stop := make(chan struct{})
	for k := range 4 {
		users.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := m.path(fmt.Sprintf("%c/n%d", "de"[(n+k)%2], n%7))
				switch (n + k) % 6 {
				case 0:
					_ = os.WriteFile(name, []byte("5\n"), 0o644) // others remove it meanwhile
				case 1:
					_ = os.Remove(name)
				case 2:
					_ = os.Rename(name, m.path("d/r"))
				case 3:
					_, _ = os.ReadFile(name)
				case 4:
					_, _ = os.ReadDir(m.path("d"))
				default:
					_, _ = os.Stat(name)
				}
			}
		})
	}
	for n := range rounds {
		key := fmt.Sprintf("/ovs/%c/n%d", "de"[n%2], n%7)
		switch n % 5 {
		case 0, 1:
			m.store.put(map[string]string{key: fmt.Sprint(n)})
		case 2:
			m.store.del(key)
		case 3:
			if _, ok := m.store.Tree().Get(key); ok {
				m.store.apply(renamed(m.store, key, "/ovs/e/m"))
			}
		default:
			m.store.put(map[string]string{fmt.Sprintf("/ovs/d/sub%d/x", n%3): "1"})
			m.store.del(fmt.Sprintf("/ovs/d/sub%d/x", (n+1)%3))
		}
		if n%16 == 0 {
			m.settle()
		}
	}
	close(stop)
	users.Wait()
	m.settle()
	await(t, "all echoes are done", m.s.echoes.idle)
	m.store.put(map[string]string{"/ovs/d/end": "1"})
	m.settle()
	await(t, "all echoes are done", m.s.echoes.idle)
	for _, dir := range []string{"d", "e"} {
		node, _ := m.store.Tree().Lookup(dir)
		var want []string
		for c := range node.Children() {
			want = append(want, c.Name())
			p := m.path(dir + "/" + c.Name())
			if st, err := os.Stat(p); err != nil || st.IsDir() != c.IsDir() {
				t.Errorf("stat %s: %v", p, err)
			} else if !c.IsDir() && m.read(dir+"/"+c.Name()) != string(c.Content()) {
				t.Errorf("%s is not %q", p, c.Content())
			}
		}
		slices.Sort(want)
		for k := range 8 {
			name := fmt.Sprintf("n%d", k)
			if _, ok := node.Lookup(name); !ok {
				if _, err := os.Stat(m.path(dir + "/" + name)); err == nil {
					t.Errorf("%s/%s is there for the kernel", dir, name)
				}
			}
		}
	}
}

// idle reports that nothing is to be repeated.
func (e *echoes) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lanes {
		if len(l.queue) > 0 || l.current.Load() != nil {
			return false
		}
	}
	return len(e.unsure)+len(e.waiting) == 0
}

// Many keys change as one: the mount answers meanwhile, and nothing is left out.
func TestManyChangesAtOnce(t *testing.T) {
	const dirs, files = 100, 100
	values := map[string]string{"/ovs/other/a": "0"}
	for k := range dirs * files {
		values[fmt.Sprintf("/ovs/w/%d/%d", k/files, k%files)] = "0"
	}
	m := mountEvents(t, values)
	heard := make(chan string, 3*dirs*files)
	w := newWatcher(t, func(event string) { heard <- event })
	for k := range dirs {
		w.add(m.path(fmt.Sprintf("w/%d", k)), fmt.Sprint(k), unix.IN_MODIFY)
	}
	for key := range values {
		values[key] = "1"
	}
	m.store.put(values)
	// The mount is asked while events are raised.
	for range 100 {
		if got := m.read("other/a"); got != "1\n" {
			t.Fatalf("read %q", got)
		}
		m.list("w/7")
	}
	missing := make(map[string]bool)
	for k := range dirs * files {
		missing[fmt.Sprintf("%d/%d MODIFY", k/files, k%files)] = true
	}
	for len(missing) > 0 {
		delete(missing, nextOf(t, heard))
	}
}
