package fs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// version is a content that says which one it is and how long: size bytes of
// the digit n, in one line.
func version(n, size int) string {
	return fmt.Sprintf("%d:", size) + string(bytes.Repeat([]byte{byte('0' + n%10)}, size))
}

// whole returns an error unless b is one version.
func whole(b []byte) error {
	if size, body, err := parse(b); err != nil {
		return err
	} else if len(body) != size {
		return fmt.Errorf("%d bytes that begin %.20q are torn: %d were expected", len(body), b, size)
	}
	return nil
}

// piece returns an error unless b is of one version: its beginning, or all of
// it with zeros behind it.
func piece(b []byte) error {
	b = bytes.TrimRight(b, "\x00")
	if !bytes.Contains(b, []byte(":")) && len(bytes.Trim(b, "0123456789")) == 0 {
		return nil
	}
	if size, body, err := parse(b); err != nil {
		return err
	} else if len(body) > size {
		return fmt.Errorf("%d bytes that begin %.20q are more than %d", len(body), b, size)
	}
	return nil
}

func parse(b []byte) (size int, body []byte, err error) {
	if _, err := fmt.Sscanf(string(b), "%d:", &size); err != nil {
		return 0, nil, fmt.Errorf("%.40q (%d bytes) has no length", b, len(b))
	}
	_, body, _ = bytes.Cut(b, []byte(":"))
	body = bytes.TrimSuffix(body, []byte("\n"))
	if len(body) > 0 && len(bytes.Trim(body, string(body[:1]))) != 0 {
		return 0, nil, fmt.Errorf("%d bytes that begin %.20q are not of one digit", len(body), b)
	}
	return size, body, nil
}

// readOnce reads a file with one call.
func readOnce(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, 8192)
	n, err := f.Read(buf)
	return buf[:n], err
}

// Readers that open and read a leaf while it changes see one of its contents,
// never a mixture, a piece, or a padded one.
func TestReadsAreWhole(t *testing.T) {
	for name, c := range map[string]struct {
		rounds int
		sizes  []int
		option func(*Options)
		read   func(string) ([]byte, error)
		check  func([]byte) error
	}{
		"small rw": {2000, []int{1, 700, 30, 2000, 300}, func(*Options) {}, os.ReadFile, whole},
		"large rw": {300, []int{100, 40_000, 5000, 150_000, 4000}, func(*Options) {}, os.ReadFile, whole},
		// The daemon does not learn of opens there: what one read(2) returns is of one version.
		"small ro": {2000, []int{1, 700, 30, 2000, 300}, readOnly, readOnce, piece},
	} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, map[string]string{"/ovs/dir/leaf": version(0, 1), "/ovs/dir/doc": `{"f": "` + version(0, 1) + `"}`}, c.option)
			ctx, cancel := context.WithCancel(t.Context())
			var readers sync.WaitGroup
			var reads atomic.Int64
			reading := make(chan struct{})
			for _, leaf := range []string{"dir/leaf", "dir/doc/f", "dir/leaf"} {
				readers.Go(func() {
					for ctx.Err() == nil && !t.Failed() {
						began := time.Now()
						b, err := c.read(m.path(leaf))
						if err == nil && time.Since(began) < grace/2 {
							err = c.check(b)
						}
						if err != nil {
							t.Errorf("%s: %v", leaf, err)
						}
						if reads.Add(1) == 1 {
							close(reading)
						}
					}
				})
			}
			<-reading // the changes take less time than it can take a reader to begin
			if os.Getenv("OVSCFGFS_TEST_LONG") == "" {
				c.rounds = min(c.rounds, 500)
			}
			for n := range c.rounds {
				v := version(n, c.sizes[n%len(c.sizes)])
				m.store.put(map[string]string{"/ovs/dir/leaf": v, "/ovs/dir/doc": `{"g": 1, "f": "` + v + `"}`})
				if n%3 == 0 {
					m.settle()
				}
			}
			cancel()
			readers.Wait()
			m.settle()
			m.compareWithTree()
			if reads.Load() == 0 {
				t.Error("nothing was read")
			}
			t.Logf("%d reads", reads.Load())
		})
	}
}
