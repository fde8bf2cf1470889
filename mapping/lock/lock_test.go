package lock_test

import (
	"math/rand/v2"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping/lock"
)

// TestRanges compares lists with a table of who has which byte.
func TestRanges(t *testing.T) {
	const bytes, owners = 12, 3
	type hold struct{ shared, exclusive bool }
	random := rand.New(rand.NewPCG(1, 2))
	var list lock.List
	var model [owners][bytes]hold
	for step := range 20_000 {
		start := random.Uint64N(bytes)
		end := start + random.Uint64N(bytes-start)
		l := lock.Lock{Owner: random.Uint64N(owners), Start: start, End: end, Exclusive: random.IntN(2) == 0}
		if random.IntN(3) == 0 {
			list = list.Without(l.Owner, start, end)
			for b := start; b <= end; b++ {
				model[l.Owner][b] = hold{}
			}
		} else {
			conflict := false
			for o := range model {
				for b := start; b <= end && uint64(o) != l.Owner; b++ {
					conflict = conflict || model[o][b].exclusive || model[o][b].shared && l.Exclusive
				}
			}
			if _, found := list.Conflict(l); found != conflict {
				t.Fatalf("step %d: %+v on %+v: conflict %v, want %v", step, l, list, found, conflict)
			}
			if conflict {
				continue
			}
			list = list.With(l)
			for b := start; b <= end; b++ {
				model[l.Owner][b] = hold{!l.Exclusive, l.Exclusive}
			}
		}
		var got [owners][bytes]hold
		for _, m := range list {
			for b := m.Start; b <= m.End; b++ {
				if got[m.Owner][b] != (hold{}) {
					t.Fatalf("step %d: owner %d has byte %d twice: %+v", step, m.Owner, b, list)
				}
				got[m.Owner][b] = hold{!m.Exclusive, m.Exclusive}
			}
		}
		if got != model {
			t.Fatalf("step %d: %+v", step, list)
		}
		if len(list) > owners*bytes {
			t.Fatalf("step %d: %d locks, not joined", step, len(list))
		}
	}
}

func TestJoin(t *testing.T) {
	list := lock.List{}.With(lock.Lock{Start: 0, End: 4}).With(lock.Lock{Start: 10, End: lock.Last}).With(lock.Lock{Start: 5, End: 9})
	if len(list) != 1 || list[0] != (lock.Lock{Start: 0, End: lock.Last}) {
		t.Errorf("%+v", list)
	}
	if list = list.Without(0, 0, lock.Last); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}
