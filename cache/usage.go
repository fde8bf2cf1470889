package cache

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// usageFor is how long a measured size is good for.
	usageFor = 5 * time.Second
	// measureWithin bounds the question to one member.
	measureWithin = 2 * time.Second
	// defaultQuota is what etcd uses when it is not told, and what servers before 3.6 do not
	// report (server/storage/quota.go, DefaultQuotaBytes).
	defaultQuota = 2 << 30
)

// usage is what the database of etcd takes.
type usage struct {
	size, quota atomic.Int64
	measured    atomic.Int64 // Unix time in nanoseconds
	wanted      chan struct{}
}

func (u *usage) init() {
	u.wanted = make(chan struct{}, 1)
	u.wanted <- struct{}{}
}

// Usage returns the size of etcd's database and its quota in bytes, as of a few seconds
// ago; zero until they are first known. It never waits: it has them measured in the
// background.
func (c *Cache) Usage() (size, quota int64) {
	if time.Since(time.Unix(0, c.usage.measured.Load())) > usageFor {
		ask(c.usage.wanted)
	}
	return c.usage.size.Load(), c.usage.quota.Load()
}

// measure asks etcd for its size whenever that is wanted, until ctx ends.
func (c *Cache) measure(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.usage.wanted:
		}
		for _, endpoint := range c.client.Endpoints() {
			bounded, cancel := context.WithTimeout(ctx, measureWithin)
			status, err := c.client.Status(bounded, endpoint)
			cancel()
			if err != nil {
				continue
			}
			quota := status.DbSizeQuota
			if quota == 0 {
				quota = defaultQuota
			}
			c.usage.size.Store(status.DbSize)
			c.usage.quota.Store(quota)
			break
		}
		c.usage.measured.Store(time.Now().UnixNano())
	}
}
