package scratch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

func open(t *testing.T, dir string, limit int64) *Store {
	t.Helper()
	s, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, p, text string) {
	t.Helper()
	f, err := s.Create(p, 0o640, uint32(os.Getuid()), uint32(os.Getgid()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), 0, false); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *Store, p string) string {
	t.Helper()
	f, err := s.OpenFile(p, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1<<10)
	n, err := f.ReadAt(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func names(list []Entry) map[string]bool {
	m := map[string]bool{}
	for _, e := range list {
		m[e.Name] = true
	}
	return m
}

func TestFilesSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	put(t, s, "a/b/.x", "text")
	if err := s.Mkdir("a/new", 0o750, uint32(os.Getuid()), uint32(os.Getgid())); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, 0)
	if got := get(t, s, "a/b/.x"); got != "text" {
		t.Errorf("read %q", got)
	}
	if s.Used() != 4 {
		t.Errorf("used %d bytes, want 4", s.Used())
	}
	if n := names(s.List("a")); len(n) != 1 || !n["new"] {
		t.Errorf("listing of a: %v, want only the made directory (b is a mirror)", n)
	}
	if st, err := s.Lstat("a/new"); err != nil || st.Mode&0o777 != 0o750 {
		t.Errorf("Lstat(a/new): mode %o, %v", st.Mode, err)
	}
	if _, err := s.Lstat("a/b"); err != syscall.ENOENT {
		t.Errorf("Lstat of a mirror: %v, want ENOENT", err)
	}
}

func TestLimit(t *testing.T) {
	s := open(t, t.TempDir(), 10)
	put(t, s, ".a", "12345678")
	f, err := s.OpenFile(".a", true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("abc"), 0, true); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write over the limit: %v", err)
	}
	if err := f.Truncate(11); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("truncate over the limit: %v", err)
	}
	if _, err := f.WriteAt([]byte("ab"), 0, true); err != nil {
		t.Error(err)
	}
	if got := get(t, s, ".a"); got != "12345678ab" {
		t.Errorf("read %q", got)
	}
	if err := s.Remove(".a"); err != nil {
		t.Fatal(err)
	}
	if s.Used() != 0 || !s.Empty() {
		t.Errorf("after the removal %d bytes are used", s.Used())
	}
	put(t, s, ".b", "1234567890")
}

func TestRename(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	put(t, s, "d/.a", "A")
	put(t, s, "d/.b", "BB")
	if err := s.Rename("d/.a", "e/.b", false); err != nil {
		t.Fatal(err)
	}
	if err := s.Rename("d/.b", "e/.b", true); err != nil {
		t.Fatal(err)
	}
	if a, b := get(t, s, "d/.b"), get(t, s, "e/.b"); a != "A" || b != "BB" {
		t.Errorf("after the exchange %q %q", a, b)
	}
	if err := s.Rename("d/.b", "e/.b", false); err != nil {
		t.Fatal(err)
	}
	if s.Used() != 1 {
		t.Errorf("used %d", s.Used())
	}
	if err := s.Rename("nothing", "x", false); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("rename of nothing: %v", err)
	}
}

func TestDirectoryMovesWithWhatIsInIt(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	for _, d := range []string{".d", ".d/sub"} {
		if err := s.Mkdir(d, 0o755, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, ".d/sub/f", "x")
	if err := s.Rename(".d", ".e", false); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, ".e/sub/f"); got != "x" {
		t.Errorf("read %q", got)
	}
	if err := s.Rmdir(".e"); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Errorf("rmdir: %v", err)
	}
	for _, step := range []error{s.Remove(".e/sub/f"), s.Rmdir(".e/sub"), s.Rmdir(".e")} {
		if step != nil {
			t.Error(step)
		}
	}
	if _, err := os.Lstat(filepath.Join(s.files, ".e")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the host still has the directory: %v", err)
	}
	if !s.Empty() {
		t.Error("the store is not empty")
	}
}

func TestSettledDirectoryKeepsItsFiles(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	if err := s.Mkdir("d", 0o755, 0, 0); err != nil {
		t.Fatal(err)
	}
	put(t, s, "d/.x", "x")
	s.Settle("d")
	if _, err := s.Lstat("d"); err != syscall.ENOENT {
		t.Errorf("Lstat: %v", err)
	}
	s.MoveMirror("d", "e")
	if got := get(t, s, "e/.x"); got != "x" {
		t.Errorf("read %q", got)
	}
}

func TestRenameOntoAMirror(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	for _, dir := range []string{"c/1/deep", "new"} {
		if err := s.Mkdir(dir, 0o755, uint32(os.Getuid()), uint32(os.Getgid())); err != nil {
			t.Fatal(err)
		}
	}
	// The tree has c and c/1, and loses them: nothing is shown at c.
	if err := s.Rename("new", "c", false); err != nil {
		t.Fatal(err)
	}
	if !names(s.List("."))["c"] || len(s.List("c/1")) > 0 {
		t.Errorf("the root has %v, c/1 has %v", s.List("."), s.List("c/1"))
	}
	if err := s.Rmdir("c"); err != nil || !s.Empty() {
		t.Errorf("%v, and it counts %v", err, s.index)
	}
}

// A directory that was made here and is one of the tree by now moves with that.
func TestMadeDirectoryMovesWithTheTree(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	for _, dir := range []string{"b/b", "c/in"} {
		if err := s.Mkdir(dir, 0o755, uint32(os.Getuid()), uint32(os.Getgid())); err != nil {
			t.Fatal(err)
		}
	}
	s.MoveMirror("b/b", "a/d/b")
	if !names(s.List("a/d"))["b"] || len(s.List("b")) > 0 {
		t.Errorf("after a move a/d has %v, b has %v", s.List("a/d"), s.List("b"))
	}
	s.ExchangeMirror("a/d/b", "e")
	if !names(s.List("."))["e"] || len(s.List("a/d")) > 0 {
		t.Errorf("after an exchange the root has %v, a/d has %v", s.List("."), s.List("a/d"))
	}
	for _, dir := range []string{"e", "c/in"} {
		if err := s.Rmdir(dir); err != nil {
			t.Error(err)
		}
	}
	if !s.Empty() {
		t.Errorf("it still counts %v", s.index)
	}
}

func TestRmdirTakesOrphansAlong(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	if err := s.Mkdir("d", 0o755, 0, 0); err != nil {
		t.Fatal(err)
	}
	put(t, s, "d/gone/.x", "orphan") // the tree showed d/gone when it was made
	if err := s.Rmdir("d"); err != nil {
		t.Fatal(err)
	}
	if !s.Empty() || s.Used() != 0 {
		t.Errorf("%d bytes are left, %v", s.Used(), s.index)
	}
}

func TestLinks(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	if err := s.Symlink("me@host.1", ".#a", 0, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Readlink(".#a"); err != nil || got != "me@host.1" {
		t.Errorf("readlink: %q %v", got, err)
	}
}

func TestParallelUse(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				p := fmt.Sprintf("d%d/.f%d", i%3, w)
				f, err := s.Create(p, 0o600, 0, 0)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := f.WriteAt(bytes.Repeat([]byte("x"), 100), 0, false); err != nil {
					t.Error(err)
				}
				s.List(fmt.Sprintf("d%d", i%3))
				f.Close()
				if err := s.Remove(p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if !s.Empty() || s.Used() != 0 {
		t.Errorf("%d bytes are left", s.Used())
	}
}
