package clusterlock

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// unlockWithin is how long Unlock waits for etcd.
const unlockWithin = 2 * time.Second

// Unlock gives back what an owner has between start and end, if anything. If etcd does not
// answer within two seconds, others get it as soon as it does, or when the lease ends.
func (l *Locker) Unlock(name lock.File, owner, start, end uint64) {
	l.mu.Lock()
	f := l.files[name]
	if f == nil {
		l.mu.Unlock()
		return
	}
	f.users++
	l.mu.Unlock()
	defer l.done(f)

	ctx, cancel := context.WithTimeout(l.ctx, unlockWithin)
	defer cancel()
	taken := f.take(ctx) == nil
	l.mu.Lock()
	had := f.held
	f.lost = f.lost.Without(owner, start, end)
	f.held = f.held.Without(owner, start, end)
	s, list := f.session, f.held
	same := slices.Equal(had, list)
	if !taken {
		if !same {
			l.mendLocked(f)
		}
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	defer f.give()
	if same || s == nil {
		return
	}
	ops := []clientv3.Op{clientv3.OpDelete(f.key(s))}
	if len(list) > 0 {
		ops = []clientv3.Op{clientv3.OpPut(f.key(s), f.record(list), clientv3.WithLease(s.Lease()))}
	}
	if _, err := l.client.Txn(ctx).Then(ops...).Commit(); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		l.mu.Lock()
		l.mendLocked(f)
		l.mu.Unlock()
	}
}

// mendLocked has etcd get what f.held is, and lose the keys of those who do not wait any more, in
// the background and until it has succeeded or the lease has ended. l.mu is held.
func (l *Locker) mendLocked(f *file) {
	f.unsure = true
	if f.mending || l.closed {
		return
	}
	f.mending = true
	f.users++
	l.wg.Go(func() {
		for !l.mend(f) {
			select {
			case <-time.After(pause):
			case <-l.ctx.Done():
			}
		}
		l.done(f)
	})
}

// mend does that once and reports whether it is done.
func (l *Locker) mend(f *file) bool {
	if f.take(l.ctx) != nil {
		return true
	}
	defer f.give()
	l.mu.Lock()
	s, list, abandoned, unsure := f.session, f.held, f.abandoned, f.unsure
	if !unsure || s == nil || s.lost || l.closed {
		f.mending, f.unsure = false, false
		l.mu.Unlock()
		return true
	}
	l.mu.Unlock()
	// The key is written even if it holds nothing: a grant that is still on its way to etcd then does not
	// find what it compares.
	ops := []clientv3.Op{clientv3.OpPut(f.key(s), f.record(list), clientv3.WithLease(s.Lease()))}
	for _, key := range abandoned[:min(len(abandoned), 100)] {
		ops = append(ops, clientv3.OpDelete(key))
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.timeout)
	defer cancel()
	_, err := l.client.Txn(ctx).Then(ops...).Commit()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return false
	}
	f.abandoned = f.abandoned[min(len(abandoned), 100):]
	// Whoever unlocks without the turn meanwhile has changed what is right.
	if len(f.abandoned) > 0 || !slices.Equal(f.held, list) {
		return false
	}
	f.mending, f.unsure = false, false
	return true
}
