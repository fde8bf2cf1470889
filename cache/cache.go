// Package cache keeps a complete, immutable copy of the keys under a prefix of
// etcd in memory, current by one watch, and changes etcd by plans of edits.
//
// # What is shown
//
// [Cache.Tree] always is the state of exactly one revision. It is replaced, in
// the order of revisions, by the follower (follow.go) when all events of a
// revision have arrived, or by a commit that knows that its own revision is the
// next one. Each replacement is made under Cache.mu in this order: publish the
// tree, call [Options.Publish], wake who waits for the revision.
//
// # What is written
//
// [Cache.Commit] plans an edit on the shown tree, sends it as one transaction
// that compares all that the edit read, and plans again on a newer tree when a
// compare failed. An answer that was lost is looked up in the stream of
// revisions (outcome.go).
//
// # When etcd is away
//
// The shown tree stays. A probe (contact.go) notices the loss within about two
// seconds, also when nothing happens. The watch goes on at the next revision;
// if that was compacted, or the address now leads to another cluster, the
// prefix is read again and the difference is applied as one change.
//
// # Locks
//
// There is one lock for state, Cache.mu, held while a revision is applied and
// never while waiting. Cache.contended is a turn for commits that met a
// conflict, taken without mu. All goroutines end in [Cache.Close].
package cache

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// defaultRequestLimit is etcd's default of --max-request-bytes (embed.DefaultMaxRequestBytes).
	defaultRequestLimit = 3 << 19
	// defaultTimeout bounds a call whose context has no deadline.
	defaultTimeout = 15 * time.Second
)

// Options are what a Cache is opened with. Client and Settings are required.
type Options struct {
	// Client speaks to etcd, with its TLS and authentication. It stays the caller's, who
	// closes it after the Cache. It should have DialKeepAliveTime and DialKeepAliveTimeout
	// set: a connection into a black hole is only given up by them.
	Client   *clientv3.Client
	Settings mapping.Settings
	// Logger gets what an operator should know, never a value; nil: nothing is logged.
	Logger *slog.Logger
	// Now tells when a content is first seen; nil: time.Now.
	Now func() time.Time
	// RequestLimit is the server's --max-request-bytes; 0: its default of 1.5 MiB.
	RequestLimit int
	// Timeout bounds a commit or barrier whose context has no deadline; 0: 15 s.
	Timeout time.Duration
	// LostAfter without an answer etcd counts as out of reach; 0: 2 s.
	LostAfter time.Duration
	// Publish is told of each tree after it is shown and before a Commit or
	// Barrier that waits for it returns: old is the one of the call before,
	// keys are those whose value came, went or changed (none when only the revision or
	// metadata moved). It is called in order and never concurrently, by the follower or by
	// a commit. It must not block, nor call the Cache.
	Publish func(old, new *mapping.Tree, keys []string)
}

// Cache is the copy of one prefix. Its methods may be called concurrently.
type Cache struct {
	client  *clientv3.Client
	kv      pb.KVClient
	watcher clientv3.Watcher
	logger  *slog.Logger
	now     func() time.Time
	publish func(old, new *mapping.Tree, keys []string)
	limit   int
	timeout time.Duration

	// prefix is the prefix without a trailing slash; start and end bound the range that is read and
	// watched. Keys in it that are not the prefix's own ("/ovs-x") are left out by mine.
	prefix, start, end string

	tree atomic.Pointer[mapping.Tree] // replaced only with mu held

	mu sync.Mutex
	// applied is the newest revision whose events are in the tree. The tree's own revision is
	// newer when etcd has said that nothing happened since.
	applied int64
	// cluster is the etcd cluster that the tree came from.
	cluster uint64
	// reading is true while the prefix is read again: no commit may apply its own change then.
	reading bool
	// epoch counts the times the prefix was read.
	epoch   int
	waiters []waiter
	pending []*attempt // commits whose transaction may be under way

	contended chan struct{} // holds the one turn of commits that met a conflict
	contact   contact
	past      past
	usage     usage
	following following

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// callOptions: fail at once when there is no connection, so that a request that was never
// sent is known as such; and take pages of any size.
func callOptions() []grpc.CallOption {
	return []grpc.CallOption{grpc.WaitForReady(false), grpc.MaxCallRecvMsgSize(math.MaxInt32)}
}

// Open reads the prefix and follows it from then on; the tree is whole when it
// returns. It keeps trying until ctx ends (15 s if that has no deadline) while
// etcd does not answer.
//
// Errors are *mapping.Error: Invalid for settings that make no tree, Denied for missing
// rights or a wrong password, ReadOnly when etcd is out of reach.
func Open(ctx context.Context, options Options) (*Cache, error) {
	c, empty, err := newCache(options)
	if err != nil {
		return nil, err
	}
	c.watcher = clientv3.NewWatcher(options.Client)
	bounded, done := c.bounded(ctx)
	defer done()
	if err := c.load(bounded, empty); err != nil {
		c.watcher.Close()
		return nil, err
	}
	background, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.contact.answered(time.Now())
	c.wg.Go(func() { c.follow(background) })
	c.wg.Go(func() { c.probe(background) })
	c.wg.Go(func() { c.measure(background) })
	return c, nil
}

// newCache is a Cache that has read nothing yet, and the empty tree of its settings.
func newCache(options Options) (*Cache, *mapping.Tree, error) {
	empty, err := mapping.NewTree(options.Settings)
	if err != nil {
		return nil, nil, err
	}
	prefix := empty.Settings().Prefix
	c := &Cache{
		client:    options.Client,
		kv:        pb.NewKVClient(options.Client.ActiveConnection()),
		logger:    options.Logger,
		now:       options.Now,
		publish:   options.Publish,
		limit:     options.RequestLimit,
		timeout:   options.Timeout,
		prefix:    prefix,
		start:     prefix,
		end:       prefix + "0", // '0' follows '/'
		contended: make(chan struct{}, 1),
	}
	if prefix == "" {
		c.start = "/"
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.limit == 0 {
		c.limit = defaultRequestLimit
	}
	c.contact.lostAfter = options.LostAfter
	if c.contact.lostAfter == 0 {
		c.contact.lostAfter = defaultLostAfter
	}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	c.following.init()
	c.usage.init()

	return c, empty, nil
}

// Close ends the following and returns when all goroutines of the Cache are
// gone. The last tree stays readable; commits fail.
func (c *Cache) Close() error {
	c.cancel()
	err := c.watcher.Close()
	c.wg.Wait()
	return err
}

// Tree returns the shown tree.
func (c *Cache) Tree() *mapping.Tree { return c.tree.Load() }

// bounded gives ctx the default deadline if it has none.
func (c *Cache) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}

// mine reports whether key is the prefix itself or below it.
func (c *Cache) mine(key string) bool {
	n := len(c.prefix)
	return len(key) >= n && key[:n] == c.prefix && (len(key) == n && n > 0 || len(key) > n && key[n] == '/')
}
