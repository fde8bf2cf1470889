package fs

import (
	"cmp"
	"time"
)

// run is the worker.
func (w *notices) run() {
	defer close(w.stopped)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
		case <-timer.C:
		}
		w.setWorking(true)
		w.retryDue()
		for w.step() {
		}
		if pause, ok := w.rest(); ok {
			timer.Reset(pause)
		}
	}
}

// step takes what is queued and works on it; it reports whether there is more.
func (w *notices) step() bool {
	w.mu.Lock()
	b, checks, relists, rounds := w.published, w.checks, w.relists, w.rounds
	w.published, w.checks, w.relists, w.rounds = batch{}, nil, nil, nil
	w.atWork = b.born
	var push *inode
	if n := len(w.pushes); n > 0 {
		push, w.pushes = w.pushes[n-1], w.pushes[:n-1] // of the others the reader may be past already
	}
	w.mu.Unlock()

	var deferred []string
	plan := w.s.echoes.plan(b)
	if b.changes > 0 {
		deferred = append(w.s.forgetLeftovers(b), newWalk(w, b, plan).run()...)
	}
	plan.hand()
	for _, i := range checks {
		w.compare(i)
	}
	for _, i := range relists {
		w.compareAll(i)
	}
	w.amend()

	w.mu.Lock()
	defer w.mu.Unlock()
	if b.changes > 0 {
		w.done = max(w.done, b.upTo)
		w.waiters = releaseWaiters(w.waiters, w.done)
	}
	for _, c := range rounds {
		close(c)
	}
	busy := len(w.rounds) > 0 || w.published.changes > 0 || len(w.checks) > 0 || len(w.relists) > 0 || len(w.replaced) > 0
	if len(deferred) > 0 {
		// A request is at work on these names; it is tried again after a pause,
		// if nothing else brings the worker here before.
		w.requeueLocked(batch{old: b.old, keys: [][]string{deferred}, changes: b.changes + 1, born: cmp.Or(b.born, b.upTo)})
	}
	w.atWork = 0
	w.calmLocked()
	if push != nil && !busy {
		w.mu.Unlock()
		w.push(push)
		w.mu.Lock()
	} else if push != nil {
		w.pushes = append(w.pushes, push)
	}
	return busy || len(w.pushes) > 0 || len(w.checks) > 0 || len(w.relists) > 0 || len(w.replaced) > 0
}

// amend does what answers that were on their way while the kernel was told of a
// change have queued. It was all queued before the last of these notices
// returned, which has waited for them.
func (w *notices) amend() {
	w.mu.Lock()
	relists, replaced := w.relists, w.replaced
	w.relists, w.replaced = nil, nil
	w.mu.Unlock()
	for _, i := range relists {
		w.compareAll(i)
	}
	for p := range replaced {
		w.kernel.EntryNotify(p.dir.id, p.name)
	}
}

func releaseWaiters(list []waiter, done uint64) []waiter {
	kept := list[:0]
	for _, x := range list {
		if x.upTo <= done {
			close(x.done)
		} else {
			kept = append(kept, x)
		}
	}
	return kept
}

// retryDue puts what was put off back into the queue.
func (w *notices) retryDue() {
	now := time.Now()
	w.mu.Lock()
	var due, later []retry
	for _, r := range w.later {
		if r.due.After(now) {
			later = append(later, r)
		} else {
			due = append(due, r)
		}
	}
	w.later = later
	for _, r := range due {
		w.atWork = min(cmp.Or(w.atWork, r.born), r.born)
	}
	fade := 0
	for fade < len(w.fading) && !w.fading[fade].due.After(now) {
		fade++
	}
	faded := w.fading[:fade:fade]
	w.fading = w.fading[fade:]
	w.mu.Unlock()
	for _, r := range due {
		w.compareAgain(r)
	}
	w.mu.Lock()
	w.atWork = 0
	w.calmLocked()
	w.mu.Unlock()
	for _, r := range faded {
		r.inode.fade()
	}
}

// rest ends a round of work and returns after which pause the next one is due,
// if not before.
func (w *notices) rest() (pause time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working = false
	switch {
	case len(w.later) > 0 || w.published.changes > 0:
		return retryAfter, true
	case len(w.fading) > 0:
		return max(time.Until(w.fading[0].due), retryAfter), true
	}
	return 0, false
}

func (w *notices) setWorking(working bool) {
	w.mu.Lock()
	w.working = working
	w.mu.Unlock()
}
