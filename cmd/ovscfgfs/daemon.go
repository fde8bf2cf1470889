package main

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// servedMount is what the daemon needs of package fs once it has mounted.
type servedMount interface {
	// Unmount fails with kind Busy, and the names of those who use it, when the mount is in use.
	Unmount() error
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
		stopLog(d.logger, "mount", d.unmount(true))
	}
	return cause
}

// serve waits for the end: an unmount by anyone, or a signal.
func (d *daemon) serve() error {
	ended := make(chan struct{})
	go func() {
		d.mounted.Wait()
		close(ended)
	}()
	refused := false
	for {
		select {
		case <-ended:
			d.logger.Info("unmounted", "mountpoint", d.config.mountpoint)
			return nil
		case s := <-d.signals:
			notifySystemd("STOPPING=1")
			err := d.unmount(refused)
			switch {
			case err == nil && refused:
				// Those who use it hold the connection; it ends with this process.
				return failf(exitBusy, "%s was in use and was detached at the second signal", d.config.mountpoint)
			case err == nil:
				<-ended
				d.logger.Info("unmounted", "mountpoint", d.config.mountpoint, "signal", s.String())
				return nil
			}
			d.logger.Error("not unmounted; the next signal detaches it from those who use it", "error", err)
			refused = true
		}
	}
}

// unmount ends the mount; with force it is taken from those who use it, if any do.
func (d *daemon) unmount(force bool) error {
	err := d.mounted.Unmount()
	if err == nil || !force || mapping.KindOf(err) != mapping.Busy {
		return err
	}
	return unmountPath(d.config.mountpoint, true)
}
