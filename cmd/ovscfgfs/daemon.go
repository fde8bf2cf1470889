package main

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openvstorage/ovscfgfs/fs"
)

// servedMount is what the daemon needs of package fs once it has mounted.
type servedMount interface {
	// Unmount fails with kind Busy, and the names of those who use it, when the mount is in use.
	Unmount() error
	// Left is closed when Unmount finds the mount detached by someone else.
	Left() <-chan struct{}
	// Wait returns when the mount is gone, whoever unmounted it.
	Wait()
}

// daemon is one mount and all that it runs on. It is used by one goroutine.
type daemon struct {
	config  mountConfig
	logger  *slog.Logger
	ready   readiness
	signals <-chan os.Signal
	// answer bounds every request to etcd.
	answer time.Duration

	mounted servedMount
	served  atomic.Pointer[fs.Mounted] // the same, for requests
	stops   []func()
}

func (d *daemon) onStop(end func()) { d.stops = append(d.stops, end) }

func (d *daemon) stop() {
	for i := len(d.stops) - 1; i >= 0; i-- {
		d.stops[i]()
	}
}

// run starts the mount, serves it until it is unmounted, and ends all parts.
func (d *daemon) run(ctx context.Context) error {
	defer d.stop()
	if err := d.startUnlessSignalled(ctx); err != nil {
		return err
	}
	// A daemon must not keep the directory of whoever started it in use.
	if err := os.Chdir("/"); err != nil {
		d.logger.Warn("cannot leave the working directory", "error", err)
	}
	d.logger.Info("mounted", "mountpoint", d.config.mountpoint, "prefix", d.config.settings.Prefix, "read_only", d.config.readOnly)
	d.ready.mounted()
	return d.serve()
}

// startUnlessSignalled gives the start up when a signal comes in the middle.
func (d *daemon) startUnlessSignalled(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case s := <-d.signals:
			cancel(failf(exitFailure, "ended by a signal (%v) before it had mounted", s))
		case <-done:
		}
	})
	err := d.start(ctx)
	close(done)
	waiting.Wait()
	cause := context.Cause(ctx)
	cancel(nil)
	if cause == nil {
		return err
	}
	// The signal came, perhaps a moment after the mount had come up.
	if err == nil {
		if err := d.mounted.Unmount(); err != nil {
			return d.detach(err)
		}
	}
	return cause
}

// serve waits for the end: an unmount by anyone, or signals.
func (d *daemon) serve() error {
	ended := make(chan struct{})
	go func() {
		d.mounted.Wait()
		close(ended)
	}()
	// Unmount waits for those who use a mount that someone has detached, so it is
	// not waited for here: a second signal is heard meanwhile, and ends that. A
	// mount that is just ending is let end (timeout(1) sends its signal twice).
	unmounted := make(chan error, 1)
	var left <-chan struct{}
	trying, refused := false, false
	for {
		select {
		case <-ended:
			d.logger.Info("unmounted", "mountpoint", d.config.mountpoint)
			return nil
		case s := <-d.signals:
			if trying {
				left = d.mounted.Left()
				continue
			}
			d.logger.Info("unmounting", "mountpoint", d.config.mountpoint, "signal", s.String())
			notifySystemd("STOPPING=1")
			trying = true
			go func() { unmounted <- d.mounted.Unmount() }()
		case <-left:
			return failf(exitBusy, "%s was detached and is still in use: its users lose it now", d.config.mountpoint)
		case err := <-unmounted:
			left = nil
			switch {
			case err == nil:
				continue // and ended is closed
			case refused:
				return d.detach(err)
			}
			d.logger.Error("not unmounted; the next signal tries again, and detaches it from those who use it", "error", err)
			trying, refused = false, true
		}
	}
}

// detach takes a mount in use from those who use it. They hold the connection,
// which ends with this process.
func (d *daemon) detach(cause error) error {
	if err := unmountPath(d.config.mountpoint, true); err != nil {
		return failf(exitFailure, "%s cannot be detached: %w", d.config.mountpoint, err)
	}
	return failf(exitBusy, "detached all the same: %w", cause)
}
