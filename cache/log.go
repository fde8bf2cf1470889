package cache

import (
	"context"
	"errors"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Step is what one revision, that of New, made of a part of the tree. Old is
// New of the step before. Both hold the keys of that part and no others.
type Step struct {
	Old, New *mapping.Tree
}

// Log replays the history of a key and all keys below it: it calls each with
// every revision that wrote one of them, in order, until it returns false or
// the newest revision at the time of the call has been told. It returns the
// revision that the history begins with: 1, or that which etcd was compacted
// at, and before which nothing is known.
//
// Etcd has no index of what happened to a key: the server goes through all
// revisions that it keeps, whatever they wrote.
//
// Errors are *mapping.Error: Denied, Canceled, TimedOut when etcd does not
// answer, NotFound when etcd is compacted while the history is read.
func (c *Cache) Log(ctx context.Context, key string, each func(Step) bool) (oldest int64, err error) {
	newest, err := c.newest(ctx)
	if err != nil {
		return 0, err
	}
	part := c.part(key)
	oldest = 1
	tree, err := c.partAt(ctx, part, oldest)
	if errors.Is(rpctypes.Error(err), rpctypes.ErrCompacted) {
		if oldest, err = c.oldest(ctx); err == nil {
			tree, err = c.partAt(ctx, part, oldest)
		}
	}
	if err != nil {
		return oldest, c.notThen(ctx, oldest, err)
	}
	r := replay{cache: c, part: part, tree: tree, until: newest, each: each}
	err = r.run(ctx, false)
	if status.Code(err) == codes.ResourceExhausted {
		// Many revisions at once do not fit a message. Cut into fragments they do, at a
		// cost that is otherwise better saved (see watch).
		err = r.run(ctx, true)
	}
	var refused *mapping.Error
	if err != nil && !errors.As(err, &refused) {
		err = c.notThen(ctx, r.tree.Revision(), err)
	}
	return oldest, err
}

// part is a key and those below it, within the range from start to end.
type part struct{ key, start, end string }

func (c *Cache) part(key string) part {
	if key == c.prefix {
		return part{key, c.start, c.end}
	}
	return part{key, key, key + "0"} // '0' follows '/'
}

func (p part) has(key string) bool {
	n := len(p.key)
	return len(key) >= n && key[:n] == p.key && (len(key) == n || key[n] == '/')
}

// of keeps the changes of the part.
func (p part) of(changes []mapping.Change) []mapping.Change {
	kept := changes[:0]
	for i := range changes {
		if p.has(changes[i].Key) {
			kept = append(kept, changes[i])
		}
	}
	return kept
}

// partAt reads a part of the prefix as of a revision.
func (c *Cache) partAt(ctx context.Context, p part, revision int64) (*mapping.Tree, error) {
	var tree *mapping.Tree
	err := c.patiently(ctx, func() error {
		var err error
		if tree, err = mapping.NewTree(c.Tree().Settings()); err != nil {
			return err
		}
		for page := range c.pages(ctx, &pb.RangeRequest{Key: []byte(p.start), RangeEnd: []byte(p.end), Revision: revision}) {
			if page.err != nil {
				return page.err
			}
			tree, _ = tree.Apply(revision, time.Time{}, p.of(page.changes))
		}
		return nil
	})
	return tree, err
}

// replay goes through the revisions from that of tree to until.
type replay struct {
	cache *Cache
	part  part
	tree  *mapping.Tree
	until int64
	each  func(Step) bool
}

func (r *replay) run(ctx context.Context, fragments bool) error {
	if r.tree.Revision() >= r.until {
		return nil
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	watcher := clientv3.NewWatcher(r.cache.client)
	defer watcher.Close()
	options := []clientv3.OpOption{clientv3.WithRange(r.part.end), clientv3.WithRev(r.tree.Revision() + 1)}
	if fragments {
		options = append(options, clientv3.WithFragment())
	}
	responses := watcher.Watch(ctx, r.part.start, options...)
	// The last revisions may have written other keys only; a progress notice tells. It
	// comes when all before it has been sent.
	pause := progressEvery
	ask := time.NewTimer(pause)
	defer ask.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ask.C:
			if err := r.cache.Writable(); err != nil {
				return refuse(mapping.TimedOut, err, "etcd stopped to answer while its history was read: try again when it is back")
			}
			if err := watcher.RequestProgress(ctx); err != nil {
				return err
			}
			pause = min(2*pause, time.Second)
			ask.Reset(pause)
		case response, ok := <-responses:
			if !ok {
				return context.Canceled
			}
			if err := response.Err(); err != nil {
				return err
			}
			if done := r.take(response); done {
				return nil
			}
		}
	}
}

// take applies a response, and reports whether it was the last one needed.
func (r *replay) take(response clientv3.WatchResponse) (done bool) {
	if response.IsProgressNotify() {
		return response.Header.Revision >= r.until
	}
	for revision, changes := range r.cache.revisions(response) {
		if revision > r.until {
			return true
		}
		if changes = r.part.of(changes); len(changes) == 0 {
			continue
		}
		old := r.tree
		r.tree, _ = old.Apply(revision, time.Time{}, changes)
		if !r.each(Step{old, r.tree}) {
			return true
		}
		if revision == r.until {
			return true
		}
	}
	return false
}
