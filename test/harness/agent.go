package harness

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
)

// Agent is an `ovscfgfs agent`.
type Agent struct {
	process *process
}

// StartAgent starts cmd, an `ovscfgfs agent`.
func StartAgent(cmd *exec.Cmd) (*Agent, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	p, err := start(cmd)
	if err != nil {
		return nil, err
	}
	return &Agent{p}, nil
}

// Kill ends the agent without warning.
func (a *Agent) Kill() { _ = a.process.signal(syscall.SIGKILL) }

// Stop sends SIGTERM and waits for a clean end.
func (a *Agent) Stop() error {
	err := a.process.signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the agent ended badly: %w\n%s", err, a.Log())
	}
	return err
}

// Log returns the end of what the agent has written.
func (a *Agent) Log() string { return a.process.output.String() }
