package cache

import (
	"context"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// defaultLostAfter without an answer etcd counts as out of reach.
	defaultLostAfter = 2 * time.Second
	// probeEvery is how often etcd is asked whether it is there; it bounds, with
	// Options.LostAfter, how long a loss goes unnoticed.
	probeEvery = 500 * time.Millisecond
	// probeAgain is the same while it does not answer.
	probeAgain = 100 * time.Millisecond
	// stuckAfter without a step, though etcd has newer revisions, a watch is opened anew.
	stuckAfter = time.Minute
)

// contact is what is known of the connection to etcd.
type contact struct {
	lostAfter time.Duration // never changed

	mu       sync.Mutex // guards all; held for the moment of a look only
	last     time.Time  // when etcd answered last
	since    time.Time  // since when it has answered without a loss
	asking   bool       // a probe is under way
	err      error      // of the last probe, nil when it was answered
	revision int64      // the newest that a probe has told of
}

func (t *contact) answered(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() || t.lost(now) {
		t.since = now
	}
	t.last, t.err = now, nil
}

// lost reports whether etcd is out of reach; mu is held.
func (t *contact) lost(now time.Time) bool {
	// Without a question that failed or still waits, silence means nothing: the
	// machine may have slept.
	return (t.err != nil || t.asking) && now.Sub(t.last) >= t.lostAfter
}

// Writable returns nil while etcd answers, and a *mapping.Error of kind
// ReadOnly when it has been out of reach for Options.LostAfter or more. It does not
// wait for anything.
func (c *Cache) Writable() error {
	t := &c.contact
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if !t.lost(now) {
		return nil
	}
	why := "no answer"
	if t.err != nil {
		why = plain(t.err)
	}
	return mapping.Errorf(mapping.ReadOnly, "", "etcd at %s is out of reach since %s (%s): nothing can be written until it is back",
		c.addresses(), t.last.Format(time.TimeOnly), why)
}

// probe asks etcd for its newest revision, again and again, until ctx ends. The
// read is linearizable, since a member that has lost its cluster still answers others.
func (c *Cache) probe(ctx context.Context) {
	timer := time.NewTimer(probeEvery)
	defer timer.Stop()
	var stuck stuckness
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		pause := probeEvery
		if !c.probeOnce(ctx, &stuck) {
			pause = probeAgain
			// gRPC waits up to two minutes between dials.
			c.client.ActiveConnection().ResetConnectBackoff()
		}
		timer.Reset(pause)
	}
}

// stuckness is since when the tree has been at a revision though there are newer ones.
type stuckness struct {
	revision int64
	since    time.Time
}

func (c *Cache) probeOnce(ctx context.Context, stuck *stuckness) bool {
	t := &c.contact
	t.mu.Lock()
	t.asking = true
	t.mu.Unlock()
	shown, epoch := c.shownIn()
	bounded, cancel := context.WithTimeout(ctx, t.lostAfter)
	response, err := c.kv.Range(bounded, c.smallest(), callOptions()...)
	cancel()
	if ctx.Err() != nil {
		return true
	}
	reached := err == nil || !passing(err)
	if reached {
		t.answered(time.Now())
	}
	t.mu.Lock()
	t.asking = false
	if !reached {
		t.err = err
	}
	t.mu.Unlock()
	if err != nil {
		return reached
	}

	newest := response.Header.Revision
	t.mu.Lock()
	t.revision = newest
	t.mu.Unlock()
	if newest < shown || c.foreign(response.Header.ClusterId) {
		// Answers and trees of different readings say nothing about each other.
		if _, now := c.shownIn(); now == epoch {
			ask(c.following.reread)
		}
		return true
	}
	switch now := time.Now(); {
	case newest <= c.Tree().Revision() || stuck.revision != shown:
		*stuck = stuckness{revision: shown, since: now}
	case now.Sub(stuck.since) >= stuckAfter && c.following.watching.Load():
		*stuck = stuckness{revision: shown, since: now}
		ask(c.following.restart)
	}
	if newest > shown {
		// Keeps the revision to resume at ahead of compaction while only other keys change.
		c.askProgress(ctx)
	}
	return true
}

// shownIn returns the shown revision and the reading that it belongs to.
func (c *Cache) shownIn() (revision int64, epoch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Tree().Revision(), c.epoch
}

// smallest is the cheapest request that tells the newest revision.
func (c *Cache) smallest() *pb.RangeRequest {
	return &pb.RangeRequest{Key: []byte(c.start), CountOnly: true}
}
