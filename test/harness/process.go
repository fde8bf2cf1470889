package harness

import (
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait; a loaded machine is slow, a hang is for ever.
const patience = 2 * time.Minute

// process is a started program whose end is always noticed.
type process struct {
	cmd    *exec.Cmd
	output *output
	ended  chan struct{}
	err    error // valid once ended is closed
}

func start(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, output: &output{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	// What outlives a killed program and holds its output must not hold us.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// signal sends s and waits for the end, whose exit status it returns as an
// error. A program that does not end is killed.
func (p *process) signal(s syscall.Signal) error {
	_ = p.cmd.Process.Signal(s)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // for the goroutines' stacks
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		return fmt.Errorf("it did not end within %v of %v:\n%s", patience, s, p.output)
	}
}

// output keeps the end of what a program writes.
type output struct {
	mu   sync.Mutex
	data []byte
}

const outputKept = 256 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, p...)
	if excess := len(o.data) - outputKept; excess > 0 {
		o.data = append(o.data[:0], o.data[excess:]...)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}
