package cache

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// progressEvery is how long a waiter waits before it asks again how far the watch is: longer than
	// an answer of a healthy server takes, short enough not to be felt.
	progressEvery = 25 * time.Millisecond

	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// errReread ends a watch that has nothing more to tell about the tree: the
// revision that comes next was compacted, or the cluster is another one.
var errReread = errors.New("the prefix has to be read again")

// following is the state of the follower.
type following struct {
	watching atomic.Bool   // the watch is established, as far as the client tells
	reread   chan struct{} // holds a request to read the prefix again
	restart  chan struct{} // holds a request to open the watch anew
}

func (f *following) init() {
	f.reread = make(chan struct{}, 1)
	f.restart = make(chan struct{}, 1)
}

// ask leaves a request in a channel that holds one.
func ask(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// follow keeps the tree current until ctx ends. It is the only caller of
// applyWatched, applyProgress and reload.
func (c *Cache) follow(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := c.watch(ctx)
		c.following.watching.Store(false)
		if errors.Is(err, errReread) {
			c.logger.Warn("reading the whole prefix again", "prefix", c.prefix, "shown", c.Tree().Revision())
			err = c.reload(ctx)
			if err == nil {
				pause = firstPause
				continue
			}
			ask(c.following.reread)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		c.logger.Warn("the watch ended, opening it again", "prefix", c.prefix, "next", c.Tree().Revision()+1, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// watch follows etcd from the revision after the shown one, over lost
// connections, until the watch cannot go on.
func (c *Cache) watch(ctx context.Context) error {
	// A member that has lost its cluster ends the watch, instead of keeping it silent.
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	// Fragments are not asked for: a server takes time quadratic in the number of events
	// to cut them (sendFragments in v3rpc/watch.go sizes the whole fragment after each
	// event), 20 s for a revision of 30,000 small keys that it sends at once in 0.1 s
	// whole.
	responses := c.watcher.Watch(ctx, c.start, clientv3.WithRange(c.end), clientv3.WithRev(c.Tree().Revision()+1),
		clientv3.WithProgressNotify(), clientv3.WithCreatedNotify())
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.following.reread:
			return errReread
		case <-c.following.restart:
			return errors.New("it had stopped telling of changes")
		case response, ok := <-responses:
			if !ok {
				return errors.New("the client closed it")
			}
			if err := c.receive(response); err != nil {
				return err
			}
		}
	}
}

func (c *Cache) receive(response clientv3.WatchResponse) error {
	switch err := response.Err(); {
	case errors.Is(err, rpctypes.ErrCompacted):
		return errReread
	case status.Code(err) == codes.ResourceExhausted:
		// What was missed does not fit one message, up to a thousand revisions at a time: a page does.
		return errReread
	case err != nil:
		return err
	}
	if c.foreign(response.Header.GetClusterId()) {
		return errReread
	}
	c.following.watching.Store(true)
	c.contact.answered(time.Now())
	if response.IsProgressNotify() {
		c.applyProgress(response.Header.Revision)
		return nil
	}
	for revision, changes := range c.revisions(response) {
		c.applyWatched(revision, changes)
	}
	return nil
}

// foreign reports whether id is another cluster than the tree came from.
func (c *Cache) foreign(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return id != 0 && id != c.cluster
}

// awaitProgress gives a progress notice, or the events, a moment. It returns nil when shown
// is closed, and an error when it is time to ask again.
func awaitProgress(ctx context.Context, shown <-chan struct{}) error {
	again := time.NewTimer(progressEvery)
	defer again.Stop()
	select {
	case <-shown:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-again.C:
		return context.DeadlineExceeded
	}
}

// askProgress asks the server to tell how far the watch is.
func (c *Cache) askProgress(ctx context.Context) {
	// Without a watch the client would make a stream for the request alone.
	if !c.following.watching.Load() {
		return
	}
	// The metadata of the context is what the client finds the watch's stream by.
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), progressEvery)
	defer cancel()
	// Nothing is lost when it fails: the next round asks again.
	_ = c.watcher.RequestProgress(ctx)
}
