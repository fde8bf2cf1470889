package clusterlock

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// record is the value of a key.
type record struct {
	// File is the name of the file, for people who look into etcd.
	File  string    `json:"file"`
	Locks lock.List `json:"locks"`
}

func (f *file) record(list lock.List) string {
	b, err := json.Marshal(record{File: f.name.Name, Locks: list})
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(b)
}

// state is what etcd has of a file at one revision.
type state struct {
	f        *file
	revision int64
	keys     map[string]entry
}

// entry is one key of it.
type entry struct {
	lease    string
	created  int64
	modified int64
	locks    lock.List
}

// nothing is the state of a file that nobody has a lock on or waits for; it is
// what is hoped for before etcd was asked.
func (f *file) nothing() *state { return &state{f: f, keys: map[string]entry{}} }

func (f *file) stateOf(revision int64, kvs []*mvccpb.KeyValue) *state {
	s := f.nothing()
	s.revision = revision
	for _, kv := range kvs {
		s.put(kv)
	}
	return s
}

func (s *state) put(kv *mvccpb.KeyValue) {
	key := string(kv.Key)
	_, last, _ := strings.Cut(strings.TrimPrefix(key, s.f.dir), "/")
	lease, _, _ := strings.Cut(last, "-")
	var r record
	// What is no record of ours locks nothing.
	_ = json.Unmarshal(kv.Value, &r)
	s.keys[key] = entry{lease: lease, created: kv.CreateRevision, modified: kv.ModRevision, locks: r.Locks}
}

// apply brings the state to the newest revision of a watch's answer. That in its header may
// be ahead of the events.
func (s *state) apply(response clientv3.WatchResponse) {
	for _, event := range response.Events {
		if event.Type == clientv3.EventTypeDelete {
			delete(s.keys, string(event.Kv.Key))
		} else {
			s.put(event.Kv)
		}
		s.revision = max(s.revision, event.Kv.ModRevision)
	}
}

// claimant is who asks for a lock.
type claimant struct {
	lease string
	want  lock.Lock
	key   string // under wait/, if it waits
}

// blocked returns a lock that keeps c from its own, be it held or waited for by one
// who came before. remote: it is of another mount.
func (s *state) blocked(c claimant) (by lock.Lock, remote, is bool) {
	if by, remote, is = s.heldAgainst(c); is {
		return by, remote, is
	}
	mine, queued := s.keys[c.key]
	for _, e := range s.waiting() {
		if queued && e.created >= mine.created {
			break
		}
		for _, m := range e.locks {
			own := e.lease == c.lease && m.Owner == c.want.Owner
			if !own && m.Conflicts(c.want) && !s.holdsUp(c, m) {
				return m, e.lease != c.lease, true
			}
		}
	}
	return lock.Lock{}, false, false
}

// heldAgainst returns a lock that someone has and that excludes what c wants.
func (s *state) heldAgainst(c claimant) (by lock.Lock, remote, is bool) {
	for key, e := range s.keys {
		if !strings.HasPrefix(key, s.f.heldDir()) {
			continue
		}
		for _, m := range e.locks {
			if !(e.lease == c.lease && m.Owner == c.want.Owner) && m.Conflicts(c.want) {
				return m, e.lease != c.lease, true
			}
		}
	}
	return lock.Lock{}, false, false
}

// holdsUp reports whether what c has already is what m waits for: to wait for m would be for ever.
func (s *state) holdsUp(c claimant, m lock.Lock) bool {
	for _, had := range s.keys[s.f.heldDir()+c.lease].locks {
		if had.Owner == c.want.Owner && had.Conflicts(m) {
			return true
		}
	}
	return false
}

// waiting are those who wait, who came first first.
func (s *state) waiting() []entry {
	var list []entry
	for key, e := range s.keys {
		if strings.HasPrefix(key, s.f.waitDir()) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.created, b.created) })
	return list
}
