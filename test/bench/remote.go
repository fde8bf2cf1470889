package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// measureRemote times from the start of someone else's put until a bare watch
// has its event, and until a reader of a mount sees the new content, on the
// same puts.
func measureRemote(ctx context.Context, l *lab) error {
	t := l.keyTree()
	if err := l.inEtcd(ctx, t); err != nil {
		return err
	}
	row := l.report.row("remote", "put until seen", seconds, within(onRW, 1, onEtcd).and(0.001), within(onRO, 1, onEtcd).and(0.001))
	watcher, err := dial(ctx, l.endpoint)
	if err != nil {
		return err
	}
	defer watcher.Close()
	leaf := t.path(t.leaves / 3)
	key := t.prefix + "/" + leaf
	events := watcher.Watch(ctx, key)
	err = l.mounted(ctx, t.prefix, false, func(rw *mount) error {
		return l.mounted(ctx, t.prefix, true, func(ro *mount) error {
			for i := range 2 * echoesPerRun * l.runs {
				target, path := onRW, filepath.Join(rw.dir, leaf)
				if i%2 == 1 {
					target, path = onRO, filepath.Join(ro.dir, leaf)
				}
				watched, visible, err := l.seen(ctx, t, i, key, path, events)
				if err != nil {
					return err
				}
				row.add(onEtcd, watched)
				row.add(target, visible)
			}
			return nil
		})
	})
	l.logf("%s", row.line())
	return err
}

// seen puts a new value for a leaf and returns when, in seconds, the watch and
// a reader of path had it.
func (l *lab) seen(ctx context.Context, t tree, i int, key, path string, events clientv3.WatchChan) (watched, visible float64, err error) {
	type sight struct {
		at  time.Time
		err error
	}
	reader := make(chan sight, 1)
	go func() {
		at, err := pollFor(ctx, path, t.content(i))
		reader <- sight{at, err}
	}()
	watch := make(chan sight, 1)
	go func() {
		answer, ok := <-events
		if !ok {
			watch <- sight{err: errors.New("the watch ended")}
			return
		}
		watch <- sight{time.Now(), answer.Err()}
	}()
	start := time.Now()
	if _, err := l.client.Put(ctx, key, t.value(i)); err != nil {
		return 0, 0, err
	}
	w, r := <-watch, <-reader
	return w.at.Sub(start).Seconds(), r.at.Sub(start).Seconds(), errors.Join(w.err, r.err)
}

// pollFor reads path until it has the content and returns when it did. It
// pauses between reads: the machine's cores are for the programs measured.
func pollFor(ctx context.Context, path, content string) (time.Time, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const limit = 30 * time.Second
	pause := syscall.NsecToTimespec(int64(50 * time.Microsecond))
	buf := make([]byte, 64)
	for start := time.Now(); time.Since(start) < limit; {
		n, err := readInto(path, buf)
		if err != nil {
			return time.Time{}, err
		}
		if string(buf[:n]) == content {
			return time.Now(), nil
		}
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
		_ = syscall.Nanosleep(&pause, nil) // a shorter pause does no harm
	}
	return time.Time{}, fmt.Errorf("%s does not show %q after %v", path, content, limit)
}
