package scratch

import (
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// File is an open scratch file. It stays usable after its name was removed or
// given to another. It is safe for concurrent use.
type File struct {
	f *os.File
	s *Store

	// mu makes growing and the count of bytes one step.
	mu sync.Mutex
}

// ReadAt reads at off; at the end of the file it returns what there is, without io.EOF.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(b, off)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// WriteAt writes at off, or at the end if add is set. ENOSPC when that
// would take the store over its limit.
func (f *File) WriteAt(b []byte, off int64, add bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if add {
		off = st.Size
	}
	grow := off + int64(len(b)) - st.Size
	if err := f.grow(&st, grow); err != nil {
		return 0, err
	}
	return f.f.WriteAt(b, off)
}

// Truncate sets the size.
func (f *File) Truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if grow := size - st.Size; grow > 0 {
		if err := f.grow(&st, grow); err != nil {
			return err
		}
	} else if st.Nlink > 0 {
		f.s.used.Add(grow)
	}
	return f.f.Truncate(size)
}

// grow accounts for n more bytes of a file that still has a name.
func (f *File) grow(st *syscall.Stat_t, n int64) error {
	if n <= 0 {
		return nil
	}
	if f.s.limit > 0 && f.s.used.Load()+n > f.s.limit {
		return syscall.ENOSPC
	}
	if st.Nlink > 0 {
		f.s.used.Add(n)
	}
	return nil
}

// Stat returns the attributes. Unlike Fd, it may be called while another closes
// the file: the error is os.ErrClosed then.
func (f *File) Stat() (st syscall.Stat_t, err error) {
	info, err := f.f.Stat()
	if err != nil {
		return st, err
	}
	return *info.Sys().(*syscall.Stat_t), nil
}

// Sync writes the file to the host's disk.
func (f *File) Sync() error { return f.f.Sync() }

// Fd returns the host's descriptor, valid until Close.
func (f *File) Fd() int { return int(f.f.Fd()) }

// Close closes the descriptor.
func (f *File) Close() error { return f.f.Close() }

// Allocate is fallocate(2); holes cannot be made.
func (f *File) Allocate(mode uint32, off, n int64) error {
	if mode&^unix.FALLOC_FL_KEEP_SIZE != 0 {
		return unix.EOPNOTSUPP
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if mode == 0 {
		if err := f.grow(&st, off+n-st.Size); err != nil {
			return err
		}
	}
	return unix.Fallocate(f.Fd(), mode, off, n)
}
