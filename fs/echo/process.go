package echo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startTime bounds the wait for a helper to be ready.
const startTime = 30 * time.Second

// Options say how a helper is started.
type Options struct {
	// Command is the program and its first arguments; Help gets what follows.
	Command []string
	// Mountpoint and Device are those of the mount to work in.
	Mountpoint string
	Device     uint64
	// Lanes is how many requests it does at a time.
	Lanes int
}

// Process is a running helper.
type Process struct {
	cmd   *exec.Cmd
	lanes []*Lane
	ended chan struct{}
	words limited
}

// Lane is one thread of the helper. It is asked for one thing at a time: Answer
// is due before the next. One goroutine may ask and another take the answer.
type Lane struct {
	socket *os.File
	thread uint32
	buf    []byte
}

// ErrDead is why a request has no outcome: the helper has ended.
var ErrDead = errors.New("the helper process has ended")

// Start runs a helper and returns when all its lanes are ready. Its error says
// what the helper said.
func Start(o Options) (*Process, error) {
	p := &Process{ended: make(chan struct{})}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}()
	for range o.Lanes {
		// One end for this process's poller; the other blocks a thread of the helper.
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			p.closeSockets()
			return nil, fmt.Errorf("socketpair: %w", err)
		}
		_ = unix.SetNonblock(fds[0], true) // cannot fail on a socket
		p.lanes = append(p.lanes, &Lane{socket: os.NewFile(uintptr(fds[0]), "echo"), buf: make([]byte, 8)})
		theirs = append(theirs, os.NewFile(uintptr(fds[1]), "echo"))
	}
	args := append(o.Command[1:len(o.Command):len(o.Command)], o.Mountpoint, strconv.FormatUint(o.Device, 10), strconv.Itoa(o.Lanes))
	p.cmd = exec.Command(o.Command[0], args...)
	p.cmd.Dir = "/"
	p.cmd.Stderr = &p.words
	p.cmd.ExtraFiles = theirs
	// Out of the group: a ^C is for the daemon, which ends the helper.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		p.closeSockets()
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended does not matter: words says why
		close(p.ended)
	}()
	for _, f := range theirs {
		_ = f.Close()
	}
	theirs = nil
	deadline := time.Now().Add(startTime)
	for _, l := range p.lanes {
		_ = l.socket.SetReadDeadline(deadline)
		thread, err := l.receive()
		_ = l.socket.SetReadDeadline(time.Time{})
		if err != nil {
			p.Close()
			if words := p.words.String(); words != "" {
				return nil, errors.New(words)
			}
			return nil, fmt.Errorf("the helper process did not start: %w", err)
		}
		l.thread = thread
	}
	return p, nil
}

// Lanes returns the lanes.
func (p *Process) Lanes() []*Lane { return p.lanes }

// Pid is the helper's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed when the helper has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Close kills the helper and waits for its end; whoever waits for a lane gets
// ErrDead. The mount must be served meanwhile. Safe for concurrent use.
func (p *Process) Close() {
	_ = p.cmd.Process.Kill() // an error: it has ended
	<-p.ended
	p.closeSockets()
}

func (p *Process) closeSockets() {
	for _, l := range p.lanes {
		_ = l.socket.Close()
	}
}

// Thread is the id that the lane's requests to the mount carry.
func (l *Lane) Thread() uint32 { return l.thread }

// Ask asks the helper to repeat a change, and does not wait for that. Its error
// is ErrDead, or that nothing was asked.
func (l *Lane) Ask(r Request) error {
	if !r.sendable() {
		return unix.ENAMETOOLONG
	}
	return l.send(r)
}

// AskTouches asks for Touch of as many paths as a message holds, in their order, and
// returns how many that are. The answer is for all of them.
func (l *Lane) AskTouches(paths []string) (asked int, err error) {
	size := 0
	for ; asked < len(paths) && size+len(paths[asked])+1 < maxMessage-3; asked++ {
		size += len(paths[asked]) + 1
	}
	if asked == 0 {
		return 0, unix.ENAMETOOLONG
	}
	return asked, l.send(Request{Op: touchAll, Path: strings.Join(paths[:asked], pathSeparator)})
}

func (l *Lane) send(r Request) error {
	l.buf = r.append(l.buf[:0])
	if _, err := l.socket.Write(l.buf); err != nil {
		return ErrDead
	}
	return nil
}

// Answer waits for the answer to what was asked: the errno of a change, 0 for none,
// or how many were touched; a path that is gone is no error. Its error is ErrDead,
// also when nothing was asked.
func (l *Lane) Answer() (uint32, error) {
	n, err := l.receive()
	if err != nil {
		return 0, ErrDead
	}
	return n, nil
}

func (l *Lane) receive() (uint32, error) {
	var b [4]byte
	n, err := l.socket.Read(b[:])
	if err == nil && n != len(b) {
		err = errMalformed
	}
	return binary.LittleEndian.Uint32(b[:]), err
}

// limited keeps the first words that are written to it, as one line.
type limited struct {
	mu sync.Mutex
	b  []byte
}

func (l *limited) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, b[:min(len(b), 1000-len(l.b))]...)
	return len(b), nil
}

func (l *limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, _, _ := strings.Cut(strings.TrimSpace(string(l.b)), "\n")
	return first
}
