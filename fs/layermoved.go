package fs

// moved follows a rename of what is at from, and of all below it.
func (l *layer) moved(from, to string) {
	l.demote(to)
	l.follow(func(p string) (now string, is bool) {
		if isBelow(p, from) {
			return to + p[len(from):], true
		}
		return p, !isBelow(p, to)
	})
}

// exchanged follows an exchange of what is at two paths, and of all below them.
func (l *layer) exchanged(a, b string) {
	l.follow(func(p string) (now string, is bool) {
		switch {
		case isBelow(p, a):
			return b + p[len(a):], true
		case isBelow(p, b):
			return a + p[len(b):], true
		}
		return p, true
	})
}

// follow gives all the paths that they have after a rename; not is: what had it is replaced. What
// is open keeps its path then.
func (l *layer) follow(now func(p string) (path string, is bool)) {
	l.mu.Lock()
	for _, list := range l.works {
		for _, w := range list {
			if p, _ := now(w.path); p != w.path {
				w.path = p
			}
		}
	}
	for e := range l.promoted {
		e.became, _ = now(e.became)
	}
	moveKeys(l.known, now, func(e *scratchEntry, p string) { e.path = p })
	moveKeys(l.pending, now, func(w *work, p string) { w.path = p })
	moveKeys(l.held, now, func(h *held, p string) { h.path = p })
	moveKeys(l.attrs, now, func(*attrs, string) {})
	l.mu.Unlock()
	l.changed()
}

func moveKeys[T any](m map[string]T, now func(p string) (path string, is bool), set func(T, string)) {
	moved := map[string]T{}
	for p, v := range m {
		path, is := now(p)
		if path == p && is {
			continue
		}
		delete(m, p)
		if is {
			moved[path] = v
		}
	}
	for p, v := range moved {
		set(v, p)
		m[p] = v
	}
}
