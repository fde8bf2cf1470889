package cache

import (
	"iter"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// revisions splits a watch response into the revisions that it holds, in order,
// each with its changes under the prefix (none if it changed only other keys).
//
// A response holds only whole revisions: the server sends the events of a transaction
// together (server/storage/mvcc, watchable_store.go and watcher_group.go) and cuts them
// only into fragments; where those are asked for, the client puts them together before it
// hands them on (client/v3, watch.go). TestLargeRevision holds it to that.
func (c *Cache) revisions(response clientv3.WatchResponse) iter.Seq2[int64, []mapping.Change] {
	return func(yield func(int64, []mapping.Change) bool) {
		events := response.Events
		for len(events) > 0 {
			revision := events[0].Kv.ModRevision
			n := 1
			for n < len(events) && events[n].Kv.ModRevision == revision {
				n++
			}
			changes := make([]mapping.Change, 0, n)
			for _, event := range events[:n] {
				if key := string(event.Kv.Key); c.mine(key) {
					changes = append(changes, change(key, event))
				}
			}
			if !yield(revision, changes) {
				return
			}
			events = events[n:]
		}
	}
}

func change(key string, event *clientv3.Event) mapping.Change {
	if event.Type == clientv3.EventTypeDelete {
		return mapping.Change{KV: mapping.KV{Key: key, ModRevision: event.Kv.ModRevision}, Deleted: true}
	}
	return mapping.Change{KV: mapping.KV{
		Key:            key,
		Value:          event.Kv.Value,
		CreateRevision: event.Kv.CreateRevision,
		ModRevision:    event.Kv.ModRevision,
		Version:        event.Kv.Version,
		Lease:          event.Kv.Lease,
	}}
}
