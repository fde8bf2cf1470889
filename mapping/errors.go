package mapping

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal an Error is. The set is closed: package fs
// gives each kind one errno, and the commands give it one exit code.
type Kind uint8

const (
	// Other is what no other kind describes; EIO.
	Other Kind = iota
	// NotFound: there is nothing at the path; ENOENT.
	NotFound
	// Exists: there is something at the path already; EEXIST.
	Exists
	// NotDirectory: a component of the path is a leaf; ENOTDIR.
	NotDirectory
	// IsDirectory: the path is a directory and a leaf was asked for; EISDIR.
	IsDirectory
	// NotEmpty: the directory has entries; ENOTEMPTY.
	NotEmpty
	// Invalid: the content does not fit the type, the format or the schema, or the name cannot be stored; EINVAL.
	Invalid
	// NameTooLong: the name is longer than 255 bytes and not one that is shown; ENAMETOOLONG.
	NameTooLong
	// Busy: the middle of an array, or a change by someone else that a retry cannot settle; EBUSY.
	Busy
	// Stale: the field was changed by someone else after this handle read it; ESTALE.
	Stale
	// CrossDevice: a directory cannot move between keys and a document; EXDEV.
	CrossDevice
	// NotPermitted: the rules of the tree forbid it; EPERM.
	NotPermitted
	// NotSupported: this filesystem has no such thing; ENOTSUP.
	NotSupported
	// ReadOnly: the mount is read-only, or etcd is out of reach; EROFS.
	ReadOnly
	// Denied: etcd's authorization refused; EACCES.
	Denied
	// TooLarge: the value exceeds the server's request limit; EFBIG.
	TooLarge
	// MoveTooLarge: a rename exceeds the server's request limit; EMSGSIZE.
	MoveTooLarge
	// NoSpace: etcd's space quota is used up; ENOSPC.
	NoSpace
	// TimedOut: the request was sent and its outcome could not be learned; ETIMEDOUT.
	TimedOut
	// Canceled: the caller gave up before anything was sent; EINTR.
	Canceled
	// Locked: someone else has a lock that excludes the one asked for; EAGAIN.
	Locked
	// NoLocks: the locks of the cluster cannot be asked for now; ENOLCK.
	NoLocks
	// LockLost: a lock that the writer relies on ended with its lease; EIO.
	LockLost
)

var kindNames = [...]string{
	"error", "not found", "exists", "not a directory", "is a directory", "not empty", "invalid",
	"name too long", "busy", "stale", "crosses a boundary", "not permitted", "not supported", "read-only",
	"denied", "too large", "move too large", "no space", "timed out", "canceled",
	"locked", "no locks", "lock lost",
}

func (k Kind) String() string { return kindNames[k] }

// Error is a refusal in words. All layers speak it, so that one table can turn
// it into an errno and one line can be shown to a person.
type Error struct {
	Kind Kind
	// Path is the shown path under the mountpoint, or the etcd key where there is no path; may be empty.
	Path string
	// Reason is one line: what, why and, where it helps, what to do. It never holds a secret's value.
	Reason string
	// Err is the cause, for logs; may be nil.
	Err error
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an *Error; the arguments are those of fmt.Sprintf, and a %w
// operand becomes Err.
func Errorf(kind Kind, path, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Path: path, Reason: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf returns the kind of the first *Error in err's chain, Other without one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Other
}
