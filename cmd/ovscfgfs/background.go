package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// readyVariable tells a daemon the descriptor on which it reports, once: a
// line with its exit code, 0 for mounted, then the words of the failure.
const readyVariable = "OVSCFGFS_READY_FD"

// background starts this command again in a session of its own and waits until
// that has mounted or failed. args are the command line without --daemon's effect:
// the variable tells the child what it is.
func background(ctx context.Context, args []string, log *os.File) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return failf(exitFailure, "no pipe to the daemon: %w", err)
	}
	defer func() { _ = reader.Close() }()
	daemon := exec.Command("/proc/self/exe", args[1:]...)
	daemon.Args[0] = args[0]
	daemon.Env = append(os.Environ(), readyVariable+"=3")
	daemon.Stderr = os.Stderr
	if log != nil {
		daemon.Stderr = log
	}
	daemon.ExtraFiles = []*os.File{writer}
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = daemon.Start()
	_ = writer.Close()
	if err != nil {
		return failf(exitFailure, "the daemon does not start: %w", err)
	}
	// Who interrupts the wait does not want the mount.
	stop := context.AfterFunc(ctx, func() { _ = daemon.Process.Signal(syscall.SIGTERM) })
	report, err := io.ReadAll(reader)
	stop()
	if err != nil {
		return failf(exitFailure, "no word from the daemon: %w", err)
	}
	first, words, _ := strings.Cut(string(report), "\n")
	code, err := strconv.Atoi(first)
	switch {
	case err != nil:
		return failf(exitFailure, "the daemon ended before it had mounted (%s)", ended(daemon.Wait()))
	case code != exitOK:
		_ = daemon.Wait()
		return &failure{code: code, text: words, err: errors.New(words)}
	}
	return daemon.Process.Release()
}

func ended(err error) string {
	if err == nil {
		return "without a failure"
	}
	return err.Error()
}

// readiness is how a daemon tells whoever waits for it. Its methods do nothing
// when nobody does.
type readiness struct {
	pipe *os.File
}

// newReadiness takes the variable out of the environment, so that no process
// that the daemon starts believes it is meant.
func newReadiness() readiness {
	text := os.Getenv(readyVariable)
	if text == "" {
		return readiness{}
	}
	_ = os.Unsetenv(readyVariable)
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return readiness{}
	}
	unix.CloseOnExec(fd)
	return readiness{pipe: os.NewFile(uintptr(fd), "ready")}
}

func (r readiness) waitedFor() bool { return r.pipe != nil }

// mounted reports success to the waiting command and to systemd.
func (r readiness) mounted() {
	r.report(exitOK, "")
	notifySystemd("READY=1")
}

// failed reports a failure; true when someone waits, who then prints it.
func (r readiness) failed(err error) bool {
	code, words := verdict(err)
	r.report(code, words)
	return r.pipe != nil
}

func (r readiness) report(code int, words string) {
	if r.pipe != nil {
		_, _ = fmt.Fprintf(r.pipe, "%d\n%s", code, words)
		_ = r.pipe.Close()
	}
}
