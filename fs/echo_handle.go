package fs

import "syscall"

// echoHandle is what the helper opens and closes.
type echoHandle struct{}

func (echoHandle) read(<-chan struct{}, []byte, int64) ([]byte, error) { return nil, syscall.EBADF }

func (echoHandle) size() (int64, bool) { return 0, false }
