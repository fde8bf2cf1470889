// Package moves tests renames as others see them: one step on every mount, with
// the real program and a real etcd.
package moves

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

func renames() int {
	if os.Getenv("OVSCFGFS_TEST_LONG") == "1" {
		return 1_000
	}
	return 40
}

// start starts two mounts of a tree with a directory place/a of so many keys.
func start(t *testing.T, keys int) *harness.Pair {
	t.Helper()
	return harness.StartPair(t, func(e *harness.Etcd) {
		for i := range keys {
			if _, err := e.Client.Put(context.Background(), fmt.Sprintf("/ovs/place/a/deep/%02d", i), fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Client.Put(context.Background(), "/ovs/doc", `{"a": {"x": 1}, "other": 2}`); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOneStep: while a directory, and a field, are renamed to and fro, whoever lists the place on either
// mount sees it under one name, never both or none, and whole.
func TestOneStep(t *testing.T) {
	for _, keys := range []int{10, 500} {
		t.Run(fmt.Sprintf("%d keys", keys), func(t *testing.T) { oneStep(t, keys) })
	}
}

func oneStep(t *testing.T, keys int) {
	p := start(t, keys)
	done := make(chan struct{})
	var readers sync.WaitGroup
	var reads [2]int
	for i, dir := range p.Dirs {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for place, also := range map[string]int{"place": 0, "doc": 1} {
					entries, err := os.ReadDir(filepath.Join(dir, place))
					if err != nil {
						t.Errorf("mount %d: %v", i, err)
						return
					}
					if len(entries) != 1+also {
						t.Errorf("mount %d: %s has %v", i, place, entries)
						return
					}
					reads[i]++
					inside, err := os.ReadDir(filepath.Join(dir, place, entries[0].Name(), "deep"))
					if err == nil && place == "place" && len(inside) != keys {
						t.Errorf("mount %d: %d of %d entries below %s", i, len(inside), keys, entries[0].Name())
						return
					}
				}
			}
		})
	}
	from, to := "a", "b"
	for range renames() {
		for _, place := range []string{"place", "doc"} {
			if err := os.Rename(filepath.Join(p.Dirs[0], place, from), filepath.Join(p.Dirs[0], place, to)); err != nil {
				t.Fatal(err)
			}
		}
		from, to = to, from
	}
	close(done)
	readers.Wait()
	if reads[0] == 0 || reads[1] == 0 {
		t.Errorf("they read %d times", reads)
	}
	t.Logf("%d renames, %d listings", 2*renames(), reads)
}

// TestIdentity: what was moved keeps its inode numbers, a file of it that was open reads on and writes
// to where it lies now, and a directory that someone is in stays the same.
func TestIdentity(t *testing.T) {
	p := start(t, 20)
	at := func(mount int, name string) string { return filepath.Join(p.Dirs[mount], name) }
	number := func(path string) uint64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	directory, leaf := number(at(0, "place/a/deep")), number(at(0, "place/a/deep/07"))
	reader, err := os.Open(at(0, "place/a/deep/07"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writer, err := os.OpenFile(at(0, "place/a/deep/08"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	inside, err := os.Open(at(0, "place/a/deep"))
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()

	if err := os.Rename(at(0, "place/a"), at(0, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if d, l := number(at(0, "elsewhere/deep")), number(at(0, "elsewhere/deep/07")); d != directory || l != leaf {
		t.Errorf("inodes %d and %d became %d and %d", directory, leaf, d, l)
	}
	if text, err := io.ReadAll(reader); err != nil || string(text) != "7\n" {
		t.Errorf("the open file reads %q, %v", text, err)
	}
	if names, err := inside.Readdirnames(-1); err != nil || len(names) != 20 {
		t.Errorf("the open directory lists %d, %v", len(names), err)
	}
	if _, err := writer.WriteAt([]byte("88\n"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Barrier(1); err != nil {
		t.Fatal(err)
	}
	for mount := range 2 {
		if text, err := os.ReadFile(at(mount, "elsewhere/deep/08")); err != nil || string(text) != "88\n" {
			t.Errorf("mount %d: %q, %v", mount, text, err)
		}
		if _, err := os.Stat(at(mount, "place/a")); !os.IsNotExist(err) {
			t.Errorf("mount %d: the old place: %v", mount, err)
		}
	}
}

// TestTooLarge: a move over the limit changes nothing, and the words tell its size, the limit and the server's option.
func TestTooLarge(t *testing.T) {
	p := harness.StartPair(t, func(e *harness.Etcd) {
		for i := range 3 {
			if _, err := e.Client.Put(context.Background(), fmt.Sprintf("/ovs/d/%d", i), string(make([]byte, 600_000))); err != nil {
				t.Fatal(err)
			}
		}
	})
	before, err := p.Etcd.Revision()
	if err != nil {
		t.Fatal(err)
	}
	err = os.Rename(filepath.Join(p.Dirs[0], "d"), filepath.Join(p.Dirs[0], "e"))
	if link, ok := err.(*os.LinkError); !ok || link.Err != syscall.EMSGSIZE {
		t.Fatal(err)
	}
	if after, err := p.Etcd.Revision(); err != nil || after != before {
		t.Errorf("revision %d became %d, %v", before, after, err)
	}
	words, err := os.ReadFile(filepath.Join(p.Dirs[0], ".ovscfgfs/errors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"a request of 180", "1572864", "--max-request-bytes"} {
		if !strings.Contains(string(words), part) {
			t.Errorf("no %q in %s", part, words)
		}
	}
}
