package cache

import (
	"context"
	"errors"
	"iter"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/protobuf/proto"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// A page is asked for by number of keys, as etcd knows no other bound; the number
	// follows from what the page before weighed.
	firstPageKeys = 256
	mostPageKeys  = 50_000
	pageBytes     = 8 << 20

	retryPause = 100 * time.Millisecond
)

// page is a part of the prefix, in key order, at the revision of the first page.
type page struct {
	changes  []mapping.Change
	revision int64
	cluster  uint64
	err      error
}

// load reads the prefix for the first time.
func (c *Cache) load(ctx context.Context, empty *mapping.Tree) error {
	err := c.read(ctx, empty)
	if mapping.KindOf(err) != mapping.Denied || c.start != c.prefix {
		return err
	}
	// A role for `prefix/` alone does not see a value of the prefix itself.
	c.start = c.prefix + "/"
	return c.read(ctx, empty)
}

func (c *Cache) read(ctx context.Context, empty *mapping.Tree) error {
	return c.untilRead(ctx, func() error {
		tree, cluster := empty, uint64(0)
		seen := c.now()
		for p := range c.pages(ctx, c.whole(0)) {
			if p.err != nil {
				return p.err
			}
			tree, _ = tree.Apply(p.revision, seen, p.changes)
			cluster = p.cluster
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.applied, c.cluster = tree.Revision(), cluster
		c.tree.Store(tree)
		return nil
	})
}

// reload reads the prefix again and applies what differs from the shown tree as
// one change.
func (c *Cache) reload(ctx context.Context) error {
	c.mu.Lock()
	c.reading = true
	old := c.Tree() // nothing replaces it while reading is set: the follower is here
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.reading = false
		c.mu.Unlock()
	}()
	return c.untilRead(ctx, func() error {
		difference := newDifference(c.keys(old))
		defer difference.stop()
		var last page
		for p := range c.pages(ctx, c.whole(0)) {
			if p.err != nil {
				return p.err
			}
			for i := range p.changes {
				difference.add(&p.changes[i])
			}
			last = p
		}
		changes := difference.close(last.revision)

		c.mu.Lock()
		defer c.mu.Unlock()
		c.reading = false
		c.epoch++
		c.applied, c.cluster = last.revision, last.cluster
		for _, a := range c.pending {
			a.reread = true
		}
		// Requests made before this reading are answered by it.
		select {
		case <-c.following.reread:
		default:
		}
		c.show(last.revision, changes)
		return nil
	})
}

// untilRead repeats a reading that failed for a passing reason until ctx ends.
func (c *Cache) untilRead(ctx context.Context, read func() error) error {
	var last error
	for {
		err := read()
		if err == nil {
			c.contact.answered(time.Now())
			return nil
		}
		// The error of an ended context says less than the one before it.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		compacted := errors.Is(rpctypes.Error(err), rpctypes.ErrCompacted)
		if !compacted && !passing(err) && ctx.Err() == nil {
			return c.refusal(err, nil)
		}
		if !compacted {
			c.client.ActiveConnection().ResetConnectBackoff()
		}
		select {
		case <-ctx.Done():
			return c.unreachable(last)
		case <-time.After(retryPause):
		}
	}
}

// whole is the request for all of the prefix at a revision, the newest if that is 0.
func (c *Cache) whole(revision int64) *pb.RangeRequest {
	return &pb.RangeRequest{Key: []byte(c.start), RangeEnd: []byte(c.end), Revision: revision}
}

// pages reads what request asks for page by page, all at one revision; the next one is
// fetched while the caller is busy with this one. A page with an error is the last.
func (c *Cache) pages(ctx context.Context, request *pb.RangeRequest) iter.Seq[page] {
	return func(yield func(page) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		fetched := make(chan page)
		go c.fetch(ctx, request, fetched)
		for p := range fetched {
			if !yield(p) {
				break
			}
		}
		cancel()
		for range fetched { // until fetch has ended
		}
	}
}

func (c *Cache) fetch(ctx context.Context, request *pb.RangeRequest, to chan<- page) {
	defer close(to)
	send := func(p page) bool {
		select {
		case to <- p:
			return true
		case <-ctx.Done():
			return false
		}
	}
	request.Limit = firstPageKeys
	for {
		response, err := c.kv.Range(ctx, request, callOptions()...)
		if err != nil {
			// The reader waits for it even when ctx has ended.
			to <- page{err: err}
			return
		}
		if request.Revision == 0 {
			request.Revision = response.Header.Revision
		}
		p := page{changes: c.changes(response), revision: request.Revision, cluster: response.Header.ClusterId}
		if !send(p) || !response.More || len(response.Kvs) == 0 {
			return
		}
		request.Key = append(response.Kvs[len(response.Kvs)-1].Key, 0)
		perKey := max(1, proto.Size(response)/len(response.Kvs))
		request.Limit = int64(min(mostPageKeys, max(1, pageBytes/perKey)))
	}
}

// changes are the keys of an answer that are the prefix's own.
func (c *Cache) changes(response *pb.RangeResponse) []mapping.Change {
	changes := make([]mapping.Change, 0, len(response.Kvs))
	for _, kv := range response.Kvs {
		if key := string(kv.Key); c.mine(key) {
			changes = append(changes, mapping.Change{KV: mapping.KV{
				Key: key, Value: kv.Value, CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease,
			}})
		}
	}
	return changes
}
