package fs

import (
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/openvstorage/ovscfgfs/fs/scratch"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// layer is what this mount has beside and instead of the tree: scratch files
// and local directories, files that were created and are not in etcd yet, and
// names whose removal is held back. It is the server's overlay.
type layer struct {
	names *scratch.Names
	files *scratch.Store
	gen   atomic.Uint64

	// mu guards the maps and the paths in their values. It is taken after a
	// work's lock and before the table's.
	mu      sync.RWMutex
	known   map[string]*scratchEntry // those that an inode may stand for
	pending map[string]*work
	held    map[string]*held
	holds   uint64 // so many were held so far
	attrs   map[string]*attrs
	works   map[*inode][]*work // open for writing
	// promoted are open files that were scratch ones and are of the tree now.
	promoted map[*scratchEntry]bool

	hasAttrs atomic.Bool // attrs was ever used
}

var _ overlay = (*layer)(nil)

func newLayer(names *scratch.Names, files *scratch.Store) *layer {
	return &layer{
		names:    names,
		files:    files,
		known:    map[string]*scratchEntry{},
		pending:  map[string]*work{},
		held:     map[string]*held{},
		attrs:    map[string]*attrs{},
		works:    map[*inode][]*work{},
		promoted: map[*scratchEntry]bool{},
	}
}

func (l *layer) empty() bool {
	if !l.files.Empty() {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.pending) == 0 && len(l.held) == 0
}

func (l *layer) find(dir, name string) (local, bool) { return l.at(path.Join(dir, name)) }

// at returns what there is at a path. A file that was just created hides what
// the tree may have got there meanwhile: it is about to be written there.
func (l *layer) at(p string) (local, bool) {
	if l == nil {
		return nil, false // a read-only mount
	}
	l.mu.RLock()
	w, h := l.pending[p], l.held[p]
	l.mu.RUnlock()
	if w != nil {
		return w, true
	}
	if h != nil {
		return nil, true // nor a local directory that the leaf had hidden
	}
	if e := l.scratch(p); e != nil {
		return e, false
	}
	return nil, false
}

// scratch returns the scratch file or local directory at a path, or nil.
func (l *layer) scratch(p string) *scratchEntry {
	if l.files.Empty() {
		return nil
	}
	st, err := l.files.Lstat(p)
	if err != nil {
		return nil
	}
	return l.remember(p, st.Mode)
}

// remember returns the one entry that stands for the scratch file at p.
func (l *layer) remember(p string, mode uint32) *scratchEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.known[p]
	if typ := mode & syscall.S_IFMT; e == nil || e.typ != typ {
		e = &scratchEntry{layer: l, path: p, typ: typ}
		l.known[p] = e
	}
	return e
}

func (l *layer) list(dir string) map[string]local {
	out := map[string]local{}
	for _, f := range l.files.List(dir) {
		out[f.Name] = l.remember(path.Join(dir, f.Name), f.Mode)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for p := range l.held {
		if d, name := splitPath(p); d == dir {
			out[name] = nil
		}
	}
	for p, w := range l.pending {
		if d, name := splitPath(p); d == dir {
			out[name] = w
		}
	}
	return out
}

func (l *layer) generation() uint64 { return l.gen.Load() }

func (l *layer) changed() { l.gen.Add(1) }

// isScratch reports whether a new file at p is scratch: the first part of its
// path that the tree does not have decides, or one below it.
func (l *layer) isScratch(t *mapping.Tree, p string) bool {
	if _, ok := t.Lookup(p); ok {
		return false
	}
	for rest := p; rest != ""; {
		dir, name := splitPath(rest)
		if l.names.Match(name) {
			if _, ok := t.Lookup(rest); !ok {
				return true
			}
			return false
		}
		rest = dir
	}
	return false
}

// addPending shows a file that is not in the tree yet.
func (l *layer) addPending(w *work) {
	l.mu.Lock()
	l.pending[w.path] = w
	l.mu.Unlock()
	l.changed()
}

// unopened returns the files that wait for nobody to close them.
func (l *layer) unopened() []*work {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var list []*work
	for _, w := range l.pending {
		if w.timer != nil {
			w.timer.Stop()
			list = append(list, w)
		}
	}
	return list
}

// dropPending stops showing it.
func (l *layer) dropPending(w *work) {
	l.mu.Lock()
	if l.pending[w.path] == w {
		delete(l.pending, w.path)
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	l.mu.Unlock()
	l.changed()
}

func (l *layer) forgetScratch(p string) {
	l.mu.Lock()
	if e := l.known[p]; e != nil {
		e.gone = true
		delete(l.known, p)
	}
	l.mu.Unlock()
	l.changed()
}

// below lists the paths of m in dir at any depth.
func below[T any](l *layer, m map[string]T, dir string) []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var list []string
	for p := range m {
		if isBelow(p, dir) && p != dir {
			list = append(list, p)
		}
	}
	return list
}

// isBelow reports whether p is dir or lies in it.
func isBelow(p, dir string) bool {
	return dir == "" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}

// splitPath splits the last name off a shown path.
func splitPath(p string) (dir, name string) {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return "", p
}

// addWork registers w as open for writing on i.
func (l *layer) addWork(i *inode, w *work) {
	l.mu.Lock()
	l.works[i] = append(l.works[i], w)
	l.mu.Unlock()
}

func (l *layer) removeWork(i *inode, w *work) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.works[i]
	for k, x := range list {
		if x == w {
			list = append(list[:k:k], list[k+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(l.works, i)
	} else {
		l.works[i] = list
	}
}

// worksOf returns what is open for writing on i.
func (l *layer) worksOf(i *inode) []*work {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return append([]*work(nil), l.works[i]...)
}
