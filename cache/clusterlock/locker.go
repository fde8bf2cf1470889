// Package clusterlock keeps locks in etcd that exclude the processes of all
// mounts of one cluster.
//
// # What is in etcd
//
// Each file that has locks has a directory of its own under [Options.Base]: its
// hash and sort of lock. In it each mount has one key held/LEASE with all the locks that its
// processes have, and a key wait/LEASE-N for each that waits. All of them are attached to the
// mount's one lease, so that they end with the mount, or with its node. Only the mount
// itself changes its keys.
//
// A lock is granted by one transaction that writes the mount's key and compares that no key under held/ is newer
// than what the decision was made on. Whoever waits watches the directory, and takes his turn in
// the order of the create revisions of the keys under wait/: nobody overtakes one who
// waits for what excludes his own, unless that one waits for him.
//
// # A lease that is lost
//
// All locks of the mount are lost then; [Locker.Fence] says so to their owners until these give them
// back or lock anew. Before that is known here, a change that relies on a lock is refused by etcd,
// because it compares that the mount's key is there.
//
// # Locks
//
// Locker.mu guards all state and is never held while waiting. file.turn is held
// by the one transaction of this mount on that file, without mu.
package clusterlock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// DefaultBase is where the locks are kept: outside what is mounted.
const DefaultBase = "/ovscfgfs/locks"

// Options are what a Locker is made with. Client is required.
type Options struct {
	// Client speaks to etcd. It stays the caller's, who closes it after the Locker.
	Client *clientv3.Client
	// Base is the key under which the locks are kept; DefaultBase if empty.
	Base string
	// TTL is how long the locks of a mount that is gone stay; 0: 10 s. etcd does not take less than
	// two seconds with its defaults.
	TTL time.Duration
	// Timeout bounds each request to etcd; 0: 5 s.
	Timeout time.Duration
	// Logger gets what an operator should know; nil: nothing is logged.
	Logger *slog.Logger
}

// Locker keeps the locks of one mount's processes. Safe for concurrent use.
type Locker struct {
	client  *clientv3.Client
	base    string
	ttl     time.Duration
	timeout time.Duration
	logger  *slog.Logger

	ctx    context.Context // of what goes on in the background
	cancel context.CancelFunc
	wg     sync.WaitGroup

	opening chan struct{} // holds the turn of who asks for a lease

	mu      sync.Mutex
	closed  bool
	session *session
	files   map[lock.File]*file
	waits   uint64 // numbers the keys of those who wait
}

// file is what this mount knows of a file that it has locks on, or asks for some.
type file struct {
	name lock.File
	dir  string // of its keys
	turn chan struct{}

	// These are guarded by Locker.mu; held and session change with the turn, too.
	users   int
	session *session  // whose lease held is attached to
	held    lock.List // what the processes of this mount have
	lost    lock.List // what they had when their lease ended
	// unsure: etcd may have something else than held, or keys of who does not wait any more.
	unsure    bool
	abandoned []string
	mending   bool
}

// New returns a Locker. It asks etcd for nothing until the first lock.
func New(o Options) *Locker {
	l := &Locker{
		client: o.Client, base: o.Base, ttl: o.TTL, timeout: o.Timeout, logger: o.Logger,
		opening: make(chan struct{}, 1),
		files:   map[lock.File]*file{},
	}
	if l.base == "" {
		l.base = DefaultBase
	}
	if l.ttl == 0 {
		l.ttl = 10 * time.Second
	}
	if l.timeout == 0 {
		l.timeout = 5 * time.Second
	}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Close gives all locks back and ends. Who waits gets an error.
func (l *Locker) Close() {
	l.mu.Lock()
	l.closed = true
	s := l.session
	l.mu.Unlock()
	l.cancel()
	if s != nil {
		s.revoke(l.client)
	}
	l.wg.Wait()
}

// use returns the state of a file, which stays the same until done.
func (l *Locker) use(name lock.File) *file {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[name]
	if f == nil {
		sum := sha256.Sum256([]byte(name.Name))
		f = &file{name: name, dir: l.base + "/" + hex.EncodeToString(sum[:16]) + "/" + name.Kind.String() + "/", turn: make(chan struct{}, 1)}
		l.files[name] = f
	}
	f.users++
	return f
}

func (l *Locker) done(f *file) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.users--
	l.dropLocked(f)
}

// dropLocked forgets a file that nobody here has to do with.
func (l *Locker) dropLocked(f *file) {
	if f.users == 0 && len(f.held) == 0 && len(f.lost) == 0 && !f.unsure {
		delete(l.files, f.name)
	}
}

// take waits for the turn on a file.
func (f *file) take(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *file) give() { <-f.turn }

func (f *file) heldDir() string { return f.dir + "held/" }
func (f *file) waitDir() string { return f.dir + "wait/" }

// key is that of the locks that the mount of a lease has.
func (f *file) key(s *session) string { return f.heldDir() + s.name }
