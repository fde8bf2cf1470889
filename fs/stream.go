package fs

import (
	"bytes"
	"strconv"
	"sync"
	"syscall"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// controlEvents is the file in .ovscfgfs from which changes are read as they
// come: JSON lines {revision, op, path, key, pointer, old, new}.
const controlEvents = "events"

// maxBehind is how many publications a reader may be behind until they are
// told to it as one.
const maxBehind = 4096

// streams are the open files of changes.
type streams struct {
	mu   sync.Mutex
	open map[*stream]struct{}
}

// publish gives all readers a change. It does not block.
func (x *streams) publish(c change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := range x.open {
		s.add(c)
	}
}

func (x *streams) subscribe() *stream {
	s := &stream{of: x, wake: make(chan struct{}, 1)}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil {
		x.open = make(map[*stream]struct{})
	}
	x.open[s] = struct{}{}
	return s
}

// stream is one open file of changes: what came since it was opened.
type stream struct {
	of   *streams
	wake chan struct{}

	mu     sync.Mutex
	behind []change

	reading sync.Mutex // held by a read, guards text
	text    []byte
}

var _ openFile = (*stream)(nil)

func (s *stream) add(c change) {
	s.mu.Lock()
	if n := len(s.behind); n >= maxBehind {
		s.behind[n-1].now = c.now
	} else {
		s.behind = append(s.behind, c)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) next() (change, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.behind) == 0 {
		s.behind = nil
		return change{}, false
	}
	c := s.behind[0]
	s.behind[0] = change{}
	s.behind = s.behind[1:]
	return c, true
}

// read waits until there is something, and returns that; offsets do not matter.
func (s *stream) read(cancel <-chan struct{}, buf []byte, _ int64) ([]byte, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	for len(s.text) == 0 {
		if c, ok := s.next(); ok {
			s.text = eventLines(c)
			continue
		}
		select {
		case <-s.wake:
		case <-cancel:
			return nil, syscall.EINTR
		}
	}
	n := copy(buf, s.text)
	s.text = s.text[n:]
	return buf[:n], nil
}

func (s *stream) size() (int64, bool) { return 0, false }

func (s *stream) close() {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	delete(s.of.open, s)
}

// eventLines tells a change; secrets are masked.
func eventLines(c change) []byte {
	var b bytes.Buffer
	for d := range mapping.Diff(c.old, c.now, "") {
		line, err := d.MarshalJSON()
		if err != nil {
			continue // cannot be: texts that are JSON already
		}
		b.WriteString(`{"revision":`)
		b.WriteString(strconv.FormatInt(c.now.Revision(), 10))
		b.WriteByte(',')
		b.Write(line[1:])
		b.WriteByte('\n')
	}
	return b.Bytes()
}
