package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// ownMark says that this mount's own requests have changed a name: the kernel
// has raised the events of that.
type ownMark struct {
	// active counts the requests at work; undecided is what they may have done.
	active    int
	undecided []*echoed
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
	list := m.undecided
	m.undecided = nil
	if len(list) > 0 {
		e.signal() // a request does not ask the helper itself
	}
	for _, it := range list {
		if !m.explains(it.state(path), it.view) {
			e.enqueueLocked(it)
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
