package fs

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// openLocked mounts with locks and opens d/f, whose directory is about to be called e.
func openLocked(t *testing.T) (*mountedTest, *os.File) {
	t.Helper()
	m := mountTree(t, map[string]string{"/ovs/k": "1", "/ovs/d/f": "raw\ntext", "/ovs/d/g": "1"}, func(o *Options) { o.Locks = &localLocks{} })
	f, err := os.OpenFile(m.path("d/f"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return m, f
}

// What is stored because a lock is given back is stored under the name that the file has then.
func TestUnlockedWhileItsDirectoryIsRenamed(t *testing.T) {
	for name, way := range renameWays {
		t.Run(name, func(t *testing.T) {
			m, f := openLocked(t)
			m.wantErr("lock", unix.Flock(int(f.Fd()), unix.LOCK_EX), nil)
			if _, err := f.WriteAt([]byte("two\nlines\n"), 0); err != nil {
				t.Fatal(err)
			}
			changed, renamed := way(m, func() error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) })
			m.wantErr("unlock", changed, nil)
			m.wantErr("rename", renamed, nil)
			m.wantKeys("/ovs/e/f", "/ovs/e/g", "/ovs/k")
			m.want("/ovs/e/f", "two\nlines")
		})
	}
}

// Who gets a lock sees the content, also while the file gets another name.
func TestLockedWhileItsDirectoryIsRenamed(t *testing.T) {
	m, f := openLocked(t)
	const rounds = 300
	done := make(chan error, 1)
	go func() {
		var buf [64]byte
		for range rounds {
			for _, how := range []int{unix.LOCK_EX, unix.LOCK_UN} {
				if err := unix.Flock(int(f.Fd()), how); err != nil {
					done <- err
					return
				}
				if n, err := unix.Pread(int(f.Fd()), buf[:], 0); err != nil || string(buf[:n]) != "raw\ntext\n" {
					done <- fmt.Errorf("it read %q, %v", buf[:n], err)
					return
				}
			}
		}
		done <- nil
	}()
	from, to := "d", "e"
	for {
		select {
		case err := <-done:
			m.wantErr("lock and read", err, nil)
			return
		default:
		}
		m.wantErr("rename", os.Rename(m.path(from), m.path(to)), nil)
		from, to = to, from
	}
}
