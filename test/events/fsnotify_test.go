package events

import (
	"fmt"
	"os"
	"testing"

	"github.com/fsnotify/fsnotify"
)

// watchWith starts an fsnotify watcher of directories, which prints each event
// and what it reads upon it.
func watchWith(t *testing.T, dirs ...string) heard {
	t.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if err := w.Add(dir); err != nil {
			t.Fatal(err)
		}
	}
	h := make(heard, 1<<16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range w.Events {
			h <- e.String()
			if b, err := os.ReadFile(e.Name); err == nil && e.Has(fsnotify.Write|fsnotify.Create) {
				h <- string(b)
			}
		}
	}()
	t.Cleanup(func() {
		_ = w.Close()
		<-done
	})
	return h
}

func fsnotifyProgram(t *testing.T, p *node, d string) {
	h := watchWith(t, p.at(d), p.at(d+"/s"), p.at(d+"/doc"))
	hears(t, p, h, d+"/key", d+"/s/key", d+"/doc/port")
	hearsFresh(t, p, h, d, d+"/s")
	value := fmt.Sprint(p.next())
	writeFile(t, p.elsewhere(d+"/old"), value+"\n")
	h.await(t, value)
	if err := os.Rename(p.elsewhere(d+"/old"), p.elsewhere(d+"/s/moved")); err != nil {
		t.Fatal(err)
	}
	// A rename, and not a delete and a create: fsnotify knows them by the cookie.
	h.await(t, fmt.Sprintf("CREATE        %q ← %q", p.at(d+"/s/moved"), p.at(d+"/old")))
	h.await(t, value)
	etcdctl(t, p.Pair, "del", "--prefix", "/ovs/"+d+"/s/")
	h.await(t, fmt.Sprintf("REMOVE        %q", p.at(d+"/s/key")))
}
