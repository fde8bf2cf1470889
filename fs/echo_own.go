package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// ownMark says that this mount's own requests have changed a name: the kernel
// has raised the events of that.
type ownMark struct {
	// active counts the requests at work; undecided is what they may have done.
	active    int
	undecided []*echoed
	// doubts are those of what they may have done that nobody is known to watch.
	doubts []ownDoubt
	// node is what the last of them left; invalid for nothing.
	node mapping.Node
	// upTo counts the publications when it was done.
	upTo uint64
}

// ownChange marks the name at path as being changed by a request of this mount,
// from before its commit until done is called.
func (e *echoes) ownChange(path string) (done func()) {
	if e == nil {
		return func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.own[path]
	if m == nil {
		m = &ownMark{}
		e.own[path] = m
	}
	m.active++
	return func() { e.ownDone(path, m) }
}

func (e *echoes) ownDone(path string, m *ownMark) {
	n, _ := e.s.store.Tree().Lookup(path)
	upTo := e.s.notices.publishedCount()
	past := e.s.notices.doneCount() >= upTo
	e.mu.Lock()
	defer e.mu.Unlock()
	m.node, m.upTo = n, upTo
	if m.active--; m.active > 0 {
		return
	}
	list, doubts := m.undecided, m.doubts
	m.undecided, m.doubts = nil, nil
	if len(list)+len(doubts) > 0 {
		e.signal() // a request does not ask the helper itself
	}
	for _, it := range list {
		if !m.explains(it.state(path), it.view) {
			e.enqueueLocked(it)
		}
	}
	for _, d := range doubts {
		if !m.explains(d.item.state(path), d.item.view) {
			e.doubtLocked(d.unsure)
		}
	}
	if len(e.unsure) == 0 && past {
		delete(e.own, path)
	}
}

// ownItem reports whether an item is this mount's own doing, or will only be known
// to be so when the request that is at work is done.
func (e *echoes) ownItem(it *echoed) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, path := range []string{it.path, it.toPath} {
		m := e.own[path]
		if m == nil || path == "" {
			continue
		}
		if m.active > 0 {
			m.undecided = append(m.undecided, it)
			return true
		}
		if m.explains(it.state(path), it.view) {
			return true
		}
	}
	return false
}

// ownDoubt is an item that may have watchers whom nobody knows yet, unless it is a
// request's own doing.
type ownDoubt struct {
	item *echoed
	unsure
}

// ownDoubt reports whether it need not be asked who watches an item: it is this mount's own
// doing, or that will be known, and asked then, when the request that is at work is done.
// Most writes are that, and to look who watches costs more than a write.
func (e *echoes) ownDoubt(it *echoed, u unsure) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.own[it.path]
	switch {
	case m == nil:
		return false
	case m.active > 0:
		m.doubts = append(m.doubts, ownDoubt{it, u})
		return true
	}
	return m.explains(it.state(it.path), it.view)
}

// explains reports whether n, which an item announces, is what this mount's
// request has left.
func (m *ownMark) explains(n mapping.Node, view bool) bool {
	switch {
	case view:
		return true
	case !n.Valid() || !m.node.Valid():
		return n.Valid() == m.node.Valid()
	case n.IsDir() || m.node.IsDir():
		return n.IsDir() == m.node.IsDir()
	}
	return n.Same(m.node)
}

// expireOwn forgets the marks that no change can be explained with any more.
func (e *echoes) expireOwn() {
	done := e.s.notices.doneCount()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.unsure) > 0 {
		return
	}
	for path, m := range e.own {
		if m.active == 0 && m.upTo <= done {
			delete(e.own, path)
		}
	}
}
