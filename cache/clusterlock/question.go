package clusterlock

import (
	"context"
	"errors"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// Test returns a lock that keeps want from being granted, its PID 0 if it is of
// another mount; not ok if there is none. Errors are those of Lock.
func (l *Locker) Test(ctx context.Context, name lock.File, want lock.Lock) (by lock.Lock, ok bool, err error) {
	f := l.use(name)
	defer l.done(f)
	l.mu.Lock()
	lease := ""
	if l.session != nil {
		lease = l.session.name
	}
	l.mu.Unlock()
	r := request{l: l, f: f}
	s, err := r.ask(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return by, false, mapping.Errorf(mapping.Canceled, "", "the question was interrupted")
		}
		return by, false, refusal(l.client, err)
	}
	by, remote, ok := s.heldAgainst(claimant{lease: lease, want: want})
	if remote {
		by.PID = 0
	}
	return by, ok, nil
}

// Fence returns the key that a change has to find in etcd for owner's locks on a
// file to count, "" if it has none. It is LockLost when they ended with their lease.
func (l *Locker) Fence(name lock.File, owner uint64) (key string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[name]
	switch {
	case f == nil:
		return "", nil
	case f.lost.Has(owner):
		return "", mapping.Errorf(mapping.LockLost, "", "the lock on this file was lost, because etcd had not heard from this mount for its time (--lock-ttl): others may have changed what it guards; lock again, or close the file, and read anew")
	case f.held.Has(owner) && f.session != nil:
		return f.key(f.session), nil
	}
	return "", nil
}

// passing reports whether a request that failed so may succeed later.
func passing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rpctypes.ErrNoLeader) || errors.Is(err, rpctypes.ErrNotLeader) || errors.Is(err, rpctypes.ErrTooManyRequests) {
		return true
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return true
	}
	var known rpctypes.EtcdError
	return errors.As(err, &known) && known.Code() == codes.Unavailable
}

// refusal turns an error of etcd into words.
func refusal(client *clientv3.Client, err error) error {
	var known *mapping.Error
	switch addresses := strings.Join(client.Endpoints(), ","); {
	case errors.As(err, &known):
		return err
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return mapping.Errorf(mapping.Denied, "", "etcd does not let user %q keep locks: grant the role readwrite on %s, or mount with --local-locks: %w", client.Username, DefaultBase, err)
	case passing(err), errors.Is(err, context.Canceled):
		return mapping.Errorf(mapping.NoLocks, "", "etcd at %s, which keeps the locks, does not answer: try again when it is back: %w", addresses, err)
	default:
		return mapping.Errorf(mapping.NoLocks, "", "etcd at %s keeps no locks now: %w", addresses, err)
	}
}
