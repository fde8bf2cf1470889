package harness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Daemon is an ovscfgfs that serves a mount in the foreground.
type Daemon struct {
	process *process
}

// Mount starts cmd, an `ovscfgfs mount`, and returns when it has mounted. The
// error of one that fails holds what it printed; it has ended by then.
func Mount(cmd *exec.Cmd) (*Daemon, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	// The word that --daemon waits for.
	cmd.ExtraFiles = []*os.File{writer}
	cmd.Env = append(cmd.Environ(), "OVSCFGFS_READY_FD=3")
	// A test process that dies takes its mounts along.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	p, err := start(cmd)
	_ = writer.Close()
	if err != nil {
		return nil, err
	}
	report, err := io.ReadAll(reader)
	code, words, _ := strings.Cut(string(report), "\n")
	if err == nil && code == "0" {
		return &Daemon{process: p}, nil
	}
	<-p.ended
	return nil, &MountError{Code: p.cmd.ProcessState.ExitCode(), Words: words, Output: p.output.String()}
}

// MountError is a mount that did not come up.
type MountError struct {
	// Code is the exit code, -1 for a signal.
	Code int
	// Words are what a waiting command would print, without the program's name.
	Words string
	// Output is what the program wrote itself.
	Output string
}

func (e *MountError) Error() string {
	return fmt.Sprintf("exit code %d: %s\n%s", e.Code, e.Words, e.Output)
}

// PID is the daemon's process id.
func (d *Daemon) PID() int { return d.process.cmd.Process.Pid }

// Log returns the end of what the daemon has written.
func (d *Daemon) Log() string { return d.process.output.String() }

// Stop sends SIGTERM and waits. Any other end than a clean one is an error: 66
// is the race detector's exit code.
func (d *Daemon) Stop() error { return d.result(d.process.signal(syscall.SIGTERM)) }

// Kill ends the daemon without warning, which leaves a stale mount.
func (d *Daemon) Kill() { _ = d.process.signal(syscall.SIGKILL) }

// Wait returns when the daemon has ended by itself, as it does when somebody unmounts.
func (d *Daemon) Wait() error { return d.result(d.process.signal(syscall.Signal(0))) }

func (d *Daemon) result(err error) error {
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 66 {
		return fmt.Errorf("the race detector found a race:\n%s", d.Log())
	}
	return fmt.Errorf("the daemon ended badly: %w\n%s", err, d.Log())
}
