package fs

import (
	"time"

	"github.com/openvstorage/ovscfgfs/fs/echo"
)

// watchSet is who was watched at one time. It is not changed. What is in it may
// be watched no more, which makes an echo for nobody; whoever watches since
// then is found by the next scan.
type watchSet struct {
	masks echo.Watches
	// near are the watched inodes and the directories above them.
	near map[*inode]struct{}
	// views are those of the watched that are views.
	views []*inode
	at    time.Time
}

func (w *watchSet) has(i *inode) bool {
	if w == nil || i == nil {
		return false
	}
	_, ok := w.masks[i.id]
	return ok
}

// hasEither reports whether a change of child in dir has a watcher.
func (w *watchSet) hasEither(dir, child *inode) bool { return w.has(dir) || w.has(child) }

// within reports whether i or something in it is watched.
func (w *watchSet) within(i *inode) bool {
	if w == nil || i == nil {
		return false
	}
	_, ok := w.near[i]
	return ok
}

func (w *watchSet) wantsClose(dir, child *inode) bool {
	var mask uint32
	for _, i := range []*inode{dir, child} {
		if i != nil {
			mask |= w.masks[i.id]
		}
	}
	return echo.WantsClose(mask)
}

// newWatchSet finds the inodes that are watched.
func newWatchSet(tb *table, masks echo.Watches) *watchSet {
	w := &watchSet{masks: masks, near: make(map[*inode]struct{}), at: time.Now()}
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	for id := range masks {
		i := tb.byID.get(id)
		if i != nil && i.kind == kindView {
			w.views = append(w.views, i)
		}
		for ; i != nil; i = i.parent {
			if _, ok := w.near[i]; ok {
				break
			}
			w.near[i] = struct{}{}
		}
	}
	return w
}

// unsure is a change whose echoes are decided by the next scan, but for those
// that were decided with what was known before.
type unsure struct {
	change
	known *watchSet
}

// Between two scans there is a pause of scanPause times the first one's
// duration, which bounds what they cost, but no longer than maxScanPause, which
// is the latest that a new watcher gets its first event. It is lossPause times
// the duration where the notices would take from the kernel what is watched.
const (
	scanPause    = 30
	lossPause    = 10
	maxScanPause = 100 * time.Millisecond
)

// maxWatchAge is after which time it is looked up again who is watched, with
// the next change.
const maxWatchAge = time.Second

// scanLocked looks up who is watched and decides about what was unsure before.
// e.scanning is held.
func (e *echoes) scanLocked() {
	if e.watched.Load() == nil {
		return
	}
	e.mu.Lock()
	list := e.unsure
	e.unsure = nil
	e.mu.Unlock()

	began := time.Now()
	masks, hidden, err := echo.Scan(e.device)
	ended := time.Now()
	e.nextScan = ended.Add(min(scanPause*ended.Sub(began), maxScanPause))
	e.nextLoss = ended.Add(min(lossPause*ended.Sub(began), maxScanPause))
	if err != nil {
		e.logScan(err)
		return
	}
	e.noteHidden(hidden)
	now := newWatchSet(e.s.table, masks)
	e.watched.Store(now)
	for _, u := range list {
		p := newEchoPlan(e, now, u.known)
		p.add(u.change)
		e.enqueue(p.order())
	}
	e.expireOwn()
}

// rescan is scanLocked, before watchers are lost, if it is time for one.
func (e *echoes) rescan() (done bool) {
	e.scanning.Lock()
	defer e.scanning.Unlock()
	if time.Now().Before(e.nextLoss) {
		return false
	}
	e.scanLocked()
	return true
}

// maxUnsure bounds the list of undecided changes; the oldest are merged beyond.
const maxUnsure = 1024

// doubt has the next scan decide about a change.
func (e *echoes) doubt(c change, known *watchSet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubtLocked(unsure{c, known})
}

func (e *echoes) doubtLocked(u unsure) {
	if n := len(e.unsure); n >= maxUnsure {
		last := &e.unsure[n-1]
		last.now = u.now
		last.keys = append(last.keys[:len(last.keys):len(last.keys)], u.keys...)
		return
	}
	e.unsure = append(e.unsure, u)
}
