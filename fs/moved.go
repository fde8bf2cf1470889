package fs

import "github.com/cespare/xxhash/v2"

// moves holds the inode numbers of paths whose inode came there by a rename:
// they are not those that the paths have of themselves, and must not be given
// to what takes the old path, or cp would say that the two are one file.
// Guarded by table.mu.
type moves struct {
	// salt sets the numbers of one table apart from those of another.
	salt    uint64
	numbers map[string]uint64
	taken   map[uint64]int
}

// maxMoved bounds moves.
const maxMoved = 4096

// get returns the number of a path that something was moved to.
func (m *moves) get(path []byte) (uint64, bool) {
	n, ok := m.numbers[string(path)]
	return n, ok
}

// has reports whether n is the number of something that was moved.
func (m *moves) has(n uint64) bool { return m.taken[n] > 0 }

// set notes the number of a path; one that it has of itself needs no note.
func (m *moves) set(path []byte, n uint64) {
	m.drop(path)
	if m.number(path) == n {
		return
	}
	if m.numbers == nil || len(m.numbers) >= maxMoved {
		m.numbers, m.taken = make(map[string]uint64), make(map[uint64]int)
	}
	m.numbers[string(path)] = n
	m.taken[n]++
}

// drop forgets a path.
func (m *moves) drop(path []byte) {
	n, ok := m.numbers[string(path)]
	if !ok {
		return
	}
	delete(m.numbers, string(path))
	if m.taken[n]--; m.taken[n] == 0 {
		delete(m.taken, n)
	}
}

// number is the inode number of a shown path: a hash, so that it is the same
// on each node and after each remount. 0 and 1 have meanings of their own.
func (m *moves) number(path []byte) uint64 {
	if n := xxhash.Sum64(path) ^ m.salt; n > rootID {
		return n
	}
	return rootID + 1
}
