package fs

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"
)

func TestEventsTellChangesAsTheyCome(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/doc": `{"a": 1, "password": "x"}`, "/ovs/k": "old"})
	f, err := os.Open(m.path(".ovscfgfs/events"))
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(f); s.Scan(); {
			lines <- s.Text()
		}
	}()
	next := func() string { return nextOf(t, lines) }
	m.store.put(map[string]string{"/ovs/doc": `{"a": 2, "password": "secret2"}`})
	if got, want := next(), `{"revision":2,"op":"modify","path":"doc/a","key":"/ovs/doc","pointer":"/a","old":1,"new":2}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := next(); strings.Contains(got, "secret2") || !strings.Contains(got, `"path":"doc/password"`) {
		t.Errorf("got %s", got)
	}
	m.store.put(map[string]string{"/ovs/doc": `{"a":  2, "password": "secret2"}`})
	m.store.del("/ovs/k")
	if got, want := next(), `{"revision":4,"op":"delete","path":"k","key":"/ovs/k","old":"old"}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if err := os.WriteFile(m.path("doc/a"), []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := next(), `{"revision":5,"op":"modify","path":"doc/a","key":"/ovs/doc","pointer":"/a","old":2,"new":7}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	// Whoever waits is let go by a change, and then closes.
	closed := make(chan error, 1)
	go func() { closed <- f.Close() }()
	for {
		m.store.put(map[string]string{"/ovs/end": time.Now().String()})
		select {
		case _, ok := <-lines:
			if !ok {
				if err := <-closed; err != nil {
					t.Error(err)
				}
				return
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
}
