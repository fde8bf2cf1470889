package echo

import (
	"encoding/binary"
	"errors"
)

// Op is what the helper does in the mount.
type Op uint8

const (
	// Touch sets the time of the last change: watchers get MODIFY.
	Touch Op = iota + 1
	// TouchClose is Touch, then opens for writing and closes: OPEN, CLOSE_WRITE too.
	TouchClose
	// Create makes a file: CREATE.
	Create
	// CreateClose opens a new file and closes it: CREATE, OPEN, CLOSE_WRITE.
	CreateClose
	// Mkdir makes a directory.
	Mkdir
	// Unlink removes a file.
	Unlink
	// Rmdir removes a directory.
	Rmdir
	// Rename renames to Request.To.
	Rename
	// Link makes a symbolic link.
	Link
	// Exchange exchanges with Request.To.
	Exchange
	// touchAll is Touch of several paths, which are separated in Request.Path. It
	// is answered with the number of those that were touched.
	touchAll
)

// pathSeparator is what no path can hold.
const pathSeparator = "\x00"

// Request is one change to be repeated. Paths are relative to the mount's root.
type Request struct {
	Op       Op
	Path, To string
}

var errMalformed = errors.New("malformed message")

// maxMessage bounds an encoded request: two paths of the kernel's PATH_MAX.
const maxMessage = 3 + 2*4096

// append encodes r: the operation, the length of Path, both paths.
func (r Request) append(b []byte) []byte {
	b = append(b, byte(r.Op))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(r.Path)))
	return append(append(b, r.Path...), r.To...)
}

// sendable reports whether the kernel takes these paths.
func (r Request) sendable() bool { return len(r.Path) < 4096 && len(r.To) < 4096 }

// parseRequest is the inverse of append.
func parseRequest(b []byte) (Request, error) {
	if len(b) < 3 {
		return Request{}, errMalformed
	}
	op, n, rest := Op(b[0]), int(binary.LittleEndian.Uint16(b[1:])), b[3:]
	if op < Touch || op > touchAll || n > len(rest) {
		return Request{}, errMalformed
	}
	return Request{Op: op, Path: string(rest[:n]), To: string(rest[n:])}, nil
}
