package fs

import (
	"context"
	"log/slog"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Store is the tree behind a mount. Its methods are safe for concurrent use.
type Store interface {
	// Tree returns the newest tree, at the cost of an atomic load. It has been
	// switched before Published is called with it.
	Tree() *mapping.Tree
	// Commit makes one change. When it returns nil, Tree shows it. Its errors are
	// *mapping.Error.
	Commit(context.Context, mapping.Edit) error
	// Barrier asks for the newest revision of the store, waits until Tree shows it,
	// and returns it.
	Barrier(context.Context) (int64, error)
	// At returns the tree of a revision of the past. Its errors are *mapping.Error,
	// NotFound for a revision that the store has no more or not yet.
	At(ctx context.Context, revision int64) (*mapping.Tree, error)
	// Writable returns why a commit could not succeed now, or nil.
	Writable() error
	// Usage returns the store's size and its limit in bytes, without waiting.
	Usage() (size, quota int64)
}

// Options say what is mounted, where and how.
type Options struct {
	// Store is required.
	Store Store
	// Mountpoint is an existing directory; required.
	Mountpoint string
	// Logger takes warnings and errors; slog.Default() if nil. Values of leaves are never logged.
	Logger *slog.Logger
	// ReadOnly mounts read-only. Such a mount opens files without asking the daemon.
	ReadOnly bool
	// UID and GID own everything.
	UID, GID uint32
	// FileMode and DirMode are the permission bits; 0 means 0644 and 0755. Secrets get no bits but the owner's.
	FileMode, DirMode uint32
	// AllowOther lets other users than the one who mounts in.
	AllowOther bool
	// Scratch are more name patterns of scratch files (path.Match).
	Scratch []string
	// StateDir keeps the scratch files; without it there are none after a restart.
	StateDir string
	// ScratchLimit bounds the scratch files' bytes; 0 means 64 MiB.
	ScratchLimit int64
	// RequestLimit bounds the bytes of one value; 0 means etcd's 1.5 MiB.
	RequestLimit int
	// HoldRemovals is how long a leaf that was moved to a scratch name is kept in
	// the store for the file of its name that an editor writes next; 0 means 2 s.
	HoldRemovals time.Duration
	// ListViews lists the views of each directory.
	ListViews bool
	// Status returns what .ovscfgfs/status shows, a value for encoding/json; may be nil.
	Status func() any
	// Config is what .ovscfgfs/config shows, a value for encoding/json; may be nil.
	Config any
	// Class returns what the attribute user.ovscfgfs.reconfigurable of a path in the tree shows, "" for
	// none. It is called from any number of goroutines; may be nil.
	Class func(path string) string
	// References are the leaves that refer to others.
	References References
	// Units are directories that are made and removed as one; may be nil.
	Units Units
	// Locks keeps flock(2) and fcntl(2) locks on the tree for all mounts of the Store. Without it, and on
	// a read-only mount, whose kernel does not tell when a file is closed, locks hold among the processes of this machine.
	Locks Locker
	// EchoCommand is the program, with its first arguments, that calls echo.Help
	// with the arguments that follow: it raises inotify events for changes made
	// elsewhere. Without it there are none.
	EchoCommand []string
	// FSName is the device name in the mount table; "ovscfgfs" if empty.
	FSName string
	// MountOptions are more options for the kernel, as in fstab.
	MountOptions []string
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.FileMode == 0 {
		o.FileMode = 0o644
	}
	if o.DirMode == 0 {
		o.DirMode = 0o755
	}
	if o.ScratchLimit == 0 {
		o.ScratchLimit = 64 << 20
	}
	if o.HoldRemovals == 0 {
		o.HoldRemovals = 2 * time.Second
	}
	if o.RequestLimit == 0 {
		o.RequestLimit = 3 << 19
	}
	if o.Units == nil {
		o.Units = noUnits{}
	}
	if o.FSName == "" {
		o.FSName = "ovscfgfs"
	}
}
