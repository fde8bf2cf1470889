package agent

import (
	"maps"
	"slices"
	"sync"
)

// dirty is the set of volumes that have to be looked at. Who adds never waits.
// It is safe for concurrent use.
type dirty struct {
	wake chan struct{} // holds one while something is in the set

	mu    *sync.Mutex
	names map[string]struct{}
	due   map[string]struct{} // have rested
	whole bool
}

func newDirty() dirty {
	return dirty{wake: make(chan struct{}, 1), mu: &sync.Mutex{}, names: map[string]struct{}{}, due: map[string]struct{}{}}
}

func (d *dirty) add(name string) {
	d.mu.Lock()
	d.names[name] = struct{}{}
	d.mu.Unlock()
	d.tell()
}

func (d *dirty) all() {
	d.mu.Lock()
	d.whole = true
	d.mu.Unlock()
	d.tell()
}

// rested adds a volume whose pause is over.
func (d *dirty) rested(name string) {
	d.mu.Lock()
	d.due[name] = struct{}{}
	d.mu.Unlock()
	d.tell()
}

func (d *dirty) tell() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take empties the set. whole: everything is in it.
func (d *dirty) take() (names, due []string, whole bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	names, due = slices.Collect(maps.Keys(d.names)), slices.Collect(maps.Keys(d.due))
	clear(d.names)
	clear(d.due)
	whole, d.whole = d.whole, false
	return names, due, whole
}
