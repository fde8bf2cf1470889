package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// measureEvents times from the start of someone else's put until a program that
// watches the file with inotify has read the new content, beside a bare watch
// on the same puts; and counts the events of changes that come as fast as etcd
// takes them.
func measureEvents(ctx context.Context, l *lab) error {
	t := l.wideTree()
	if err := l.inEtcd(ctx, t); err != nil {
		return err
	}
	return l.mounted(ctx, t.prefix, false, func(m *mount) error {
		why, err := m.raising(ctx)
		if err != nil {
			return err
		}
		if why != "" {
			l.report.note("events were left out: %s", why)
			return nil
		}
		return errors.Join(l.measureWatcher(ctx, t, m), l.measureDelivery(ctx, t, m))
	})
}

// raising waits until the daemon raises events, or returns why it does not.
func (m *mount) raising(ctx context.Context) (whyNot string, err error) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(30 * time.Second)
	for {
		text, err := os.ReadFile(filepath.Join(m.dir, ".ovscfgfs/status"))
		if err != nil {
			return "", err
		}
		var status struct {
			Events struct {
				On     bool
				Reason string
			}
		}
		if err := json.Unmarshal(text, &status); err != nil {
			return "", fmt.Errorf(".ovscfgfs/status: %w", err)
		}
		if status.Events.On {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-limit:
			return status.Events.Reason, nil
		case <-ticker.C:
		}
	}
}

func (l *lab) measureWatcher(ctx context.Context, t tree, m *mount) error {
	row := l.report.row("events", "put until a watcher has read it", seconds, within(onRW, 1, onEtcd).and(0.0005))
	client, err := dial(ctx, l.endpoint)
	if err != nil {
		return err
	}
	defer client.Close()
	leaf := t.path(t.leaves / 3)
	key, path := t.prefix+"/"+leaf, filepath.Join(m.dir, leaf)
	events := client.Watch(ctx, key)
	watch, err := newWatch(path)
	if err != nil {
		return err
	}
	defer watch.close()
	buf := make([]byte, 64)
	for i := range echoesPerRun * l.runs {
		content := t.content(i)
		woken := make(chan error, 1)
		var read time.Time
		go func() {
			woken <- watch.until(func() (bool, error) {
				n, err := readInto(path, buf)
				read = time.Now()
				return err == nil && string(buf[:n]) == content, err
			})
		}()
		watched := make(chan time.Time, 1)
		go func() { <-events; watched <- time.Now() }()
		start := time.Now()
		if _, err := l.client.Put(ctx, key, t.value(i)); err != nil {
			return err
		}
		at := <-watched
		if err := <-woken; err != nil {
			return err
		}
		row.add(onEtcd, at.Sub(start).Seconds())
		row.add(onRW, read.Sub(start).Seconds())
	}
	l.logf("%s", row.line())
	return nil
}

// measureDelivery changes every leaf of a watched directory once, a hundred to a
// transaction and several transactions at a time, and counts until the watcher
// has had an event of each.
func (l *lab) measureDelivery(ctx context.Context, t tree, m *mount) error {
	row := l.report.row("events", "content changes delivered", perSecond, above(onRW, 5000))
	watch, err := newWatch(filepath.Join(m.dir, "all"))
	if err != nil {
		return err
	}
	defer watch.close()
	for round := range l.runs {
		bare, delivered, err := l.deliver(ctx, t, round, watch)
		if err != nil {
			return err
		}
		row.add(onEtcd, float64(t.leaves)/bare)
		row.add(onRW, float64(t.leaves)/delivered)
	}
	l.logf("%s", row.line())
	return nil
}

// deliver returns the seconds until a bare watch, and until the watcher, had
// all changes of a round.
func (l *lab) deliver(ctx context.Context, t tree, round int, watch *watch) (bare, delivered float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := dial(ctx, l.endpoint)
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	events := client.Watch(ctx, t.prefix+"/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	watched := make(chan time.Time, 1)
	go func() {
		for n := 0; n < t.leaves; {
			answer, ok := <-events
			if !ok {
				return
			}
			n += len(answer.Events)
		}
		watched <- time.Now()
	}()
	seen := make(chan error, 1)
	var last time.Time
	go func() {
		names := make(map[string]bool, t.leaves)
		seen <- watch.until(func() (bool, error) {
			for _, name := range watch.names {
				names[name] = true
			}
			last = time.Now()
			return len(names) == t.leaves, nil
		})
	}()
	start := time.Now()
	const perTxn = 100 // so that etcd does not wait for its disk for most of the time
	err = l.storePairs(ctx, perTxn, func(put func(key, value string) error) error {
		for i := range t.leaves {
			if err := put(t.prefix+"/"+t.path(i), fmt.Sprintf(`"r%02d%05d"`, round, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	if err := <-seen; err != nil {
		return 0, 0, err
	}
	at := <-watched
	return at.Sub(start).Seconds(), last.Sub(start).Seconds(), nil
}
