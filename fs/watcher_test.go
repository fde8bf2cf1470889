package fs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// echoArgument makes the test binary a helper process.
const echoArgument = "echo-helper"

// withEvents mounts with a helper process.
func withEvents(o *Options) { o.EchoCommand = []string{"/proc/self/exe", echoArgument} }

// mountEvents mounts values for a test of events and waits for the helper.
func mountEvents(t *testing.T, values map[string]string, options ...func(*Options)) *mountedTest {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("raising events needs root")
	}
	m := mountTree(t, values, append(options, withEvents)...)
	m.awaitHelper()
	return m
}

func (m *mountedTest) awaitHelper() {
	m.t.Helper()
	await(m.t, "the helper is ready", func() bool { return m.s.echoes.watched.Load() != nil })
}

// watcher collects the events of some inotify watches, as "NAME op" lines.
type watcher struct {
	t    *testing.T
	file *os.File
	fd   int
	done chan struct{}
	// seen is called with each event before it is collected; may be nil.
	seen func(event string)

	mu     sync.Mutex
	names  map[int32]string
	events []string // not taken yet
	all    []string
}

const watchAll = unix.IN_ALL_EVENTS &^ (unix.IN_ACCESS | unix.IN_CLOSE_NOWRITE | unix.IN_OPEN)

func newWatcher(t *testing.T, seen func(string)) *watcher {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{t: t, fd: fd, file: os.NewFile(uintptr(fd), "inotify"), done: make(chan struct{}), names: map[int32]string{}, seen: seen}
	go w.run()
	t.Cleanup(w.close)
	return w
}

func (w *watcher) close() {
	_ = w.file.Close()
	<-w.done
}

// add watches a path, shown as name in the events.
func (w *watcher) add(path, name string, mask uint32) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	wd, err := unix.InotifyAddWatch(w.fd, path, mask)
	if err != nil {
		w.t.Fatal(err)
	}
	w.names[int32(wd)] = name
}

func (w *watcher) run() {
	defer close(w.done)
	buf := make([]byte, 1<<16)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(b))
			mask, cookie, length := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
			name, _, _ := bytes.Cut(b[16:16+length], []byte{0})
			b = b[16+length:]
			w.mu.Lock()
			event := describe(filepath.Join(w.names[wd], string(name)), mask, cookie)
			w.mu.Unlock()
			if w.seen != nil {
				w.seen(event)
			}
			w.mu.Lock()
			w.events, w.all = append(w.events, event), append(w.all, event)
			w.mu.Unlock()
		}
	}
}

func describe(name string, mask, cookie uint32) string {
	var ops []string
	for _, x := range []struct {
		bit  uint32
		name string
	}{
		{unix.IN_MODIFY, "MODIFY"}, {unix.IN_ATTRIB, "ATTRIB"}, {unix.IN_CLOSE_WRITE, "CLOSE_WRITE"}, {unix.IN_OPEN, "OPEN"},
		{unix.IN_MOVED_FROM, "MOVED_FROM"}, {unix.IN_MOVED_TO, "MOVED_TO"}, {unix.IN_CREATE, "CREATE"}, {unix.IN_DELETE, "DELETE"},
		{unix.IN_DELETE_SELF, "DELETE_SELF"}, {unix.IN_MOVE_SELF, "MOVE_SELF"}, {unix.IN_ISDIR, "ISDIR"}, {unix.IN_IGNORED, "IGNORED"},
		{unix.IN_UNMOUNT, "UNMOUNT"}, {unix.IN_Q_OVERFLOW, "OVERFLOW"}, {unix.IN_ACCESS, "ACCESS"}, {unix.IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
	} {
		if mask&x.bit != 0 {
			ops = append(ops, x.name)
		}
	}
	s := fmt.Sprintf("%s %s", name, strings.Join(ops, ","))
	if cookie != 0 {
		s += fmt.Sprintf(" %d", cookie)
	}
	return s
}

// seenFrom returns the event of a rename away from a name, "" if there was none.
func (w *watcher) seenFrom(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.all {
		if strings.HasPrefix(e, name+" MOVED_FROM") {
			return e
		}
	}
	return ""
}

// take waits for an event and returns all up to it.
func (w *watcher) take(last string) []string {
	w.t.Helper()
	var list []string
	deadline := time.Now().Add(patience)
	for {
		w.mu.Lock()
		if k := slices.Index(w.events, last); k >= 0 {
			list = w.events[:k+1]
			w.events = w.events[k+1:]
			w.mu.Unlock()
			return list
		}
		have := slices.Clone(w.events)
		w.mu.Unlock()
		if time.Now().After(deadline) {
			w.t.Fatalf("no event %q; there are %q", last, have)
		}
		time.Sleep(time.Millisecond)
	}
}

// some waits for so many events, and returns them in the order of their names.
func (w *watcher) some(n int) (list []string) {
	w.t.Helper()
	await(w.t, "the events", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.events) < n {
			return false
		}
		list, w.events = slices.Clone(w.events[:n]), w.events[n:]
		return true
	})
	slices.Sort(list)
	return list
}

// none fails if there were other events than those taken: after the marker's
// own change was seen.
func (w *watcher) expect(last string, want ...string) {
	w.t.Helper()
	if got := w.take(last); !slices.Equal(got, want) {
		w.t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

// within takes what comes out of a channel.
func nextOf(t *testing.T, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(patience):
		t.Fatal("nothing came")
		return ""
	}
}

// printed is what a watching program has printed.
type printed struct {
	t     *testing.T
	lines chan string
}

// runWatcher runs a program that prints a line for each event, from when it
// says that its watches are established until the end of the test.
func runWatcher(t *testing.T, name string, args ...string) *printed {
	t.Helper()
	cmd := exec.Command(name, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	words, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &printed{t: t, lines: make(chan string, 1024)}
	ready := make(chan string, 1)
	var readers sync.WaitGroup
	readers.Go(func() {
		for s := bufio.NewScanner(words); s.Scan(); {
			if strings.Contains(s.Text(), "established") {
				ready <- s.Text()
			}
		}
	})
	readers.Go(func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		readers.Wait()
		_ = cmd.Wait()
	})
	nextOf(t, ready)
	return p
}

func (p *printed) await(line string) {
	p.t.Helper()
	for nextOf(p.t, p.lines) != line {
	}
}
