package drafts

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Inner is the store below (cache.Cache is one).
type Inner interface {
	Tree() *mapping.Tree
	Commit(context.Context, mapping.Edit) error
	Barrier(context.Context) (int64, error)
	At(ctx context.Context, revision int64) (*mapping.Tree, error)
	Writable() error
	Usage() (size, quota int64)
}

// Rules say which values are drafts. They are pure, and asked from any number of goroutines.
type Rules interface {
	// Whole reports whether a key may have a value in etcd. t has no drafts.
	Whole(t *mapping.Tree, key string, value []byte) bool
	// Lacks says in words what makes a value not whole.
	Lacks(value []byte) string
	// Contains reports whether a value has all that a draft says.
	Contains(value, draft []byte) bool
	// Draft refuses a value that not even a draft may have. before is what it was, nil for a new one.
	Draft(t *mapping.Tree, key string, before, after []byte) error
	// Plan refuses a plan that etcd is about to get, or adds to it. t has no drafts.
	Plan(t *mapping.Tree, plan mapping.Plan) (mapping.Plan, error)
}

// Options are what a Store is opened with. Inner and Rules are required.
type Options struct {
	Inner Inner
	Rules Rules
	// File keeps the drafts; without it there are none after a restart.
	File string
	// Forget is how long a held change waits for what follows; 0 means a minute.
	Forget time.Duration
	// Forgot is told of each held change that was forgotten: the shown path and why; may be nil.
	Forgot func(path, words string)
	Logger *slog.Logger
}

// Store is a store with drafts in it. Its methods are safe for concurrent use.
type Store struct {
	Inner
	rules  Rules
	file   string
	forget time.Duration
	forgot func(path, words string)
	log    *slog.Logger

	current atomic.Pointer[view] // changed with mu held
	turn    sync.Mutex
	saving  sync.Mutex

	mu      sync.Mutex
	over    overlay
	views   [4]*view // trees that were shown of this overlay, the newest first
	landing map[string][]byte
	told    *mapping.Tree // the inner store's, as of the last Published
	shown   func(old, now *mapping.Tree, keys []string)
	timer   *time.Timer
	closed  bool
}

// view is a tree with the overlay in it.
type view struct {
	inner, shown *mapping.Tree
}

// Open makes a Store with the drafts that File has. An error says that it cannot be read.
func Open(o Options) (*Store, error) {
	s := &Store{Inner: o.Inner, rules: o.Rules, file: o.File, forget: o.Forget, forgot: o.Forgot, log: o.Logger, landing: map[string][]byte{}}
	if s.forget == 0 {
		s.forget = time.Minute
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = s.Inner.Tree()
	s.lookLocked(s.told)
	return s, nil
}

// Close drops what is held. Drafts stay in the file.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// Shown has changes of what is shown told to f from now on, those of the inner
// store and others, in order and never concurrently. f must not block.
func (s *Store) Shown(f func(old, now *mapping.Tree, keys []string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = f
}

// Tree returns the inner store's newest tree with the drafts in it.
func (s *Store) Tree() *mapping.Tree {
	t := s.Inner.Tree()
	if v := s.current.Load(); v.inner == t {
		return v.shown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookLocked(s.Inner.Tree())
}

// lookLocked makes the view of a tree, once, and the current one if it is the newest.
func (s *Store) lookLocked(t *mapping.Tree) *mapping.Tree {
	i := slices.IndexFunc(s.views[:], func(v *view) bool { return v != nil && v.inner == t })
	if i < 0 {
		i = len(s.views) - 1
		s.views[i] = &view{t, s.over.on(t)}
	}
	v := s.views[i]
	copy(s.views[1:i+1], s.views[:i])
	s.views[0] = v
	if t == s.Inner.Tree() {
		s.current.Store(v)
	}
	return v.shown
}

// Published is to be called with each change of the inner store's tree, in
// order (cache.Options.Publish).
func (s *Store) Published(old, now *mapping.Tree, keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.lookLocked(old)
	ended := map[string]*entry{}
	for _, key := range keys {
		e, ok := s.over[key]
		if !ok {
			continue
		}
		kv, has := now.Get(key)
		switch {
		case e.held && (!has || kv.ModRevision != e.base.ModRevision):
			ended[key] = nil
		case !e.held && has && s.landing[key] != nil && bytes.Equal(kv.Value, s.landing[key]):
			ended[key] = nil
			delete(s.landing, key)
		}
	}
	if len(ended) > 0 {
		s.putLocked(s.over.with(ended))
	}
	is := s.lookLocked(now)
	s.told = now
	if s.shown != nil {
		s.shown(was, is, keys)
	}
}

// putLocked switches to another overlay, and tells nobody.
func (s *Store) putLocked(over overlay) {
	s.over = over
	s.views = [4]*view{}
	s.lookLocked(s.Inner.Tree())
}

// change makes a change of the overlay that concerns no other store.
func (s *Store) change(changes map[string]*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changeLocked(changes)
}

func (s *Store) changeLocked(changes map[string]*entry) {
	t := s.Inner.Tree()
	for key, e := range changes {
		if kv, _ := t.Get(key); e != nil && e.held && kv.ModRevision != e.base.ModRevision {
			changes[key] = nil // someone was faster: what it was held against is gone
		}
		was, ok := s.over[key]
		if e == nil && !ok || e != nil && !e.held && ok && bytes.Equal(e.value, was.value) {
			delete(changes, key)
		}
	}
	if len(changes) == 0 {
		return
	}
	// What is told follows what was told: a newer tree's turn is in Published.
	old := s.lookLocked(s.told)
	s.putLocked(s.over.with(changes))
	s.watchHeldLocked()
	if s.shown != nil {
		s.shown(old, s.lookLocked(s.told), slices.Sorted(maps.Keys(changes)))
	}
}
