package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// predecessor is how an agent knows, on its own machine, that the one before it
// is dead with all its handlers: a file that is locked as long as any of them
// has it open, and that names the lease of its election. An agent that was
// killed is thus followed at once, and not when the lease has run out.
type predecessor struct {
	path string
	file *os.File // locked by this process, nil if another one has it
}

// predecessorIn returns the predecessor whose file is in a directory; with an empty one
// there is none.
func predecessorIn(dir, name string) (*predecessor, error) {
	if dir == "" {
		return &predecessor{}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, mapping.Errorf(mapping.Other, "", "the state directory cannot be made: %w (give another with --state-dir)", err)
	}
	return &predecessor{path: filepath.Join(dir, fileName(name)+".lease")}, nil
}

// dead returns the lease of a predecessor that is dead, 0 if there is none.
func (p *predecessor) dead() clientv3.LeaseID {
	if p.path == "" || p.file != nil {
		return 0
	}
	file, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close() // it lives
		return 0
	}
	p.file = file
	var lease clientv3.LeaseID
	if _, err := fmt.Fscanf(file, "%x", &lease); err != nil {
		return 0
	}
	return lease
}

// holds names the lease of this process.
func (p *predecessor) holds(lease clientv3.LeaseID) {
	if p.file == nil {
		return
	}
	// Cut short, it names no lease or one that is not there: then one waits.
	if err := errors.Join(p.file.Truncate(0), second(p.file.WriteAt(fmt.Appendf(nil, "%x\n", lease), 0))); err != nil {
		_ = p.file.Truncate(0)
	}
}

func second(_ int, err error) error { return err }

// files are what handlers have to hold open.
func (p *predecessor) files() []*os.File {
	if p.file == nil {
		return nil
	}
	return []*os.File{p.file}
}

func (p *predecessor) close() {
	if p.file != nil {
		_ = p.file.Close()
	}
}
