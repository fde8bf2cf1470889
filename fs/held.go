package fs

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// held is a leaf that was renamed to a scratch name or unlinked by a program
// that replaces files so. Its name is not shown here, etcd still has it. The
// next file of that name is written over it, which keeps its type and place;
// if none follows it is removed.
type held struct {
	path  string // guarded by layer.mu
	view  bool   // a view: never removed
	shape *mapping.Shape
	timer *time.Timer
	// turn counts those that came before: they are removed before it, since each was the last element of its array then.
	turn uint64
	// mu makes who comes second wait for the removal that the first is making.
	mu sync.Mutex
}

// hold hides the leaf at path.
func (s *server) hold(path string, view bool) {
	h := &held{path: path, view: view, shape: mapping.ShapeOf(s.store.Tree(), path)}
	l := s.layer
	l.mu.Lock()
	if old := l.held[path]; old != nil {
		old.timer.Stop()
	}
	l.held[path] = h
	l.holds++
	h.turn = l.holds
	h.timer = time.AfterFunc(s.opt.HoldRemovals, func() { s.expireInTime(h) })
	l.mu.Unlock()
	l.changed()
}

// release ends the holding of path, without a removal.
func (l *layer) release(path string) {
	l.mu.Lock()
	h := l.held[path]
	delete(l.held, path)
	l.mu.Unlock()
	if h != nil {
		h.timer.Stop()
		l.changed()
	}
}

// holdsView reports whether a view is hidden at path.
func (l *layer) holdsView(path string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	h := l.held[path]
	return h != nil && h.view
}

// shapeOf returns what was held at path, nil if nothing is.
func (l *layer) shapeOf(path string) *mapping.Shape {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if h := l.held[path]; h != nil {
		return h.shape
	}
	return nil
}

func (s *server) expireInTime(h *held) {
	path := func() string {
		s.layer.mu.RLock()
		defer s.layer.mu.RUnlock()
		return h.path
	}
	defer s.share(path)()
	dir, _ := splitPath(path())
	for _, before := range s.layer.heldIn(dir) {
		if before.turn < h.turn {
			s.expire(before)
		}
	}
	s.expire(h)
}

// expire carries out a held removal, unless a file of that name is being written.
func (s *server) expire(h *held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := s.layer
	l.mu.Lock()
	path := h.path
	if l.held[path] != h {
		l.mu.Unlock()
		return
	}
	if l.pending[path] != nil {
		// Its commit, or its end without one, decides.
		h.timer.Reset(s.opt.HoldRemovals)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	if !h.view {
		if err := s.remove(path); err != nil && mapping.KindOf(err) != mapping.NotFound {
			// The name is shown again: nothing was removed.
			s.fail("remove", path, err)
		}
	}
	l.mu.Lock()
	if l.held[path] == h {
		delete(l.held, path)
	}
	l.mu.Unlock()
	l.changed()
	s.relist(path)
}

// remove removes the leaf at path from the tree.
func (s *server) remove(path string) error {
	dir, name := splitPath(path)
	release := s.claim(dir, name)
	defer release()
	settle := s.keeping(path)
	defer settle()
	if err := s.commit(mapping.Remove(path)); err != nil {
		return err
	}
	s.clearBehind(path)
	s.problems.clear(path)
	return nil
}

// expireBelow carries out what is held in dir at any depth, or all if dir is "".
func (s *server) expireBelow(dir string) {
	for _, h := range s.layer.heldIn(dir) {
		s.expire(h)
	}
}

// heldIn returns what is held in dir at any depth, in the order in which it was hidden.
func (l *layer) heldIn(dir string) (list []*held) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for p, h := range l.held {
		if isBelow(p, dir) {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b *held) int { return cmp.Compare(a.turn, b.turn) })
	return list
}
