package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// run runs the command, in a directory of the transaction if it is there, and
// returns its exit code as a shell would. interrupted: a signal meant to end
// it, whatever it made of that.
func (t *transaction) run(command []string, inside string) (code int, interrupted bool, err error) {
	dir := t.dir()
	if info, err := os.Stat(filepath.Join(dir, inside)); err == nil && info.IsDir() {
		dir = filepath.Join(dir, inside)
	}
	signals := make(chan os.Signal, 8)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as by nohup
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)

	program, err := exec.LookPath(command[0])
	switch {
	case errors.Is(err, os.ErrPermission):
		return exitNotExecutable, false, failf(exitNotExecutable, "%s cannot be run: it is not executable: chmod +x makes it so", command[0])
	case err != nil:
		return exitNoCommand, false, failf(exitNoCommand, "%s: there is no such command", command[0])
	}
	if program, err = filepath.Abs(program); err != nil {
		return exitNoCommand, false, failf(exitNoCommand, "%s: %w", command[0], err)
	}
	cmd := exec.Command(program, command[1:]...)
	cmd.Args[0] = command[0]
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), transactionVariable+"="+t.dir(), "PWD="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return exitNotExecutable, false, failf(exitNotExecutable, "%s cannot be run: %w", command[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	last := 0
	for {
		select {
		case s := <-signals:
			number := s.(syscall.Signal)
			last = int(number)
			if !fromTerminal(number) {
				_ = cmd.Process.Signal(s) // it may have ended by now
			}
		case err := <-ended:
			code, err := exitCode(cmd, err)
			if last != 0 && code == 0 {
				code = 128 + last
			}
			return code, last != 0, err
		}
	}
}

// exitCode is the code of a command that has ended: 128 and the number of the
// signal that killed it, or its own.
func exitCode(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return exitFailure, failf(exitFailure, "the command's end cannot be learned: %w", err)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// fromTerminal reports whether a signal is one that the terminal has sent to
// the command too: this process is in its foreground.
func fromTerminal(s syscall.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		return false
	}
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer func() { _ = terminal.Close() }()
	foreground, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && foreground == unix.Getpgrp()
}
