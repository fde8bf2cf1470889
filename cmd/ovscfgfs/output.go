package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// exportFile writes a file whole or not at all.
func exportFile(name string, write func(io.Writer) error) error {
	// What a link leads to is replaced, not the link; a device or a pipe is written to.
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return exportStream(name, write)
	}
	// Values may be secrets: the file is its owner's until that one says otherwise.
	file, err := renameio.NewPendingFile(name, renameio.WithPermissions(0o600), renameio.WithExistingPermissions())
	if err != nil {
		var pathError *os.PathError
		if errors.As(err, &pathError) {
			pathError.Path = name // not that of the temporary file beside it
		}
		return failf(exitInput, "--output cannot be written: %w", err)
	}
	defer func() { _ = file.Cleanup() }()
	if err := write(file); err != nil {
		return outputError(err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return failf(exitInput, "--output cannot be written: %w", err)
	}
	return nil
}

// exportStream writes to what is no regular file, and must not be replaced by one.
func exportStream(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return failf(exitInput, "--output cannot be written: %w", err)
	}
	err = write(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return outputError(err)
}

// outputError gives what the file did not take the words and the code of --output.
func outputError(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return failf(exitInput, "--output cannot be written: %w", pathError)
	}
	return err
}
