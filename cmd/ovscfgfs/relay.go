package main

import (
	"sync"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// relay carries published trees from the cache, which exists first, to the
// mount. What comes before the mount is there is kept, so that none is missed.
type relay struct {
	mu    sync.Mutex
	sink  func(old, new *mapping.Tree, keys []string)
	early []func()
}

func (r *relay) publish(old, new *mapping.Tree, keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sink == nil {
		r.early = append(r.early, func() { r.sink(old, new, keys) })
		return
	}
	r.sink(old, new, keys)
}

func (r *relay) to(sink func(old, new *mapping.Tree, keys []string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sink = sink
	for _, publish := range r.early {
		publish()
	}
	r.early = nil
}
