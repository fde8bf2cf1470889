package fs

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// maxProblems is how many failures .ovscfgfs/errors shows.
const maxProblems = 1000

// problem is one line of .ovscfgfs/errors.
type problem struct {
	Time  time.Time `json:"time"`
	Op    string    `json:"op"`
	Path  string    `json:"path"`
	To    string    `json:"to,omitempty"` // of a rename
	Errno string    `json:"errno,omitempty"`
	Error string    `json:"error"`
	// Transaction is the name of the one whose commit met a conflict.
	Transaction string `json:"transaction,omitempty"`
}

// problems keeps the last failures in words. Safe for concurrent use.
type problems struct {
	mu    sync.Mutex
	ring  []problem
	next  int
	total uint64
	// last is the newest failure of each path in the ring.
	last map[string]string
	now  func() time.Time
	// also is told of each failure; may be nil.
	also func(problem)
}

func newProblems() *problems {
	return &problems{last: make(map[string]string), now: time.Now}
}

func (p *problems) add(op, path string, errno syscall.Errno, err error) {
	p.addMove(op, path, "", errno, err)
}

// addMove is add of what had a second path: a rename onto a file is a change of
// that file, whose source may be a temporary one that nobody asks about.
func (p *problems) addMove(op, path, to string, errno syscall.Errno, err error) {
	reason := err.Error()
	var e *mapping.Error
	if errors.As(err, &e) {
		reason = e.Reason
	}
	entry := problem{Op: op, Path: path, To: to, Errno: unix.ErrnoName(errno), Error: reason}
	p.tell(entry)
	p.mu.Lock()
	p.last[path] = reason
	if to != "" {
		p.last[to] = reason
	}
	p.mu.Unlock()
	if p.also != nil {
		p.also(entry)
	}
}

// tell counts a failure and keeps its line, with the time of now.
func (p *problems) tell(entry problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total++
	entry.Time = p.now()
	p.keep(entry)
}

// keep puts a line into the ring; p.mu is held.
func (p *problems) keep(entry problem) {
	if len(p.ring) < maxProblems {
		p.ring = append(p.ring, entry)
		return
	}
	// A path's newest line is younger than the one that goes, unless it is that one.
	old := p.ring[p.next]
	p.ring[p.next] = entry
	p.next = (p.next + 1) % maxProblems
	for _, path := range []string{old.Path, old.To} {
		if p.last[path] == old.Error && path != entry.Path && path != entry.To {
			delete(p.last, path)
		}
	}
}

// warn keeps words on a change that was made all the same.
func (p *problems) warn(path, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(problem{Time: p.now(), Op: "warning", Path: path, Error: reason})
}

// Warn shows words on a change that was made all the same in .ovscfgfs/errors,
// as the operation "warning" without an errno. path is a shown path.
func (m *Mounted) Warn(path, reason string) { m.s.problems.warn(path, reason) }

// hint keeps words that explain a path and are no failure.
func (p *problems) hint(path, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[path] = reason
}

// of returns the last failure of path, "" without one.
func (p *problems) of(path string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[path]
}

// clear forgets the failure of path, after a success.
func (p *problems) clear(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, path)
}

// count is the number of failures since the mount.
func (p *problems) count() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// lines returns the failures as JSON lines, oldest first.
func (p *problems) lines() []byte {
	p.mu.Lock()
	list := append(append([]problem(nil), p.ring[p.next:]...), p.ring[:p.next]...)
	p.mu.Unlock()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range list {
		_ = enc.Encode(e) // cannot fail: strings and a time, into memory
	}
	return b.Bytes()
}
