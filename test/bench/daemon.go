package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopTime bounds the end of a daemon.
const stopTime = 5 * time.Minute

// A mount is one running daemon and its mountpoint.
type mount struct {
	dir  string
	took time.Duration // from starting the process until the kernel serves the tree
	cmd  *exec.Cmd
	log  string        // file of what the daemon said
	done chan struct{} // closed when the process has ended
}

// mounted runs f on a fresh mount of prefix and ends it again.
func (l *lab) mounted(ctx context.Context, prefix string, readOnly bool, f func(*mount) error) error {
	m, err := l.mount(ctx, prefix, readOnly)
	if err != nil {
		return err
	}
	err = f(m)
	if stopErr := m.stop(); err == nil {
		err = stopErr
	}
	return err
}

// mount starts a daemon on prefix and returns when the tree is there.
func (l *lab) mount(ctx context.Context, prefix string, readOnly bool) (*mount, error) {
	l.mounts++
	name := strconv.Itoa(l.mounts)
	m := &mount{dir: filepath.Join(l.dir, "mnt"+name), log: filepath.Join(l.dir, "mnt"+name+".log"), done: make(chan struct{})}
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		return nil, err
	}
	args := []string{"mount", "--endpoints", l.endpoint, "--prefix", prefix, "--state-dir", filepath.Join(l.dir, "state"+name)}
	if readOnly {
		args = append(args, "--read-only")
	}
	if l.pprof != "" {
		args = append(args, "--pprof", l.pprof)
	}
	m.cmd = exec.Command(l.daemon, append(args, m.dir)...)
	// A group of its own: an interrupt reaches this program, which then unmounts in order.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said, err := os.Create(m.log)
	if err != nil {
		return nil, err
	}
	defer said.Close()
	m.cmd.Stderr = said
	start := time.Now()
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	go func() {
		_ = m.cmd.Wait() // stop looks at the state
		close(m.done)
	}()
	err = m.await(ctx, func() bool { return magic(m.dir) == magicFuse })
	m.took = time.Since(start)
	if err == nil {
		// A signal before it says so itself would find it still starting.
		err = m.await(ctx, func() bool { return strings.Contains(m.said(), "msg=mounted") })
	}
	if err != nil {
		_ = m.stop()
		return nil, err
	}
	return m, nil
}

// await polls until the mount is so far.
func (m *mount) await(ctx context.Context, so func() bool) error {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	limit := time.NewTimer(5 * time.Minute)
	defer limit.Stop()
	for !so() {
		select {
		case <-m.done:
			return fmt.Errorf("the daemon ended (%v): %s", m.cmd.ProcessState, m.said())
		case <-limit.C:
			return fmt.Errorf("no mount on %s after 5 minutes", m.dir)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// stop has the daemon unmount and end. A daemon that does not is an error; the
// kernel may take a while to forget a million files.
func (m *mount) stop() error {
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-m.done:
	case <-time.After(stopTime):
		_ = syscall.Unmount(m.dir, syscall.MNT_DETACH)
		_ = m.cmd.Process.Kill()
		<-m.done
		return fmt.Errorf("the daemon on %s did not end within %v: %s", m.dir, stopTime, m.said())
	}
	if magic(m.dir) == magicFuse {
		_ = syscall.Unmount(m.dir, syscall.MNT_DETACH)
	}
	if !m.cmd.ProcessState.Success() {
		return fmt.Errorf("the daemon ended with %v: %s", m.cmd.ProcessState, m.said())
	}
	return os.Remove(m.dir)
}

// said is the daemon's log.
func (m *mount) said() string {
	text, err := os.ReadFile(m.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// resident is the daemon's resident memory in bytes, without the pages of
// files (RssAnon of proc(5)).
func (m *mount) resident() (int64, error) {
	const field = "RssAnon:"
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s for process %d", field, m.cmd.Process.Pid)
}
