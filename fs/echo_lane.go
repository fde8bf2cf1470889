package fs

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// lane is one thread of the helper, with what it is to repeat. Who has queued
// something asks the thread for it, if it is idle, and waits for nothing; a
// goroutine of the lane's own takes the answers.
type lane struct {
	e      *echoes
	thread atomic.Uint32 // of the running helper
	// current is what the thread was asked for, several only of content changes
	// (echo.Touch); nil between two requests.
	current atomic.Pointer[[]*echoed]
	queue   []*echoed // guarded by echoes.mu

	// asking is held while the thread is asked for something. It is taken before
	// all other locks.
	asking sync.Mutex
	helper *echo.Lane // guarded by asking; nil without one
	counts bool       // the answer will be a number of touches; guarded by asking
}

// proceed has all lanes that are idle go on with what is queued. It may not be called from a
// request, nor with a lock held that hold takes.
func (e *echoes) proceed() {
	for _, l := range e.lanes {
		l.proceed()
	}
}

// run has a thread do what is queued, until the helper has ended.
func (l *lane) run(thread *echo.Lane) {
	l.asking.Lock()
	l.helper = thread
	l.asking.Unlock()
	for {
		l.proceed()
		answer, dead := thread.Answer()
		l.asking.Lock()
		counts := l.counts
		if dead != nil {
			l.helper = nil
		}
		l.asking.Unlock()
		if dead == nil && answer != 0 && !counts && l.retry() {
			continue
		}
		batch := l.current.Swap(nil)
		switch {
		case batch == nil:
		case dead != nil:
			l.over(*batch, 0, dead)
		case counts:
			l.over(*batch, int(answer), nil)
		case answer != 0:
			l.over(*batch, 0, syscall.Errno(answer))
		default:
			l.over(*batch, 1, nil)
		}
		if dead != nil {
			return
		}
	}
}

// retry puts what the thread has failed to do back, if that is to be tried again, before
// the thread can be asked for what comes behind it.
func (l *lane) retry() bool {
	batch := l.current.Load()
	if batch == nil || !l.e.again((*batch)[0]) {
		return false
	}
	l.putBack(*batch)
	l.current.Store(nil)
	return true
}

// proceed asks the thread for what is queued, unless it is busy or there is none.
func (l *lane) proceed() {
	for {
		refused, err := l.ask()
		if refused == nil {
			return
		}
		l.over(refused, 0, err)
	}
}

// ask returns what the thread cannot be asked for, and why.
func (l *lane) ask() (refused []*echoed, err error) {
	l.asking.Lock()
	defer l.asking.Unlock()
	for l.helper != nil && l.current.Load() == nil {
		batch := l.next()
		if batch == nil {
			break
		}
		if batch = slices.DeleteFunc(slices.Clone(batch), l.e.hold); len(batch) == 0 {
			l.current.Store(nil)
			continue
		}
		asked := 1
		l.current.Store(&batch)
		if l.counts = len(batch) > 1; l.counts {
			asked, err = l.helper.AskTouches(l.e.pathsOf(batch))
			asked = max(asked, 1)
		} else {
			it := batch[0]
			err = l.helper.Ask(echo.Request{Op: it.op, Path: l.e.pathOf(it.place, it.path), To: l.e.pathOf(it.to, it.toPath)})
		}
		if asked < len(batch) {
			l.putBack(batch[asked:])
			part := batch[:asked:asked]
			l.current.Store(&part)
		}
		if err != nil && err != echo.ErrDead {
			return *l.current.Swap(nil), err
		}
		// Of a helper that is dead run hears too, and is over with the batch.
	}
	return nil, nil
}

// over is the end of a batch: so many were done, or err is why not.
func (l *lane) over(batch []*echoed, done int, err error) {
	for k, it := range batch {
		if err != nil {
			l.e.giveUp(it)
		}
		l.e.met(it)
		l.e.settled(it, k < done)
	}
}

func (e *echoes) pathsOf(batch []*echoed) []string {
	paths := make([]string, len(batch))
	for k, it := range batch {
		paths[k] = e.pathOf(it.place, it.path)
	}
	return paths
}

// pathOf is where a name is now; path if its directory has none any more.
func (e *echoes) pathOf(p place, path string) string {
	if p.dir == nil {
		return path
	}
	if dir, ok := e.s.table.path(p.dir); ok {
		return join(dir, p.name)
	}
	return path
}
