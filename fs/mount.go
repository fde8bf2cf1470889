package fs

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Mounted is a tree that is mounted. Its methods are safe for concurrent use.
type Mounted struct {
	s      *server
	fuse   *fuse.Server
	point  string
	direct bool
	ended  chan struct{}
	left   chan struct{}
	once   sync.Mutex
}

// newMount prepares what start begins to serve.
func newMount(o Options) (*Mounted, error) {
	point, err := filepath.Abs(o.Mountpoint)
	if err != nil {
		return nil, mapping.Errorf(mapping.Other, o.Mountpoint, "the working directory is unknown: %w", err)
	}
	o.Mountpoint = point
	m := &Mounted{s: newServer(o), point: point, ended: make(chan struct{}), left: make(chan struct{})}
	if err := m.s.openLayer(); err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if err := m.s.transactions.clear(); err != nil {
			m.s.log.Warn("what an older daemon's transactions have left stays", "error", err)
		}
	}
	return m, nil
}

// Mount mounts what o says and returns when the kernel serves it. Its errors
// are *mapping.Error: NotFound without the mountpoint or /dev/fuse,
// NotDirectory, Stale when a mount without a daemon is there, Denied without
// the privilege.
//
// The process that mounts must not open anything in the mount: a SIGKILL at that
// moment would leave a thread that waits for an answer of its own process, and
// with it the mount. (Go's os.File needs more: see forcePoll in the tests.)
func Mount(o Options) (*Mounted, error) {
	m, err := newMount(o)
	if err != nil {
		return nil, err
	}
	if err := m.start(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Mounted) start() error {
	options := m.mountOptions()
	server, direct, err := m.attach(options)
	if err != nil {
		m.s.closeLayer()
		return mountError(m.point, err)
	}
	m.fuse, m.direct = server, direct
	m.s.notices.start(server)
	go func() {
		server.Serve()
		m.s.closeLayer()
		m.s.echoes.close()
		m.s.notices.close()
		m.s.history.close()
		m.s.transactions.close()
		close(m.ended)
	}()
	m.startEchoes()
	return nil
}

// mountOptions is what the kernel and go-fuse are told.
func (m *Mounted) mountOptions() *fuse.MountOptions {
	o := &m.s.opt
	return &fuse.MountOptions{
		Name:       "ovscfgfs",
		FsName:     o.FSName,
		AllowOther: o.AllowOther,
		Options:    append([]string{"default_permissions"}, o.MountOptions...),
		// Pages are dropped by notices and when a size changes, never because of a time.
		DisabledCapabilities: fuse.CAP_AUTO_INVAL_DATA,
		ExtraCapabilities:    fuse.CAP_ATOMIC_O_TRUNC | fuse.CAP_DIRECT_IO_ALLOW_MMAP,
		// The text of a reference is relative, and changes with its place.
		EnableSymlinkCaching: o.References.Link == nil,
		EnableLocks:          m.s.locks.on,
		MaxBackground:        64,
		Logger:               slog.NewLogLogger(m.s.log.Handler(), slog.LevelWarn),
		// An etcd value fits into few requests, and the buffers that wait for them
		// stay small beside the tree.
		MaxWrite: 256 << 10,
	}
}

// Published is to be told of each change of what is stored, from old to now, in
// order: Shown for the kernel, and Stored for those who read of changes. keys are
// those whose value came, went or changed. It does not block.
func (m *Mounted) Published(old, now *mapping.Tree, keys []string) { m.s.published(old, now, keys) }

// Shown is the part of Published about what is shown (Store.Tree), where that is
// not always what is stored.
func (m *Mounted) Shown(old, now *mapping.Tree, keys []string) { m.s.publishShown(old, now, keys) }

// Stored is the part of Published about what is stored.
func (m *Mounted) Stored(old, now *mapping.Tree, keys []string) { m.s.publishStored(old, now, keys) }

func (s *server) published(old, now *mapping.Tree, keys []string) {
	s.publishShown(old, now, keys)
	s.publishStored(old, now, keys)
}

func (s *server) publishShown(old, now *mapping.Tree, keys []string) {
	if len(keys) > 0 {
		s.notices.publish(old, now, keys)
	}
}

func (s *server) publishStored(old, now *mapping.Tree, keys []string) {
	if len(keys) > 0 {
		s.times.saw(now.Revision(), time.Now())
		s.streams.publish(change{old, now, keys})
	}
}

// Wait returns when the mount has ended, whoever ended it.
func (m *Mounted) Wait() { <-m.ended }

// Left is closed when Unmount finds that someone else has unmounted or detached
// the mount: then Unmount may wait for those who still use it.
func (m *Mounted) Left() <-chan struct{} { return m.left }

// Unmount ends the mount and waits for that. If someone uses it the error is a
// *mapping.Error of kind Busy that names who.
func (m *Mounted) Unmount() error {
	m.once.Lock()
	defer m.once.Unlock()
	select {
	case <-m.ended:
		return nil
	default:
	}
	err := m.detach()
	switch {
	case err == nil:
	case errors.Is(err, unix.EBUSY):
		return BusyError(m.point)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
		// It is not mounted any more: someone else was faster.
		close(m.left)
	default:
		return mapping.Errorf(mapping.Other, m.point, "cannot unmount: %w; try: fusermount3 -u %s", err, m.point)
	}
	m.s.echoes.close()
	<-m.ended
	return nil
}

// mountError says why a mount did not come about.
func mountError(point string, err error) error {
	var e *mapping.Error
	if errors.As(err, &e) {
		return e
	}
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		return mapping.Errorf(mapping.NotFound, "/dev/fuse", "there is no /dev/fuse: load the kernel module (modprobe fuse), or give the container the device: %w", err)
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return mapping.Errorf(mapping.Denied, point, "no privilege to mount: run as root, or install fusermount3 (package fuse3): %w", err)
	case errors.Is(err, syscall.EBUSY):
		return mapping.Errorf(mapping.Busy, point, "the mountpoint is in use")
	}
	return mapping.Errorf(mapping.Other, point, "cannot mount: %w", err)
}
