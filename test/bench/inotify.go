package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// watchPatience bounds the wait for an event.
const watchPatience = 30_000 // milliseconds

// A watch is an inotify watch of one path for changes of content.
type watch struct {
	fd    int
	buf   []byte
	names []string // of the entries that the last events were about
}

func newWatch(path string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	w := &watch{fd: fd, buf: make([]byte, 1<<18)}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		w.close()
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	return w, nil
}

func (w *watch) close() { _ = unix.Close(w.fd) }

// until calls done whenever events have come, until it says so.
func (w *watch) until(done func() (bool, error)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, watchPatience)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return errors.New("no event for half a minute")
		}
		if err := w.take(); err != nil {
			return err
		}
		if is, err := done(); is || err != nil {
			return err
		}
	}
}

// take reads the events that are there.
func (w *watch) take() error {
	n, err := unix.Read(w.fd, w.buf)
	if err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	w.names = w.names[:0]
	for rest := w.buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
		mask, length := binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
		if mask&unix.IN_Q_OVERFLOW != 0 {
			return errors.New("events were lost: raise fs.inotify.max_queued_events")
		}
		name, _, _ := strings.Cut(string(rest[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length]), "\x00")
		w.names = append(w.names, name)
		rest = rest[unix.SizeofInotifyEvent+length:]
	}
	return nil
}
