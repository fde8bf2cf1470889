package cache_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// publication is one call of Options.Publish.
type publication struct {
	old, new *mapping.Tree
	keys     []string
}

// record keeps what was published, and checks that it makes a chain.
type record struct {
	t    testing.TB
	mu   sync.Mutex
	all  []publication
	gate *sync.Cond
}

func (r *record) publish(old, new *mapping.Tree, keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.all); n > 0 && r.all[n-1].new != old {
		r.t.Errorf("published revision %d on another tree than the one before it", new.Revision())
	}
	r.all = append(r.all, publication{old, new, keys})
	r.gate.Broadcast()
}

// await returns the first publication that does, from the n-th on.
func (r *record) await(n int, does func(publication) bool) publication {
	r.t.Helper()
	expired := false
	timer := time.AfterFunc(long, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		expired = true
		r.gate.Broadcast()
	})
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := n; ; i++ {
		for i >= len(r.all) {
			if expired {
				r.t.Fatal("what was awaited was not published")
			}
			r.gate.Wait()
		}
		if does(r.all[i]) {
			return r.all[i]
		}
	}
}

// soFar returns what was published until now.
func (r *record) soFar() []publication {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (r *record) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}
