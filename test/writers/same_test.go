package writers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// handle opens a field of the document on a mount.
func handle(t *testing.T, p *harness.Pair, mount int, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(p.Dirs[mount], "shared", field(0, 0)), flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (s same) want(value string) {
	s.t.Helper()
	for i, dir := range s.p.Dirs {
		if _, err := s.p.Barrier(i); err != nil {
			s.t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "shared", field(0, 0))); err != nil || string(got) != value+"\n" {
			s.t.Fatalf("mount %d: the field reads %q, %v; want %s", i, got, err, value)
		}
	}
	if text := stored(s.t, s.p); !strings.Contains(text, fmt.Sprintf("%q: %s,", field(0, 0), value)) {
		s.t.Fatalf("etcd holds %s, want the field to be %s", text, value)
	}
}

type same struct {
	t *testing.T
	p *harness.Pair
}

// Of two who write one field without having read it, the last close wins.
func TestSameFieldLastCloseWins(t *testing.T) {
	p := start(t)
	for round := range 8 {
		first, last := round%2, 1-round%2
		a, b := handle(t, p, first, os.O_WRONLY|os.O_TRUNC), handle(t, p, last, os.O_WRONLY|os.O_TRUNC)
		// Without a newline, so that it is close that commits.
		for f, text := range map[*os.File]string{a: "1", b: "2"} {
			if _, err := f.WriteString(text + strconv.Itoa(round)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		same{t, p}.want("1" + strconv.Itoa(round))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		same{t, p}.want("2" + strconv.Itoa(round))
	}
}

// Who has read the field before somebody else changed it is told so.
func TestSameFieldReadBeforeIsStale(t *testing.T) {
	p := start(t)
	for round := range 8 {
		reader, other := round%2, 1-round%2
		f := handle(t, p, reader, os.O_RDWR)
		if _, err := f.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		value := strconv.Itoa(100 + round)
		if err := os.WriteFile(filepath.Join(p.Dirs[other], "shared", field(0, 0)), []byte(value+"\n"), 0); err != nil {
			t.Fatal(err)
		}
		// With a barrier this mount knows of it; without, etcd's answer to the commit tells.
		if round%4 < 2 {
			if _, err := p.Barrier(reader); err != nil {
				t.Fatal(err)
			}
		}
		at := revision(t, p)
		_, err := f.WriteAt([]byte("7"), 0)
		if err == nil {
			err = f.Sync()
		}
		if !errors.Is(err, syscall.ESTALE) {
			t.Fatalf("round %d: %v, want ESTALE", round, err)
		}
		_ = f.Close()
		same{t, p}.want(value)
		if now := revision(t, p); now != at {
			t.Fatalf("round %d: the refused write made a revision", round)
		}
	}
}
