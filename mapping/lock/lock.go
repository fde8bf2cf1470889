// Package lock says which locks of one file exclude each other, and what a set
// of locks becomes by one more or one less. It is pure: who keeps the locks, and who waits, is
// decided elsewhere.
package lock

import "math"

// Kind tells apart the two sorts of locks, which have nothing to do with each other.
type Kind uint8

const (
	// Whole is that of flock(2): the whole file, owned by an open file.
	Whole Kind = iota
	// Ranges is that of fcntl(2): ranges of bytes, owned by a process or, with
	// F_OFD_SETLK, by an open file.
	Ranges
)

func (k Kind) String() string {
	if k == Ranges {
		return "ranges"
	}
	return "whole"
}

// File names what is locked: the same for all who mean the same file.
type File struct {
	Name string
	Kind Kind
}

// Last is the end of a range that has none (OFFSET_MAX of the kernel).
const Last = math.MaxInt64

// Lock is one lock: all bytes from Start to End, that one included.
type Lock struct {
	// Owner is a number that the kernel gives; it means something within one mount.
	Owner     uint64 `json:"owner"`
	PID       uint32 `json:"pid,omitempty"`
	Start     uint64 `json:"start"`
	End       uint64 `json:"end"`
	Exclusive bool   `json:"exclusive"`
}

// Overlaps reports whether two locks have a byte in common.
func (l Lock) Overlaps(m Lock) bool { return l.Start <= m.End && m.Start <= l.End }

// Conflicts reports whether two locks of different owners exclude each other.
func (l Lock) Conflicts(m Lock) bool { return l.Overlaps(m) && (l.Exclusive || m.Exclusive) }

// List is the locks of one file. Those of one owner do not overlap. A List is
// never changed; its methods return another.
type List []Lock

// Conflict returns a lock of another owner that excludes l.
func (s List) Conflict(l Lock) (Lock, bool) {
	for _, m := range s {
		if m.Owner != l.Owner && m.Conflicts(l) {
			return m, true
		}
	}
	return Lock{}, false
}

// With returns the list after l was granted: it takes the place of what its owner had
// there, and joins what it touches of the same sort.
func (s List) With(l Lock) List {
	var list List
	for _, m := range s.Without(l.Owner, l.Start, l.End) {
		if m.Owner == l.Owner && m.Exclusive == l.Exclusive && (m.End+1 == l.Start || l.End+1 == m.Start) {
			l.Start, l.End = min(l.Start, m.Start), max(l.End, m.End)
			continue
		}
		list = append(list, m)
	}
	return append(list, l)
}

// Without returns the list without what owner had between start and end.
func (s List) Without(owner, start, end uint64) List {
	var list List
	gone := Lock{Start: start, End: end}
	for _, m := range s {
		if m.Owner != owner || !m.Overlaps(gone) {
			list = append(list, m)
			continue
		}
		if m.Start < start {
			before := m
			before.End = start - 1
			list = append(list, before)
		}
		if m.End > end {
			after := m
			after.Start = end + 1
			list = append(list, after)
		}
	}
	return list
}

// Has reports whether an owner has a lock.
func (s List) Has(owner uint64) bool {
	for _, m := range s {
		if m.Owner == owner {
			return true
		}
	}
	return false
}
