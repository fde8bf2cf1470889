package clusterlock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// pause is how long who waits lets pass before etcd is asked again after it did not answer.
const pause = 100 * time.Millisecond

// errAnew says that a session ended meanwhile: all is to be begun anew.
var errAnew = errors.New("the lease ended")

// Lock takes a lock. With wait it waits for it as long as ctx lasts, also for an
// etcd that does not answer. An owner's new lock takes the place of what it had there;
// if that fails, it keeps what it had, except that who waits for the lock of a whole file
// gives back first the one that he has, as with flock(2).
//
// Errors are *mapping.Error: Locked without wait, when others are before him; Canceled;
// NoLocks when etcd does not answer; Denied.
func (l *Locker) Lock(ctx context.Context, name lock.File, want lock.Lock, wait bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	f := l.use(name)
	defer l.done(f)
	for {
		err := l.attempt(ctx, f, want, wait)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return mapping.Errorf(mapping.Canceled, "", "the wait for the lock was interrupted")
		case errors.Is(err, errAnew):
			continue
		case wait && passing(err):
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		}
		return refusal(l.client, err)
	}
}

// request is one attempt to get a lock under one session.
type request struct {
	l       *Locker
	f       *file
	session *session
	claimant
	events  clientv3.WatchChan // nil: the file is not watched
	unwatch context.CancelFunc
}

func (l *Locker) attempt(ctx context.Context, f *file, want lock.Lock, wait bool) error {
	s, err := l.opened(ctx)
	if err != nil {
		return err
	}
	r := &request{l: l, f: f, session: s, claimant: claimant{lease: s.name, want: want}}
	defer r.leave()
	defer r.ignore()
	// That nobody else is there is tried without asking first.
	now := f.nothing()
	if l.has(f) {
		if now, err = r.ask(ctx); err != nil {
			return err
		}
	}
	for {
		if by, remote, blocked := now.blocked(r.claimant); blocked {
			if !wait {
				return &mapping.Error{Kind: mapping.Locked, Reason: "locked by " + describe(by, remote)}
			}
			if now, err = r.wait(ctx, now); err != nil {
				return err
			}
			continue
		}
		granted, newer, err := r.grant(ctx, now)
		if err != nil || granted {
			return err
		}
		now = newer
		r.ignore()
	}
}

func describe(by lock.Lock, remote bool) string {
	if remote {
		return "a process of another mount"
	}
	return fmt.Sprintf("process %d", by.PID)
}

// has reports whether this mount has a lock on a file.
func (l *Locker) has(f *file) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(f.held) > 0 || f.unsure
}

// ask reads what etcd has of the file.
func (r *request) ask(ctx context.Context) (*state, error) {
	bounded, cancel := context.WithTimeout(ctx, r.l.timeout)
	defer cancel()
	response, err := r.l.client.Get(bounded, r.f.dir, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	return r.f.stateOf(response.Header.Revision, response.Kvs), nil
}

// grant writes the lock into etcd if nothing has changed since that state; if something has,
// it returns the newer one.
func (r *request) grant(ctx context.Context, s *state) (granted bool, newer *state, err error) {
	if err := r.f.take(ctx); err != nil {
		return false, nil, err
	}
	defer r.f.give()
	l, f := r.l, r.f
	l.mu.Lock()
	if r.session.lost || f.session != nil && f.session != r.session {
		l.mu.Unlock()
		return false, nil, errAnew
	}
	f.session = r.session
	list := f.held.With(r.want)
	l.mu.Unlock()

	own := f.key(r.session)
	watched := f.heldDir()
	if s.revision == 0 {
		watched = f.dir // that nobody waits either
	}
	bounded, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	then := []clientv3.Op{clientv3.OpPut(own, f.record(list), clientv3.WithLease(r.session.Lease()))}
	if r.key != "" {
		then = append(then, clientv3.OpDelete(r.key))
	}
	response, err := l.client.Txn(bounded).If(
		clientv3.Compare(clientv3.ModRevision(watched).WithPrefix(), "<", s.revision+1),
		clientv3.Compare(clientv3.ModRevision(own), "=", s.keys[own].modified),
	).Then(then...).Else(clientv3.OpGet(f.dir, clientv3.WithPrefix())).Commit()

	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		r.key = ""
		r.session.Orphan() // which makes all of its locks lost
		return false, nil, errAnew
	case err != nil:
		l.mendLocked(f)
		return false, nil, err
	case !response.Succeeded:
		return false, f.stateOf(response.Header.Revision, response.Responses[0].GetResponseRange().Kvs), nil
	case r.session.lost:
		r.key = ""
		return false, nil, errAnew
	}
	r.key = ""
	f.held, f.lost = list, f.lost.Without(r.want.Owner, r.want.Start, r.want.End)
	return true, nil, nil
}

// wait takes a place among those who wait, if r has none, and else returns when something
// has happened to the file.
func (r *request) wait(ctx context.Context, now *state) (*state, error) {
	if r.key == "" {
		return r.queue(ctx)
	}
	if r.events == nil {
		var watching context.Context
		watching, r.unwatch = context.WithCancel(ctx)
		// An etcd member that has lost its cluster tells nothing, so it must say so.
		r.events = r.l.client.Watch(clientv3.WithRequireLeader(watching), r.f.dir, clientv3.WithPrefix(), clientv3.WithRev(now.revision+1))
	}
	select {
	case response, ok := <-r.events:
		if !ok || response.Err() != nil {
			r.ignore()
			return r.ask(ctx)
		}
		now.apply(response)
		if _, ok := now.keys[r.key]; !ok {
			r.key = ""
			return now, nil // someone has removed it: to the end of the queue
		}
		return now, nil
	case <-r.session.Done():
		r.key = ""
		return nil, errAnew
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// queue takes a place among those who wait.
func (r *request) queue(ctx context.Context) (*state, error) {
	if r.f.name.Kind == lock.Whole {
		r.l.Unlock(r.f.name, r.want.Owner, 0, lock.Last)
	}
	r.l.mu.Lock()
	r.l.waits++
	r.key = fmt.Sprintf("%s%s-%016x", r.f.waitDir(), r.lease, r.l.waits)
	r.l.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, r.l.timeout)
	defer cancel()
	response, err := r.l.client.Txn(bounded).Then(
		clientv3.OpPut(r.key, r.f.record(lock.List{r.want}), clientv3.WithLease(r.session.Lease())),
		clientv3.OpGet(r.f.dir, clientv3.WithPrefix()),
	).Commit()
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		r.key = ""
		r.session.Orphan()
		return nil, errAnew
	case err != nil:
		return nil, err
	}
	r.ignore()
	return r.f.stateOf(response.Header.Revision, response.Responses[1].GetResponseRange().Kvs), nil
}

// ignore ends the watching of the file.
func (r *request) ignore() {
	if r.events != nil {
		r.unwatch()
		r.events = nil
	}
}

// leave gives up the place among those who wait. It does not wait for etcd:
// who is interrupted ends at once.
func (r *request) leave() {
	if r.key == "" {
		return
	}
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	if r.session.lost {
		return
	}
	r.f.session = r.session
	r.f.abandoned = append(r.f.abandoned, r.key)
	r.l.mendLocked(r.f)
}
