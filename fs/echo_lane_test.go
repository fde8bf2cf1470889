package fs

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// Content changes that wait for a lane are asked for together, in their order,
// and never beside anything else.
func TestContentChangesAreRepeatedTogether(t *testing.T) {
	e := &echoes{last: make(map[slot]*echoed)}
	l := &lane{e: e}
	e.lanes = []*lane{l, {e: e}}
	dir := &inode{id: 1}
	add := func(op echo.Op, n int) {
		for range n {
			e.enqueue([]*echoed{{op: op, place: place{dir, fmt.Sprint(len(l.queue))}}})
		}
	}
	add(echo.Touch, 3)
	add(echo.Create, 2)
	add(echo.Touch, mostTouches+2)
	add(echo.TouchClose, 2)
	add(echo.Touch, 1)
	at := 0
	for _, want := range []int{3, 1, 1, mostTouches, 2, 1, 1, 1, 0} {
		batch := l.next()
		if len(batch) != want {
			t.Fatalf("%d together from %d on, want %d", len(batch), at, want)
		}
		for _, it := range batch {
			if it.name != fmt.Sprint(at) || len(batch) > 1 && it.op != echo.Touch {
				t.Errorf("item %d is %s with op %d", at, it.name, it.op)
			}
			at++
		}
	}
	if len(e.last) != 0 {
		t.Errorf("%d are still taken for queued", len(e.last))
	}
}

// More names change at once than fit into one word to the helper.
func TestEventsOfLongNames(t *testing.T) {
	values := func(v string) map[string]string {
		all := map[string]string{}
		for i := range mostTouches {
			all[fmt.Sprintf("/ovs/d/%0200d", i)] = v
		}
		return all
	}
	m := mountEvents(t, values("0"))
	events := make(chan string, 2*mostTouches)
	w := newWatcher(t, func(event string) { events <- event })
	w.add(m.path("d"), "d", unix.IN_MODIFY)
	missing := map[string]bool{}
	for i := range mostTouches {
		missing[fmt.Sprintf("d/%0200d MODIFY", i)] = true
	}
	m.store.put(values("1"))
	for len(missing) > 0 {
		delete(missing, nextOf(t, events))
	}
	await(t, "the events are counted", func() bool { return m.Events().Raised >= mostTouches })
}

// Every file of a watched directory that changes in one revision has its event, and
// whoever reads upon it reads the new content.
func TestEventsOfAWholeDirectory(t *testing.T) {
	const files, rounds = 300, 5
	content := func(file, round int) string { return fmt.Sprintf("file %d in round %d", file, round) }
	values := func(round int) map[string]string {
		all := map[string]string{}
		for i := range files {
			all[fmt.Sprintf("/ovs/d/%d", i)] = strconv.Quote(content(i, round))
		}
		return all
	}
	m := mountEvents(t, values(0))
	var round atomic.Int64
	events := make(chan int, files*rounds*2)
	w := newWatcher(t, func(event string) {
		var file int
		if _, err := fmt.Sscanf(event, "d/%d MODIFY", &file); err != nil {
			t.Errorf("event %q", event)
			return
		}
		if got, want := m.read(fmt.Sprintf("d/%d", file)), content(file, int(round.Load()))+"\n"; got != want {
			t.Errorf("upon %q: %q, want %q", event, got, want)
		}
		events <- file
	})
	w.add(m.path("d"), "d", unix.IN_MODIFY)
	for r := 1; r <= rounds; r++ {
		round.Store(int64(r))
		m.store.put(values(r))
		missing := map[int]bool{}
		for i := range files {
			missing[i] = true
		}
		deadline := time.After(patience)
		for len(missing) > 0 {
			select {
			case file := <-events:
				if !missing[file] {
					t.Errorf("round %d: another event of %d", r, file)
				}
				delete(missing, file)
			case <-deadline:
				t.Fatalf("round %d: no event of %d files", r, len(missing))
			}
		}
	}
}
