package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// mostOutput is how much of the output is kept; what is more is for the caller to refuse.
	mostOutput = 2 << 20
	// mostErrors is how much of standard error is kept: its end says what went wrong.
	mostErrors = 8 << 10
	// killAfter is how long a program may take to end when it is asked to.
	killAfter = 5 * time.Second
)

// Program is an executable file.
type Program struct {
	// Path of the executable.
	Path string
	// Logger gets what the program writes to standard error.
	Logger *slog.Logger
}

// ExitError is a program that ended with another code than 0.
type ExitError struct {
	Code  int
	Words string // the last line of its standard error
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("the handler exited with %d", e.Code)
	if e.Words != "" {
		text += ": " + e.Words
	}
	return text
}

// ExitCode is the code.
func (e *ExitError) ExitCode() int { return e.Code }

// Run runs the program with the input on standard input and the environment
// added to this process', without etcd's password; the files are open in it,
// from descriptor 3 on. It returns when the program
// and all that it has started in its process group have ended. When ctx ends
// first they get SIGTERM, and SIGKILL 5 seconds later; the error is the cause
// of that. Another error is an *ExitError, or says how it ended or why it could
// not be run.
func (p *Program) Run(ctx context.Context, environment []string, input []byte, files []*os.File) ([]byte, error) {
	cmd := exec.Command(p.Path)
	cmd.Env = append(clean(os.Environ()), environment...)
	cmd.ExtraFiles = files
	cmd.Stdin = bytes.NewReader(input)
	output, errorOutput := &kept{most: mostOutput}, &kept{most: mostErrors, end: true}
	cmd.Stdout, cmd.Stderr = output, errorOutput
	// A group of its own, to end it whole; it does not outlive a killed agent.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// What it leaves behind may hold its output open.
	cmd.WaitDelay = time.Second
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the handler cannot be run: %w", err)
	}
	group := -cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = syscall.Kill(group, syscall.SIGTERM)
		late := time.NewTimer(killAfter)
		defer late.Stop()
		select {
		case <-ended:
		case <-late.C:
			_ = syscall.Kill(group, syscall.SIGKILL)
			<-ended
		}
		err = context.Cause(ctx)
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // what it left behind
	p.log(errorOutput)
	return output.bytes(), p.explain(err, errorOutput)
}

func (p *Program) explain(err error, errorOutput *kept) error {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well, and what it left behind was ended
	case !errors.As(err, &exit):
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Errorf("the handler was ended by the signal %v", status.Signal())
	}
	lines := strings.Split(strings.TrimSpace(string(errorOutput.bytes())), "\n")
	return &ExitError{exit.ExitCode(), strings.ToValidUTF8(lines[len(lines)-1], "?")}
}

func (p *Program) log(errorOutput *kept) {
	if p.Logger == nil {
		return
	}
	for line := range strings.Lines(string(errorOutput.bytes())) {
		p.Logger.Info("handler: " + strings.TrimRight(line, "\n"))
	}
}

// clean is an environment without what only this program may know.
func clean(environment []string) []string {
	var kept []string
	for _, v := range environment {
		if !strings.HasPrefix(v, "OVSCFGFS_PASSWORD=") && !strings.HasPrefix(v, "NOTIFY_SOCKET=") {
			kept = append(kept, v)
		}
	}
	return kept
}
