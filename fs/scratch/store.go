package scratch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Store is the scratch files of one mount. It is safe for concurrent use; two
// stores must not share a directory.
type Store struct {
	files string // the mirror: files/a/b/.x is what is shown as a/b/.x
	limit int64  // bytes, 0 for none
	used  atomic.Int64
	empty atomic.Bool

	// mu guards the structure: what is created, removed and renamed, made and index.
	mu    sync.RWMutex
	made  directories
	index index
}

// Open opens the store under dir, making it if needed. limit bounds the bytes
// of all files together; 0 means no bound.
func Open(dir string, limit int64) (*Store, error) {
	s := &Store{files: filepath.Join(dir, "files"), limit: limit, index: index{}}
	s.empty.Store(true)
	if err := os.MkdirAll(s.files, 0o700); err != nil {
		return nil, err
	}
	made, err := loadDirectories(filepath.Join(dir, "directories.json"))
	if err != nil {
		return nil, err
	}
	s.made = made
	for p := range made.paths {
		s.added(p)
	}
	err = filepath.WalkDir(s.files, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(s.files, p)
		if err != nil {
			return err
		}
		s.added(filepath.ToSlash(name))
		if info, err := d.Info(); err == nil {
			s.used.Add(info.Size())
		}
		return nil
	})
	return s, err
}

// Empty reports whether the store holds nothing at all.
func (s *Store) Empty() bool { return s.empty.Load() }

// Used returns how many bytes the files hold.
func (s *Store) Used() int64 { return s.used.Load() }

func (s *Store) host(p string) string { return filepath.Join(s.files, filepath.FromSlash(p)) }

// Lstat returns the attributes of the entry at p; ENOENT when it has none.
func (s *Store) Lstat(p string) (syscall.Stat_t, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lstat(p)
}

func (s *Store) lstat(p string) (syscall.Stat_t, error) {
	var st syscall.Stat_t
	if s.index[path.Dir(p)] == 0 {
		return st, syscall.ENOENT
	}
	if err := syscall.Lstat(s.host(p), &st); err != nil {
		if err == syscall.ENOTDIR {
			err = syscall.ENOENT
		}
		return st, err
	}
	if st.Mode&syscall.S_IFMT == syscall.S_IFDIR && !s.made.has(p) {
		return st, syscall.ENOENT // only the mirror of a directory of the tree
	}
	return st, nil
}

// Entry is one line of a listing.
type Entry struct {
	Name string
	Mode uint32 // as st_mode
}

// List returns the entries in the directory dir, in no order.
func (s *Store) List(dir string) []Entry {
	if s.Empty() {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.index[path.Clean(dir)] == 0 {
		return nil
	}
	list, err := os.ReadDir(s.host(dir))
	if err != nil {
		return nil
	}
	out := make([]Entry, 0, len(list))
	for _, d := range list {
		if st, err := s.lstat(path.Join(dir, d.Name())); err == nil {
			out = append(out, Entry{d.Name(), st.Mode})
		}
	}
	return out
}

// Create opens a new file at p and fails with EEXIST when there is an entry.
// mode is its permission bits. The owner is uid and gid.
func (s *Store) Create(p string, mode, uid, gid uint32) (*File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mirror(path.Dir(p)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.host(p), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := s.own(p, mode, uid, gid); err != nil {
		f.Close()
		os.Remove(s.host(p))
		return nil, err
	}
	s.added(p)
	return &File{f: f, s: s}, nil
}

// OpenFile opens the file at p for reading, and for writing if write is set.
func (s *Store) OpenFile(p string, write bool) (*File, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	flags := os.O_RDONLY
	if write {
		flags = os.O_RDWR
	}
	f, err := os.OpenFile(s.host(p), flags|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	return &File{f: f, s: s}, nil
}

// Mkdir makes a directory at p, which may be the mirror of one that the tree
// has shown or will show.
func (s *Store) Mkdir(p string, mode, uid, gid uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made.has(p) {
		return syscall.EEXIST
	}
	if err := s.mirror(p); err != nil {
		return err
	}
	if err := s.own(p, mode, uid, gid); err != nil {
		return err
	}
	s.added(p)
	return s.made.add(p)
}

// HasDirectories reports whether any directory was made here.
func (s *Store) HasDirectories() bool {
	if s.Empty() {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.made.paths) > 0
}

// Made reports whether the directory p was made here.
func (s *Store) Made(p string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.made.has(p)
}

// Settle forgets that p is a directory of this store, because the tree shows
// it now; the entries in it stay.
func (s *Store) Settle(p string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made.has(p) {
		// What is kept on disk is a hint for the next start, which settles again.
		_ = s.made.remove(p)
		s.removed(p)
	}
}

// Symlink makes a symbolic link at p.
func (s *Store) Symlink(target, p string, uid, gid uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mirror(path.Dir(p)); err != nil {
		return err
	}
	if err := os.Symlink(target, s.host(p)); err != nil {
		return err
	}
	s.added(p)
	return ignorePermission(os.Lchown(s.host(p), int(uid), int(gid)))
}

// Readlink returns the target of the link at p.
func (s *Store) Readlink(p string) (string, error) { return os.Readlink(s.host(p)) }

// mirror makes the host directories for the shown directory dir.
func (s *Store) mirror(dir string) error {
	if err := os.MkdirAll(s.host(dir), 0o700); err != nil {
		if errors.Is(err, syscall.EEXIST) {
			return syscall.ENOTDIR
		}
		return err
	}
	return nil
}

func (s *Store) own(p string, mode, uid, gid uint32) error {
	// The owner first: a change of owner clears the set-id bits.
	if err := ignorePermission(os.Lchown(s.host(p), int(uid), int(gid))); err != nil {
		return err
	}
	return syscall.Chmod(s.host(p), mode&0o7777)
}

// ignorePermission lets a daemon that is not root keep files for others: they
// are its own on the host.
func ignorePermission(err error) error {
	if errors.Is(err, syscall.EPERM) {
		return nil
	}
	return err
}

// below reports whether p is dir or lies in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
