package fs

import (
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openvstorage/ovscfgfs/fs/echo"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// echoes raises inotify events for changes that were not made through this
// mount. After the kernel was told of a change, a helper process repeats it
// inside the mount, where the server answers it (gate) without touching the
// store. docs/events.md says what watchers get.
//
// The worker of the notices plans what is to be repeated (plan) and, after its
// notices, puts it into the queues of the lanes. It never waits for an echo.
// All methods may be called on nil: no events are raised then.
type echoes struct {
	s       *server
	command []string

	// watched is who is watched as far as it is known; nil while there is no helper.
	watched atomic.Pointer[watchSet]
	// threads are the lanes of the running helper, nil without one.
	threads atomic.Pointer[[]*lane]

	scanning sync.Mutex // held during a scan and what follows from it
	nextScan time.Time  // these two are guarded by scanning
	nextLoss time.Time

	// mu guards the rest, the lanes' queues too. It is taken last of all locks.
	mu      sync.Mutex
	lanes   []*lane
	last    map[slot]*echoed // the newest item in a queue, by its name
	waiting map[*inode]*echoed
	unsure  []unsure
	waitDue time.Time // when waiting is looked at
	own     map[string]*ownMark
	state   EventsStatus
	done    uint64 // echoes that were answered
	owing   int    // removals and renames that are queued, and not answered yet
	turn    uint64 // of these, the last that was queued
	waiters []*echoWaiter

	wake    chan struct{}
	stop    chan struct{}
	stopped chan struct{}
	started bool // guarded by mu
	// toldHidden: it was said that some processes cannot be looked into; guarded by mu.
	toldHidden bool
	device     uint64 // fixed by start
}

// echoLanes is how many changes are repeated at a time. The last lane is for
// renames from one directory to another: a slow request in one of them must not
// hold up the others.
const echoLanes = 4

// change is one publication.
type change struct {
	old, now *mapping.Tree
	keys     []string
}

// newEchoes returns nil, and the reason, where no events can be raised.
func newEchoes(s *server) (*echoes, string) {
	switch {
	case len(s.opt.EchoCommand) == 0:
		return nil, "switched off"
	case os.Geteuid() != 0:
		return nil, "only root may see who watches, and repeat changes; run as root to have inotify events for changes made elsewhere"
	}
	e := &echoes{
		s:       s,
		command: s.opt.EchoCommand,
		last:    make(map[slot]*echoed),
		waiting: make(map[*inode]*echoed),
		own:     make(map[string]*ownMark),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	e.state.Reason = "the helper process is starting"
	for range echoLanes {
		e.lanes = append(e.lanes, &lane{e: e})
	}
	return e, ""
}

// start begins to work, for a mount that is served.
func (e *echoes) start(device uint64) {
	if e == nil {
		return
	}
	e.mu.Lock()
	e.device, e.started = device, true
	e.mu.Unlock()
	go e.run()
}

// close ends the helper. The mount must be served, or be gone.
func (e *echoes) close() {
	if e == nil {
		return
	}
	e.mu.Lock()
	select {
	case <-e.stop:
	default:
		close(e.stop)
	}
	started := e.started
	e.mu.Unlock()
	if started {
		<-e.stopped
	}
}

func (e *echoes) status() EventsStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := e.state
	st.Raised = e.done
	if w := e.watched.Load(); w != nil {
		st.Watched = len(w.masks)
	}
	return st
}

// minRestart and maxRestart bound the pause before a helper is started again.
const (
	minRestart = 100 * time.Millisecond
	maxRestart = time.Minute
)

// run keeps a helper running.
func (e *echoes) run() {
	defer close(e.stopped)
	pause := minRestart
	for {
		p, err := echo.Start(echo.Options{Command: e.command, Mountpoint: e.s.opt.Mountpoint, Device: e.device, Lanes: echoLanes})
		began := time.Now()
		if err != nil {
			e.down("the helper process does not start: "+err.Error(), pause == minRestart)
		} else {
			e.serve(p)
			p.Close()
			e.down("the helper process has ended and is started again", true)
		}
		if time.Since(began) > maxRestart {
			pause = minRestart
		}
		if mounted, err := echo.Mounted(e.device); err == nil && !mounted {
			return
		}
		select {
		case <-e.stop:
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxRestart)
	}
}

// down notes that there is no helper.
func (e *echoes) down(reason string, tell bool) {
	select {
	case <-e.stop:
		return
	default:
	}
	if mounted, err := echo.Mounted(e.device); err == nil && !mounted {
		return
	}
	e.mu.Lock()
	e.state = EventsStatus{Reason: reason}
	e.mu.Unlock()
	if tell {
		e.s.log.Warn("no inotify events for changes made elsewhere; everything else works", "reason", reason)
	}
}

// serve works with one helper until it has ended.
func (e *echoes) serve(p *echo.Process) {
	e.mu.Lock()
	for k, l := range p.Lanes() {
		e.lanes[k].thread.Store(l.Thread())
	}
	e.state = EventsStatus{On: true, Helper: p.Pid()}
	e.mu.Unlock()
	e.threads.Store(&e.lanes)
	e.watched.Store(&watchSet{})

	var lanes sync.WaitGroup
	for k, l := range p.Lanes() {
		lanes.Go(func() { e.lanes[k].run(l) })
	}
	e.attend(p.Ended())
	p.Close()
	lanes.Wait()

	e.watched.Store(nil)
	e.threads.Store(nil)
	e.giveUpAll()
}

// attend looks up who is watched when that is in question, until the helper
// has ended.
func (e *echoes) attend(ended <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-ended:
			return
		case <-e.wake:
		case <-timer.C:
		}
		if pause := e.settle(); pause > 0 {
			timer.Reset(pause)
		}
		e.proceed()
	}
}

// waitCheck is how often it is looked whether what waits for a notice can go on,
// beside the notice's own word.
const waitCheck = 50 * time.Millisecond

// settle does what is due and returns when it is to be called again, 0 for not
// before a wake.
func (e *echoes) settle() (pause time.Duration) {
	e.mu.Lock()
	undecided := len(e.unsure) > 0
	e.mu.Unlock()
	if !undecided {
		e.expireOwn()
	}
	if undecided {
		e.scanning.Lock()
		if pause = time.Until(e.nextScan); pause <= 0 {
			e.scanLocked()
			pause = 0
		}
		e.scanning.Unlock()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == 0 {
		return pause
	}
	due := time.Until(e.waitDue)
	if due <= 0 {
		waiting := e.waiting
		e.waiting = make(map[*inode]*echoed)
		for _, it := range waiting {
			e.enqueueLocked(it)
		}
		return pause
	}
	if pause == 0 {
		pause = due
	}
	return min(pause, due)
}

func (e *echoes) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// logScan says once why nobody's watches are seen.
func (e *echoes) logScan(err error) {
	e.mu.Lock()
	first := e.state.On
	e.state.On, e.state.Reason = false, "who watches cannot be seen: "+err.Error()
	e.mu.Unlock()
	if first {
		e.s.log.Warn("no inotify events for changes made elsewhere; everything else works", "reason", "who watches cannot be seen", slog.Any("error", err))
	}
}

// shown is what the echoes keep of a publication.
func (e *echoes) shown(old, now *mapping.Tree, keys []string) []change {
	if e == nil || e.watched.Load() == nil {
		return nil
	}
	return []change{{old, now, keys}}
}
