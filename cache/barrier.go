package cache

import (
	"context"
	"time"
)

// Barrier asks etcd for its newest revision (a linearizable read), waits until
// the tree shows it, and returns it. A change that was acknowledged to anybody
// before the call is then shown.
//
// Errors are *mapping.Error: Canceled when ctx was canceled, ReadOnly when etcd did not
// answer in time (15 s if ctx has no deadline), Denied.
func (c *Cache) Barrier(ctx context.Context) (int64, error) {
	ctx, done := c.bounded(ctx)
	defer done()
	revision, err := c.newest(ctx)
	if err != nil {
		return 0, err
	}
	if err := c.awaitShown(ctx, revision); err != nil {
		return 0, c.unreachable(err)
	}
	return revision, nil
}

// newest returns etcd's newest revision, asking until ctx ends.
func (c *Cache) newest(ctx context.Context) (int64, error) {
	var last error
	for {
		response, err := c.kv.Range(ctx, c.smallest(), callOptions()...)
		if err == nil {
			c.contact.answered(time.Now())
			return response.Header.Revision, nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if ctx.Err() == nil && !passing(err) {
			return 0, c.refusal(err, nil)
		}
		select {
		case <-ctx.Done():
			return 0, c.unreachable(last)
		case <-time.After(retryPause):
		}
	}
}
