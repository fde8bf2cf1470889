package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// The exit codes are part of the command line's contract (docs/commands.md):
// scripts and units tell failures apart by them. Never give one a new meaning.
const (
	exitOK         = 0
	exitFailure    = 1 // what no other code describes
	exitUsage      = 2 // flags, arguments, options
	exitEtcd       = 3 // etcd cannot be reached or used
	exitMountpoint = 4 // the mountpoint cannot be mounted on, or is no ovscfgfs mount
	exitBusy       = 5 // the mount is in use
	exitFuse       = 6 // this machine or user cannot mount FUSE file systems
	exitInput      = 7 // a file that was given cannot be read or holds what it must not
	exitEmbedded   = 8 // the embedded etcd does not start

	// Of get, set, ls and edit.
	exitAbsent  = 9  // there is nothing at the address
	exitRefused = 10 // the value cannot be there: its type, its form, a rule of the catalogue

	// Of edit, import, and txn, which else passes on the code of its command.
	exitConflict      = 75  // others changed the same: nothing was committed (EX_TEMPFAIL, sysexits.h)
	exitNotExecutable = 126 // the command cannot be run, as of a shell
	exitNoCommand     = 127 // there is no such command
)

// failure is an error with the exit code that it ends the program with.
type failure struct {
	code int
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

func failf(code int, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &failure{code: code, text: err.Error(), err: errors.Unwrap(err)}
}

// verdict returns the exit code and the words of an error.
func verdict(err error) (code int, text string) {
	var f *failure
	if errors.As(err, &f) {
		return f.code, f.text
	}
	switch mapping.KindOf(err) {
	case mapping.Busy:
		return exitBusy, err.Error()
	case mapping.TimedOut, mapping.Denied, mapping.ReadOnly, mapping.NoSpace:
		return exitEtcd, err.Error()
	}
	return exitFailure, err.Error()
}

// oneLine keeps the promise that a failure is one line, whatever a library said.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
