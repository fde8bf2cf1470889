package fs

// moved follows a rename of what is at from, and of all below it.
func (l *layer) moved(from, to string) {
	l.demote(to)
	l.mu.Lock()
	l.followLocked(func(p string) string {
		if isBelow(p, from) {
			return to + p[len(from):]
		}
		return p
	})
	moveKeys(l.known, from, to, func(e *scratchEntry, p string) { e.path = p })
	moveKeys(l.pending, from, to, func(w *work, p string) { w.path = p })
	moveKeys(l.held, from, to, func(h *held, p string) { h.path = p })
	moveKeys(l.attrs, from, to, func(*attrs, string) {})
	l.mu.Unlock()
	l.changed()
}

// followLocked gives what is open the paths that it has after a rename.
func (l *layer) followLocked(now func(string) string) {
	for _, list := range l.works {
		for _, w := range list {
			if p := now(w.path); p != w.path {
				w.path = p
			}
		}
	}
	for e := range l.promoted {
		e.became = now(e.became)
	}
}

func moveKeys[T any](m map[string]T, from, to string, set func(T, string)) {
	moved := map[string]T{}
	for p, v := range m {
		if isBelow(p, to) {
			delete(m, p)
		}
		if isBelow(p, from) {
			delete(m, p)
			moved[to+p[len(from):]] = v
		}
	}
	for p, v := range moved {
		set(v, p)
		m[p] = v
	}
}

// exchanged follows an exchange of what is at two paths, and of all below them.
func (l *layer) exchanged(a, b string) {
	l.mu.Lock()
	l.followLocked(func(p string) string {
		switch {
		case isBelow(p, a):
			return b + p[len(a):]
		case isBelow(p, b):
			return a + p[len(b):]
		}
		return p
	})
	swapKeys(l.known, a, b, func(e *scratchEntry, p string) { e.path = p })
	swapKeys(l.pending, a, b, func(w *work, p string) { w.path = p })
	swapKeys(l.held, a, b, func(h *held, p string) { h.path = p })
	swapKeys(l.attrs, a, b, func(*attrs, string) {})
	l.mu.Unlock()
	l.changed()
}

func swapKeys[T any](m map[string]T, a, b string, set func(T, string)) {
	swapped := map[string]T{}
	for p, v := range m {
		switch {
		case isBelow(p, a):
			swapped[b+p[len(a):]] = v
		case isBelow(p, b):
			swapped[a+p[len(b):]] = v
		default:
			continue
		}
		delete(m, p)
	}
	for p, v := range swapped {
		set(v, p)
		m[p] = v
	}
}
