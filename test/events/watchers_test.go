package events

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

const patience = 2 * time.Minute

// heard is what a watching program printed, line by line: the contents that it
// read upon events.
type heard chan string

// await returns when a line holds text.
func (h heard) await(t *testing.T, text string) {
	t.Helper()
	var lines []string
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-h:
			if !ok {
				t.Fatalf("the watcher ended before it printed %q; it printed %q", text, lines)
			}
			if strings.Contains(line, text) {
				return
			}
			lines = append(lines, line)
		case <-timeout:
			t.Fatalf("no %q; the watcher printed %q", text, lines)
		}
	}
}

// sofar adds what was printed until now to lines; ended: it was the last.
func (h heard) sofar(lines []string) (all []string, ended bool) {
	for {
		select {
		case line, ok := <-h:
			if !ok {
				return lines, true
			}
			lines = append(lines, line)
		default:
			return lines, false
		}
	}
}

// run starts a program in a process group of its own, which ends with the test.
func run(t *testing.T, stdin, name string, args ...string) heard {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	err = cmd.Start()
	_ = writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	h := make(heard, 1<<16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(h)
		for s := bufio.NewScanner(reader); s.Scan(); {
			h <- s.Text()
		}
		_, _ = io.Copy(io.Discard, reader)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // it was killed
		<-done
		_ = reader.Close()
	})
	return h
}

// awaitFor is a shorter wait than patience, for what may well not come.
func awaitFor(ready func() bool) bool {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ready() {
			return true
		}
	}
	return false
}

// needs skips a test without a program.
func needs(t *testing.T, program, debian string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed (package %s)", program, debian)
	}
}

// node is a pair of mounts; changes are made elsewhere than on mount 1, which
// is watched. Each change has a value of its own.
type node struct {
	*harness.Pair
	last int
}

func (p *node) next() int {
	p.last++
	return p.last
}

func (p *node) at(name string) string { return filepath.Join(p.Dirs[1], name) }

func (p *node) elsewhere(name string) string { return filepath.Join(p.Dirs[0], name) }

// TestWatchers runs the programs that people watch files with, each on a tree
// of its own name: a key, a text of several lines, a document, a directory.
func TestWatchers(t *testing.T) {
	p := &node{Pair: eventful(t, func(*harness.Etcd) {}), last: 1000}
	for _, w := range []struct {
		name  string
		watch func(t *testing.T, p *node, dir string)
	}{
		{"inotifywait", inotifywait},
		{"fsnotify", fsnotifyProgram},
		{"watchdog", watchdog},
		{"entr", entr},
		{"tail", tail},
		{"systemd", systemdPath},
	} {
		t.Run(w.name, func(t *testing.T) {
			d := "/ovs/" + w.name
			put(t, p.Etcd, d+"/key", "0", d+"/text.ini", "line 0\n", d+"/doc", `{"port": 0, "name": "x"}`, d+"/s/key", "0")
			for i := range p.Dirs {
				if _, err := p.Barrier(i); err != nil {
					t.Fatal(err)
				}
			}
			w.watch(t, p, w.name)
		})
	}
}

// eventful is a pair whose mounts raise events.
func eventful(t *testing.T, fill func(*harness.Etcd)) *harness.Pair {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("raising events needs root")
	}
	p := harness.StartPair(t, fill)
	for i := range p.Dirs {
		awaitEvents(t, p.Dirs[i])
	}
	return p
}

// source is one who changes what is watched on mount 1.
type source struct {
	name  string
	write func(t *testing.T, p *node, name, value string)
}

// sources are a program that knows etcd only, and another node's mount.
var sources = []source{
	{"etcdctl", func(t *testing.T, p *node, name, value string) {
		etcdctl(t, p.Pair, "put", "/ovs/"+name, value)
	}},
	{"mount", func(t *testing.T, p *node, name, value string) {
		writeFile(t, p.elsewhere(name), value+"\n")
	}},
}

// rounds is how often each source changes each file.
const rounds = 3

// hears has each source change files, and expects to hear the new contents.
func hears(t *testing.T, p *node, h heard, names ...string) {
	t.Helper()
	for range rounds {
		for _, s := range sources {
			for _, name := range names {
				value := fmt.Sprint(p.next())
				s.write(t, p, name, value)
				h.await(t, value)
			}
		}
	}
}

// hearsFresh is hears for names that are not there yet.
func hearsFresh(t *testing.T, p *node, h heard, dirs ...string) {
	t.Helper()
	for _, s := range sources {
		for _, dir := range dirs {
			n := p.next()
			s.write(t, p, fmt.Sprintf("%s/new%d", dir, n), fmt.Sprint(n))
			h.await(t, fmt.Sprintf("new%d", n))
			h.await(t, fmt.Sprint(n))
		}
	}
}

func inotifywait(t *testing.T, p *node, d string) {
	needs(t, "inotifywait", "inotify-tools")
	script := `inotifywait -m -r --format %w%f -e modify,create,moved_to "$1" | while read -r f; do echo "$f"; [ -f "$f" ] && cat "$f"; done`
	h := run(t, "", "bash", "-c", script, "bash", p.at(d))
	h.await(t, "established")
	hears(t, p, h, d+"/key", d+"/s/key")
	hearsFresh(t, p, h, d, d+"/s")
	etcdctl(t, p.Pair, "put", "/ovs/"+d+"/doc", `{"port": 4711, "name": "x"}`)
	h.await(t, "/doc/port")
	h.await(t, "4711")
	if err := os.Rename(p.elsewhere(d+"/s"), p.elsewhere(d+"/t")); err != nil {
		t.Fatal(err)
	}
	h.await(t, p.at(d+"/t"))
}

// watchdogProgram prints what it reads upon each event of Python's watchdog.
const watchdogProgram = `
import sys, os
from watchdog.observers.inotify import InotifyObserver
from watchdog.events import FileSystemEventHandler
class Handler(FileSystemEventHandler):
    def on_any_event(self, event):
        path = getattr(event, "dest_path", "") or event.src_path
        print(event.event_type, path, flush=True)
        if event.event_type in ("modified", "created", "moved") and os.path.isfile(path):
            print(open(path).read(), flush=True)
observer = InotifyObserver()
observer.schedule(Handler(), sys.argv[1], recursive=True)
observer.start()
print("ready", flush=True)
observer.join()
`

func watchdog(t *testing.T, p *node, d string) {
	// The distribution's: another Python in PATH does not have its packages.
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import watchdog").Run(); err != nil {
		t.Skip("watchdog is not installed (package python3-watchdog)")
	}
	h := run(t, "", python, "-c", watchdogProgram, p.at(d))
	h.await(t, "ready")
	hears(t, p, h, d+"/key", d+"/s/key")
	hearsFresh(t, p, h, d, d+"/s")
	value := fmt.Sprint(p.next())
	writeFile(t, p.elsewhere(d+"/old"), value+"\n")
	h.await(t, value)
	if err := os.Rename(p.elsewhere(d+"/old"), p.elsewhere(d+"/newer")); err != nil {
		t.Fatal(err)
	}
	h.await(t, "moved "+p.at(d+"/newer"))
	h.await(t, value)
	if err := os.Remove(p.elsewhere(d + "/newer")); err != nil {
		t.Fatal(err)
	}
	h.await(t, "deleted "+p.at(d+"/newer"))
}

// hearsBetween is hears for programs that do not see what changes while what
// they have started runs, of local files neither: such a change is followed by another.
func hearsBetween(t *testing.T, p *node, name string, heard func(value string) bool) {
	t.Helper()
	for range rounds {
		for _, s := range sources {
			if !harness.Await(func() bool {
				value := fmt.Sprint(p.next())
				s.write(t, p, name, value)
				return awaitFor(func() bool { return heard(value) })
			}) {
				t.Fatalf("%s: nothing was heard", s.name)
			}
		}
	}
}

func entr(t *testing.T, p *node, d string) {
	needs(t, "entr", "entr")
	file := p.at(d + "/key")
	h := run(t, file+"\n", "entr", "-n", "sh", "-c", `echo "read $(cat "$0")"`, file)
	h.await(t, "read 0") // it runs once at first
	var said []string
	hearsBetween(t, p, d+"/key", func(value string) bool {
		said, _ = h.sofar(said)
		return slices.Contains(said, "read "+value)
	})
}

// tail polls on FUSE, as it takes each such mount for a remote one; what counts
// is that it prints what came.
func tail(t *testing.T, p *node, d string) {
	h := run(t, "", "tail", "-n", "+1", "-s", "0.1", "-F", p.at(d+"/text.ini"))
	h.await(t, "line 0")
	text := "line 0"
	for n := range rounds {
		for _, s := range sources {
			line := fmt.Sprintf("from %s %d", s.name, n)
			text += "\n" + line
			s.write(t, p, d+"/text.ini", text)
			h.await(t, line)
		}
	}
}
