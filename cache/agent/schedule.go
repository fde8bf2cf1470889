package agent

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// schedule decides when which volume is worked on, in one term. All of it
// belongs to the goroutine of lead; workers are told what to do and report
// through results.
type schedule struct {
	*volumes
	fence   mapping.Guard
	slots   map[string]*slot
	queue   []string
	active  int
	results chan result
	// waiting are the volumes that wait for one, by that.
	waiting map[string]map[string]bool
	// fresh are the volumes that nothing was done for yet in this term.
	fresh map[string]bool
	// handlers bounds the workers' handlers, writes what they write.
	handlers, writes context.Context
}

// slot is a volume that something is to be done for.
type slot struct {
	queued, running bool
	// again: it has to be looked at when its worker is done.
	again bool
	// attempts that have failed, of what was asked for by stamp; until then it rests.
	attempts int
	pause    *backoff.ExponentialBackOff
	rest     *time.Timer
	stamp    stamp
}

// stamp is what was asked for: another one is a new beginning.
type stamp struct{ config, request int64 }

func stampOf(v volume.View) stamp { return stamp{v.ConfigRevision, v.RequestRevision} }

// lead works for one term.
func (v *volumes) lead(term context.Context, fence mapping.Guard) error {
	handlers, stopHandlers := context.WithCancelCause(context.WithoutCancel(term))
	writes, stopWrites := context.WithCancelCause(context.WithoutCancel(term))
	s := &schedule{
		volumes: v, fence: fence, slots: map[string]*slot{}, waiting: map[string]map[string]bool{}, fresh: map[string]bool{},
		results: make(chan result), handlers: handlers, writes: writes,
	}
	for _, name := range v.everything() {
		s.fresh[name] = true
	}
	v.dirty.all()
	tick := time.NewTicker(v.Reconcile)
	defer tick.Stop()
	for term.Err() == nil {
		s.start()
		select {
		case <-term.Done():
		case <-v.dirty.wake:
			s.look()
		case <-tick.C:
			v.dirty.all()
		case r := <-s.results:
			s.finished(r)
		}
	}
	s.stop(context.Cause(term), stopHandlers, stopWrites)
	return nil
}

// stop ends the workers: at once when the election was lost, else after the grace time.
func (s *schedule) stop(cause error, stopHandlers, stopWrites context.CancelCauseFunc) {
	for _, slot := range s.slots {
		if slot.rest != nil {
			slot.rest.Stop()
		}
	}
	grace := time.NewTimer(s.Grace)
	defer grace.Stop()
	if errors.Is(cause, errLost) {
		stopWrites(errLost)
		stopHandlers(errLost)
	}
	ended := 0
	for s.active > 0 {
		select {
		case <-s.results:
			s.active--
		case <-grace.C:
			// First the handlers, whose end is still written.
			if ended++; ended == 1 {
				s.Logger.Warn("handlers are ended", "running", s.active)
				stopHandlers(errStopped)
				grace.Reset(writeAfterStop)
			} else {
				stopWrites(errStopped)
			}
		}
	}
	stopHandlers(nil)
	stopWrites(nil)
}

// errStopped is the cause of the end of a handler that did not end by itself.
var errStopped = errors.New("the agent was stopped")

// writeAfterStop is how long what came of stopped handlers is tried to be written.
const writeAfterStop = 10 * time.Second

// look considers all that has changed.
func (s *schedule) look() {
	names, due, whole := s.dirty.take()
	for _, name := range due {
		if at := s.slots[name]; at != nil && !at.queued && !at.running {
			s.enqueue(name, at)
		}
	}
	if whole {
		names = append(names, s.everything()...)
	}
	for _, name := range names {
		s.consider(name)
		waiters := s.waiting[name]
		delete(s.waiting, name) // who goes on waiting says so again
		for waiter := range waiters {
			s.consider(waiter)
		}
	}
}

// consider queues a volume if there is something to do for it now.
func (s *schedule) consider(name string) {
	at := s.slots[name]
	if at != nil && (at.running || at.queued) {
		at.again = at.running
		return
	}
	view, step := s.next(s.tree.Tree(), name, s.fresh[name])
	if at != nil && at.stamp != stampOf(view) {
		at.rest.Stop()
		at = nil
		delete(s.slots, name)
	}
	switch {
	case at != nil: // it rests
	case step.Verb == volume.Leave:
		s.wait(name, step.On)
	default:
		s.enqueue(name, &slot{})
	}
}

func (s *schedule) enqueue(name string, at *slot) {
	at.queued = true
	s.slots[name] = at
	s.queue = append(s.queue, name)
}

// wait notes that a volume waits for another one.
func (s *schedule) wait(name, on string) {
	if on == "" {
		return
	}
	if s.waiting[on] == nil {
		s.waiting[on] = map[string]bool{}
	}
	s.waiting[on][name] = true
}

// start gives what is queued to workers, as many as may work at once.
func (s *schedule) start() {
	for len(s.queue) > 0 && s.active < s.Concurrency {
		name := s.queue[0]
		s.queue = s.queue[1:]
		at := s.slots[name]
		at.queued, at.running = false, true
		s.active++
		w := &worker{schedule: s, name: name, attempt: at.attempts + 1, fresh: s.fresh[name]}
		go func() { s.results <- w.work() }()
	}
}

// finished takes a worker's result.
func (s *schedule) finished(r result) {
	s.active--
	at := s.slots[r.name]
	at.running = false
	if r.done {
		delete(s.fresh, r.name)
	}
	if r.retry == noRetry {
		delete(s.slots, r.name)
		s.wait(r.name, r.on)
		// What has changed while the worker was at it.
		s.consider(r.name)
		return
	}
	if at.pause == nil || at.stamp != r.stamp {
		at.attempts, at.stamp = 0, r.stamp
		at.pause = backoff.NewExponentialBackOff()
		at.pause.InitialInterval, at.pause.MaxInterval, at.pause.Multiplier = s.RetryFirst, s.RetryMost, 2
	}
	if r.retry == retryHandler {
		at.attempts++
	}
	at.rest = time.AfterFunc(at.pause.NextBackOff(), func() { s.dirty.rested(r.name) })
	if at.again {
		at.again = false
		s.consider(r.name)
	}
}
