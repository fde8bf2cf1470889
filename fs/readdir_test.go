package fs

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// What is in a directory all along is listed once by each reader, whatever
// else comes and goes meanwhile and however small the pieces it reads.
func TestListingWhileChanging(t *testing.T) {
	values := map[string]string{}
	for k := range 300 {
		values[fmt.Sprintf("/ovs/d/stays-%03d-%s", k, strings.Repeat("x", 100))] = "1"
	}
	m := mountTree(t, values)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				if err := listPieces(m.path("d"), 300); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for k := range 200 {
		name := fmt.Sprintf("/ovs/d/comes-%d", k)
		m.store.put(map[string]string{name: "1"})
		if k >= 10 {
			m.store.del(fmt.Sprintf("/ovs/d/comes-%d", k-10))
		}
		if k%10 == 0 {
			m.settle()
		}
	}
	cancel()
	readers.Wait()
	m.settle()
	m.compareWithTree()
}

func listPieces(path string, want int) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	seen := map[string]int{}
	for {
		names, err := d.Readdirnames(7)
		for _, name := range names {
			seen[name]++
		}
		if err != nil {
			break
		}
	}
	stays := 0
	for name, times := range seen {
		if times > 1 {
			return fmt.Errorf("%s is listed %d times", name, times)
		}
		if strings.HasPrefix(name, "stays") {
			stays++
		}
	}
	if stays != want {
		return fmt.Errorf("%d of %d names are listed", stays, want)
	}
	return nil
}

// Elements of an array are listed from the end, so that rm -r removes from there.
func TestArraysAreListedFromTheEnd(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "[0,1,2,3,4,5,6,7,8,9,10,11]"})
	d, err := os.Open(m.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(names, " "), "11 10 9 8 7 6 5 4 3 2 1 0"; got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
}

func TestViewsAreListedOnDemand(t *testing.T) {
	values := map[string]string{"/ovs/d/list": "[1]", "/ovs/d/doc": "{}", "/ovs/d/doc.yaml": "1"}
	if got := mountTree(t, values).list("d"); strings.Join(got, " ") != "doc doc.yaml list" {
		t.Errorf("without the option: %q", got)
	}
	m := mountTree(t, values, func(o *Options) { o.ListViews = true })
	if got, want := strings.Join(m.list("d"), " "), "doc doc.json doc.yaml list list.json list.lines list.yaml"; got != want {
		t.Errorf("with the option: %q, want %q", got, want)
	}
}

// Two names of one hash keep different cookies.
func TestCookiesAreUnique(t *testing.T) {
	values := map[string]string{}
	for k := range 20_000 {
		values[fmt.Sprintf("/ovs/k%d", k)] = "1"
	}
	b := newBench(t, values)
	entries, st := b.list(b.table.root, b.server.store.Tree())
	if !st.Ok() || len(entries) != len(values) {
		t.Fatalf("%d entries, %v", len(entries), st)
	}
	last := uint64(cookieParent)
	for _, e := range entries {
		if e.cookie <= last || e.cookie >= 1<<63 {
			t.Fatalf("cookie %d of %s after %d", e.cookie, e.name, last)
		}
		last = e.cookie
	}
}
