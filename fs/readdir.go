package fs

import (
	"cmp"
	"slices"
	"sync"
	"syscall"

	"github.com/cespare/xxhash/v2"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// OpenDir implements fuse.RawFileSystem. ENOSYS: the kernel opens directories
// by itself from now on, and keeps listings.
func (s *server) OpenDir(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status {
	return fuse.ENOSYS
}

// listed is one entry of a listing.
type listed struct {
	cookie uint64
	name   string
	node   mapping.Node // zero for what is not of the tree
	local  local
	mode   uint32
}

// listing is what a directory shows, in the order of its cookies. A cookie
// comes from the name, so that who goes on reading in a newer listing misses
// nothing that is in both and meets nothing twice.
type listing struct {
	id         uint64
	node       mapping.Node
	generation uint64
	entries    []listed
}

// Cookies of the entries that each directory has, and where others begin. Array
// elements come in descending order, so that removing them as they are listed
// removes from the end. The value of a key that is a directory too comes first:
// once the last key below it is removed, the rest is no directory any more. Names with a
// suffix come before the others: once those have gone, theirs has none any more.
const (
	cookieSelf   = 1
	cookieParent = 2
	cookieValue  = 3
	cookieFirst  = 4 // and some more (Units.First)
	cookieArray  = 1 << 40
	cookieSuffix = 1 << 60
	cookieName   = 1 << 61
	// cookieEnd is that of the last entry: who has read a listing to its end is through, and gets
	// nothing of a newer one, in which what was renamed meanwhile has another name.
	cookieEnd = 1 << 62
)

// cookieOf is the cookie of a name. The lowest bits are free, for names of one hash.
func cookieOf(name string) uint64 { return cookieName | xxhash.Sum64String(name)>>4<<1 }

// cookieSuffixed is that of a name with a suffix. Doubled fields are numbered from the first,
// so that the last of them comes first.
func cookieSuffixed(name string, duplicate uint32) uint64 {
	const most = 1<<20 - 1
	return cookieSuffix | uint64(most-min(duplicate, most))<<40 | xxhash.Sum64String(name)>>25<<1
}

// cookieIn is the cookie of a node in its directory.
func cookieIn(n mapping.Node) uint64 {
	name := n.Name()
	if index := n.Index(); index >= 0 {
		return uint64(cookieArray - index)
	} else if name == valueName {
		return cookieValue
	} else if duplicate, ok := n.Suffixed(); ok {
		return cookieSuffixed(name, duplicate)
	}
	return cookieOf(name)
}

// ReadDir implements fuse.RawFileSystem.
func (s *server) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.readDir(cancel, in, out, func(dir *inode, _ *mapping.Tree, e *listed, d fuse.DirEntry) bool {
		d.Ino = s.table.number(dir, e.name)
		return out.AddDirEntry(d)
	}, out.AddDirEntry)
}

// ReadDirPlus implements fuse.RawFileSystem.
func (s *server) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.readDir(cancel, in, out, func(dir *inode, t *mapping.Tree, e *listed, d fuse.DirEntry) bool {
		d.Ino = s.table.number(dir, e.name)
		o := out.AddDirLookupEntry(d)
		if o == nil {
			return false
		}
		switch {
		case e.local != nil:
			s.answerLocal(dir, e.name, e.local, o)
		case e.node.Valid():
			s.answerEntry(dir, e.name, e.node, t, o)
		}
		return true
	}, func(d fuse.DirEntry) bool {
		// No NodeId: the kernel takes the name and nothing else.
		return out.AddDirLookupEntry(d) != nil
	})
}

func (s *server) readDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList,
	add func(*inode, *mapping.Tree, *listed, fuse.DirEntry) bool, addDots func(fuse.DirEntry) bool) fuse.Status {
	dir := s.table.get(in.NodeId)
	if dir == nil || dir.dir == nil {
		return fuse.Status(errnos[mapping.Stale])
	}
	var t *mapping.Tree
	var moves uint64
	var entries []listed
	if st := s.afterChange(dir, cancel, func() (st fuse.Status) {
		t, moves = s.tree(dir), s.table.moves.Load()
		entries, st = s.list(dir, t)
		return st
	}); !st.Ok() {
		return st
	}
	if in.Offset < cookieSelf && !addDots(fuse.DirEntry{Name: ".", Ino: dir.ino.Load(), Mode: fuse.S_IFDIR, Off: cookieSelf}) {
		return fuse.OK
	}
	if in.Offset < cookieParent && !addDots(fuse.DirEntry{Name: "..", Ino: s.parentIno(dir), Mode: fuse.S_IFDIR, Off: cookieParent}) {
		return fuse.OK
	}
	from, _ := slices.BinarySearchFunc(entries, in.Offset, func(e listed, after uint64) int {
		if e.cookie > after {
			return 1
		}
		return -1
	})
	if from == len(entries) {
		s.noteListed(dir, entries)
	}
	for k := from; k < len(entries); k++ {
		e := &entries[k]
		off := e.cookie
		if k == len(entries)-1 {
			off = cookieEnd
		}
		if !add(dir, t, e, fuse.DirEntry{Name: e.name, Mode: e.mode, Off: off}) {
			break
		}
	}
	if s.tree(dir) != t || s.table.moves.Load() != moves {
		s.notices.relist(dir)
	}
	return fuse.OK
}

func (s *server) parentIno(i *inode) uint64 {
	if p := s.table.parentOf(i); p != nil {
		return p.ino.Load()
	}
	return i.ino.Load()
}

// list returns the entries of a directory.
func (s *server) list(dir *inode, t *mapping.Tree) ([]listed, fuse.Status) {
	k, _ := s.table.what(dir)
	if k == kindControl {
		return s.control.list(dir), fuse.OK
	}
	n, ok := s.node(dir, t)
	if !ok && k == kindEntry || ok && !n.IsDir() {
		return nil, fuse.ENOENT
	}
	generation := s.overlay.generation()
	if l := s.listings.get(dir.id, n, generation); l != nil {
		return l, fuse.OK
	}
	entries := s.makeListing(dir, n)
	s.listings.put(listing{dir.id, n, generation, entries})
	return entries, fuse.OK
}

func (s *server) makeListing(dir *inode, n mapping.Node) []listed {
	var over map[string]local
	if !s.overlay.empty() {
		if path, ok := s.table.path(dir); ok {
			over = s.overlay.list(path)
		}
	}
	entries := make([]listed, 0, n.Len()+len(over))
	for c := range n.Children() {
		name := c.Name()
		if l, ok := over[name]; ok {
			if l == nil {
				continue // hidden
			}
			delete(over, name)
		}
		entries = append(entries, listed{cookie: cookieIn(c), name: name, node: c, mode: s.modeOf(c)})
		if s.opt.ListViews && c.IsDir() {
			for _, view := range viewsOf(n, c) {
				entries = append(entries, listed{cookie: cookieOf(view), name: view, mode: fuse.S_IFREG})
			}
		}
	}
	for name, l := range over {
		if l != nil {
			entries = append(entries, listed{cookie: cookieOf(name), name: name, local: l, mode: modeOf(l.isDir())})
		}
	}
	if path, ok := s.table.path(dir); ok {
		firsts(entries, s.opt.Units.First(path))
	}
	slices.SortFunc(entries, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.cookie, b.cookie), cmp.Compare(a.name, b.name))
	})
	for k := 1; k < len(entries); k++ {
		if entries[k].cookie <= entries[k-1].cookie {
			entries[k].cookie = entries[k-1].cookie + 1
		}
	}
	return entries
}

// valueName is the leaf of a key that is a directory too.
const valueName = ".value"

func (s *server) modeOf(n mapping.Node) uint32 {
	if s.isLink(n) {
		return syscall.S_IFLNK
	}
	return modeOf(n.IsDir())
}

func modeOf(dir bool) uint32 {
	if dir {
		return fuse.S_IFDIR
	}
	return fuse.S_IFREG
}

// listings keeps the listings that are being read, so that a long directory is
// sorted once and not for each request. Safe for concurrent use.
type listings struct {
	mu   sync.Mutex
	kept [8]listing
	next int
}

func (l *listings) get(id uint64, n mapping.Node, generation uint64) []listed {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.kept {
		if x := &l.kept[k]; x.id == id && x.node == n && x.generation == generation {
			return x.entries
		}
	}
	return nil
}

func (l *listings) put(x listing) {
	if len(x.entries) < 64 {
		return // as cheap to make again
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[l.next] = x
	l.next = (l.next + 1) % len(l.kept)
}
