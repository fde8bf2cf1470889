package fs

import (
	"strconv"
	"sync"
	"time"
)

// maxTimes is how many revisions .ovscfgfs/times tells of.
const maxTimes = 4096

// times is when this mount saw the last revisions that changed something.
// Etcd does not keep that. Safe for concurrent use.
type times struct {
	mu   sync.Mutex
	ring []seenRevision
	next int
}

type seenRevision struct {
	revision int64
	at       time.Time
}

func (t *times) saw(revision int64, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ring) < maxTimes {
		t.ring = append(t.ring, seenRevision{revision, at})
		return
	}
	t.ring[t.next] = seenRevision{revision, at}
	t.next = (t.next + 1) % maxTimes
}

// lines are the revisions with their times (RFC 3339), the oldest first.
func (t *times) lines() []byte {
	t.mu.Lock()
	list := append(append([]seenRevision(nil), t.ring[t.next:]...), t.ring[:t.next]...)
	t.mu.Unlock()
	var b []byte
	for _, r := range list {
		b = strconv.AppendInt(b, r.revision, 10)
		b = append(b, ' ')
		b = r.at.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, '\n')
	}
	return b
}
