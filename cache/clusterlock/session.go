package clusterlock

import (
	"context"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// session is one lease of this mount, kept alive until it is lost or given back.
type session struct {
	*concurrency.Session
	name string // of the lease, in keys
	lost bool   // guarded by Locker.mu
}

// opened returns the session of now, and begins one if there is none.
func (l *Locker) opened(ctx context.Context) (*session, error) {
	select {
	case l.opening <- struct{}{}:
		defer func() { <-l.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	s, closed := l.session, l.closed
	l.mu.Unlock()
	if closed {
		return nil, context.Canceled
	}
	if s != nil {
		return s, nil
	}
	bounded, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	seconds := max(int64((l.ttl+time.Second-1)/time.Second), 1)
	lease, err := l.client.Grant(bounded, seconds)
	if err != nil {
		return nil, err
	}
	inner, err := concurrency.NewSession(l.client, concurrency.WithLease(lease.ID), concurrency.WithTTL(int(seconds)), concurrency.WithContext(l.ctx))
	if err != nil {
		return nil, err
	}
	s = &session{Session: inner, name: strconv.FormatInt(int64(lease.ID), 16)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		l.wg.Go(func() { s.revoke(l.client) })
		return nil, context.Canceled
	}
	l.session = s
	l.wg.Go(func() {
		<-s.Done()
		l.ended(s)
	})
	return s, nil
}

// ended makes what was locked under a session lost.
func (l *Locker) ended(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.lost = true
	if l.session == s {
		l.session = nil
	}
	if l.closed {
		return
	}
	files := 0
	for _, f := range l.files {
		if f.session != s {
			continue
		}
		if len(f.held) > 0 {
			files++
		}
		f.lost = append(f.lost, f.held...)
		f.held, f.session, f.unsure, f.abandoned = nil, nil, false, nil
		l.dropLocked(f)
	}
	l.logger.Warn("the lease of this mount's locks has ended: etcd was out of reach for longer than its time, or the lease was revoked", "lease", s.name, "locked_files", files)
}

// revoke ends a session, and its keys with it.
func (s *session) revoke(client *clientv3.Client) {
	s.Orphan()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// Without an answer the lease ends by itself.
	_, _ = client.Revoke(ctx, s.Lease())
}
