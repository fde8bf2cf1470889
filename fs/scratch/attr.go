package scratch

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Truncate sets the size of the file at p.
func (s *Store) Truncate(p string, size int64) error {
	f, err := s.OpenFile(p, true)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(size)
}

// Chmod sets the permission bits.
func (s *Store) Chmod(p string, mode uint32) error { return unix.Chmod(s.host(p), mode&0o7777) }

// Chown sets the owner; -1 leaves one as it is.
func (s *Store) Chown(p string, uid, gid int) error {
	return ignorePermission(os.Lchown(s.host(p), uid, gid))
}

// Utimens sets the times; a nil one stays.
func (s *Store) Utimens(p string, atime, mtime *time.Time) error {
	ts := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, t := range []*time.Time{atime, mtime} {
		if t != nil {
			ts[i] = unix.NsecToTimespec(t.UnixNano())
		}
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, s.host(p), ts[:], unix.AT_SYMLINK_NOFOLLOW)
}

// Getxattr reads an extended attribute, as getxattr(2) does.
func (s *Store) Getxattr(p, name string, dest []byte) (int, error) {
	return unix.Lgetxattr(s.host(p), name, dest)
}

// Setxattr sets an extended attribute, as setxattr(2) does.
func (s *Store) Setxattr(p, name string, value []byte, flags int) error {
	return unix.Lsetxattr(s.host(p), name, value, flags)
}

// Listxattr lists the extended attributes, as listxattr(2) does.
func (s *Store) Listxattr(p string, dest []byte) (int, error) {
	return unix.Llistxattr(s.host(p), dest)
}

// Removexattr removes an extended attribute.
func (s *Store) Removexattr(p, name string) error { return unix.Lremovexattr(s.host(p), name) }
