package fs

import (
	"context"
	"sync"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// localLocks is a Locker for what only this mount has: scratch files, computed
// files, and all that is in a transaction.
type localLocks struct {
	mu    sync.Mutex
	files map[lock.File]*localFile
}

type localFile struct {
	held    lock.List
	waiting []*localWaiter // who came first first
}

type localWaiter struct {
	want lock.Lock
	turn chan struct{} // closed when it was granted
}

var _ Locker = (*localLocks)(nil)

// Lock implements Locker.
func (l *localLocks) Lock(ctx context.Context, name lock.File, want lock.Lock, wait bool) error {
	l.mu.Lock()
	if l.files == nil {
		l.files = map[lock.File]*localFile{}
	}
	f := l.files[name]
	if f == nil {
		f = &localFile{}
		l.files[name] = f
	}
	if f.free(want, f.waiting) {
		f.held = f.held.With(want)
		l.mu.Unlock()
		return nil
	}
	if !wait {
		l.mu.Unlock()
		return mapping.Errorf(mapping.Locked, "", "locked by another process")
	}
	if name.Kind == lock.Whole {
		f.held = f.held.Without(want.Owner, 0, lock.Last)
	}
	w := &localWaiter{want: want, turn: make(chan struct{})}
	f.waiting = append(f.waiting, w)
	f.grant()
	l.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, other := range f.waiting {
		if other == w {
			f.waiting = append(f.waiting[:k:k], f.waiting[k+1:]...)
			l.tidy(name, f)
			return mapping.Errorf(mapping.Canceled, "", "the wait for the lock was interrupted")
		}
	}
	return nil // granted at this very moment
}

// Unlock implements Locker.
func (l *localLocks) Unlock(name lock.File, owner, start, end uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.files[name]; f != nil {
		f.held = f.held.Without(owner, start, end)
		l.tidy(name, f)
	}
}

// Test implements Locker.
func (l *localLocks) Test(_ context.Context, name lock.File, want lock.Lock) (lock.Lock, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.files[name]; f != nil {
		by, found := f.held.Conflict(want)
		return by, found, nil
	}
	return lock.Lock{}, false, nil
}

// Fence implements Locker: what this mount keeps itself is never lost.
func (l *localLocks) Fence(lock.File, uint64) (string, error) { return "", nil }

// tidy lets those in who can be, and forgets the file if nobody is left; mu is held.
func (l *localLocks) tidy(name lock.File, f *localFile) {
	f.grant()
	if len(f.held) == 0 && len(f.waiting) == 0 {
		delete(l.files, name)
	}
}

// free reports whether want can be granted after those who wait before it.
func (f *localFile) free(want lock.Lock, before []*localWaiter) bool {
	if _, taken := f.held.Conflict(want); taken {
		return false
	}
	for _, w := range before {
		if w.want.Owner != want.Owner && w.want.Conflicts(want) && !f.holdsUp(want.Owner, w.want) {
			return false
		}
	}
	return true
}

// holdsUp reports whether what an owner has is what m waits for.
func (f *localFile) holdsUp(owner uint64, m lock.Lock) bool {
	for _, had := range f.held {
		if had.Owner == owner && had.Conflicts(m) {
			return true
		}
	}
	return false
}

func (f *localFile) grant() {
	for k := 0; k < len(f.waiting); {
		w := f.waiting[k]
		if !f.free(w.want, f.waiting[:k]) {
			k++
			continue
		}
		f.held = f.held.With(w.want)
		f.waiting = append(f.waiting[:k:k], f.waiting[k+1:]...)
		close(w.turn)
		k = 0
	}
}
