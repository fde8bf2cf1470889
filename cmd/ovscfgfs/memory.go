package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// heapGrowth is by how many percent the heap may outgrow what is alive before
	// it is collected. A mount's heap is its tree and requests add little, so
	// collecting early costs few percent of a core when busy.
	heapGrowth = 40
	// heapRoom is what a small heap may grow by nevertheless: a write of a large value
	// would have it collected several times, which takes longer than the write.
	heapRoom = 16 << 20
	// quietTime without more than quietBytes of allocations is a moment to tidy up.
	quietTime  = 2 * time.Second
	quietBytes = 1 << 20
)

// growthOf is by how many percent a heap of that many live bytes may outgrow them, in few
// steps, since each change of it stops the program for a moment.
func growthOf(live uint64) int {
	growth := heapGrowth
	for live > 0 && live*uint64(growth)/100 < heapRoom/2 {
		growth *= 2
	}
	return growth
}

// economize keeps resident memory near what the mount holds until stop is
// called: loading a tree and walks over it leave garbage that Go would keep for
// minutes. The environment's GOGC, if set, stands.
func economize() (stop func()) {
	growth, fixed := heapGrowth, os.Getenv("GOGC") != ""
	if !fixed {
		debug.SetGCPercent(growth)
	}
	done := make(chan struct{})
	var tidying sync.WaitGroup
	tidying.Go(func() {
		ticker := time.NewTicker(quietTime)
		defer ticker.Stop()
		sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
		var before, tidied uint64 // bytes ever allocated, at the last tick and when memory was last given back
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			metrics.Read(sample)
			allocated, objects := sample[0].Value.Uint64(), sample[1].Value.Uint64()
			if g := growthOf(sample[2].Value.Uint64()); !fixed && g != growth {
				debug.SetGCPercent(g)
				growth = g
			}
			quiet := allocated-before < quietBytes
			before = allocated
			if quiet && allocated-tidied > objects/20+quietBytes {
				debug.FreeOSMemory()
				tidied = allocated
			}
		}
	})
	return func() {
		close(done)
		tidying.Wait()
	}
}
