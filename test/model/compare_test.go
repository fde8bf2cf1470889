package model

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// view is a tree as a mount has to show it below root: the mount itself, a
// private copy of a transaction, or the past.
type view struct {
	t     *tree
	mount int
	root  string
	// more says of which entries the type and the views are looked at too.
	more func() bool
}

func (v *view) at(path string) string { return filepath.Join(v.root, path) }

// whole compares everything.
func (v *view) whole() error { return v.dir(v.t.at(v.mount, "")) }

// changed compares what differs between two states of a mount, what is at the
// paths touched, and the listings that these are in.
func (v *view) changed(was, now []*place, touched []string) error {
	look := map[string]*place{} // nil: nothing is there
	for _, path := range touched {
		look[path] = nil
	}
	for _, p := range was {
		look[p.path] = nil
	}
	old := make(map[string]*place, len(was))
	for _, p := range was {
		old[p.path] = p
	}
	for _, p := range now {
		if before := old[p.path]; before != nil && before.same(p) && !slices.Contains(touched, p.path) {
			delete(look, p.path)
		} else {
			look[p.path] = p
		}
	}
	listings := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(look)) {
		p := look[path]
		switch {
		case path == "":
			listings[""] = true
		case p == nil:
			if err := v.absent(path); err != nil {
				return err
			}
		case p.isDir():
			listings[path] = true
		default:
			if err := v.leaf(p); err != nil {
				return err
			}
		}
		if p != nil && p.kind != localOnly && v.more() {
			if err := v.meta(p); err != nil {
				return err
			}
		}
		dir, _ := splitPath(path)
		listings[dir] = true
	}
	for _, path := range slices.Sorted(maps.Keys(listings)) {
		if p := v.t.at(v.mount, path); p.isDir() {
			if _, err := v.list(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// same reports whether a place has to look the same as another one of its path.
func (p *place) same(q *place) bool {
	if p.kind != q.kind || p.isDir() != q.isDir() {
		return false
	}
	return p.isDir() || p.v.is == q.v.is && p.v.text == q.v.text
}

// absent looks for what must not be there.
func (v *view) absent(path string) error {
	info, err := os.Lstat(v.at(path))
	if err == nil {
		return fmt.Errorf("%s is there (%v), and should not be", v.at(path), info.Mode())
	}
	if !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	return nil
}

func (v *view) entry(p *place) (err error) {
	if p.isDir() {
		err = v.dir(p)
	} else {
		err = v.leaf(p)
	}
	if err == nil && p.kind != localOnly && v.more() {
		err = v.meta(p)
	}
	return err
}

func (v *view) dir(p *place) error {
	children, err := v.list(p)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := v.entry(child); err != nil {
			return err
		}
	}
	return nil
}

// list compares the names in a directory, and returns what is in it.
func (v *view) list(p *place) (children []*place, err error) {
	at := v.at(p.path)
	entries, err := os.ReadDir(at)
	if err != nil {
		return nil, err
	}
	listed := map[string]fs.DirEntry{}
	for _, e := range entries {
		if listed[e.Name()] != nil {
			return nil, fmt.Errorf("%s lists %q twice", at, e.Name())
		}
		listed[e.Name()] = e
	}
	names := v.t.names(p)
	for path, sure := range v.t.local[v.mount] {
		if dir, name := splitPath(path); sure && dir == p.path && v.t.at(v.mount, path).kind == localOnly {
			names = append(names, name)
		}
	}
	for _, name := range names {
		child := v.t.in(v.mount, p, name)
		switch e := listed[name]; {
		case e == nil:
			return nil, fmt.Errorf("%s does not list %q", at, name)
		case e.IsDir() != child.isDir():
			return nil, fmt.Errorf("%s lists %q as %v, want directory %v", at, name, e.Type(), child.isDir())
		}
		delete(listed, name)
		children = append(children, child)
	}
	for name, e := range listed {
		if _, local := v.t.local[v.mount][join(p.path, name)]; local && e.IsDir() && v.t.inDocument(v.mount, p.path) {
			continue // caught, see freeCaught
		}
		return nil, fmt.Errorf("%s lists %q (%v), which should not be", at, name, e.Type())
	}
	return children, nil
}

func (v *view) leaf(p *place) error {
	path, want := v.at(p.path), p.v.content()
	// Before the read, as the kernel has it: after one it asks for the time of the
	// last access, and so for the size too.
	var stat syscall.Stat_t
	err := syscall.Lstat(path, &stat)
	if err != nil {
		return &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	got, err := readFile(path)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("%s reads %.200q, want %.200q (%s)", path, got, want, p.v.is)
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG || stat.Size != int64(len(want)) {
		return fmt.Errorf("%s is %#o of %d bytes, and reads %d", path, stat.Mode, stat.Size, len(want))
	}
	return nil
}

// meta looks at the type of an entry, and at a directory's views.
func (v *view) meta(p *place) error {
	path := v.at(p.path)
	if p.kind == stored {
		is := make([]byte, 64)
		n, err := retry(func() (int, error) { return syscall.Getxattr(path, "user.type", is) })
		if err != nil {
			return fmt.Errorf("%s: user.type: %w", path, err)
		}
		if string(is[:n]) != p.v.is {
			return fmt.Errorf("%s has the type %q, want %q", path, is[:n], p.v.is)
		}
	}
	if !p.isDir() || v.t.mixed(p) {
		return nil
	}
	all := v.t.asValue(p)
	if validText(all) {
		if text, err := readFile(path + ".json"); err != nil {
			return err
		} else if got := parse(string(text)); !got.equal(all) {
			return fmt.Errorf("%s.json reads %q, want %s", path, text, all.write())
		}
	}
	if lines := all.lines(); p.kind == stored && all.is == "array" && lines != nil {
		if text, err := readFile(path + ".lines"); err != nil {
			return err
		} else if want := strings.Join(lines, "\n") + "\n"; string(text) != want {
			return fmt.Errorf("%s.lines reads %q, want %q", path, text, want)
		}
	}
	return nil
}

// learn finds out whether local directories are there whose name something
// else had meanwhile.
func (v *view) learn() error {
	local := v.t.local[v.mount]
	for _, path := range slices.Sorted(maps.Keys(local)) {
		p := v.t.at(v.mount, path)
		if local[path] || p.kind != absent {
			continue
		}
		info, err := os.Lstat(v.at(path))
		switch {
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EINVAL):
			delete(local, path) // what is in it may be back with it
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is %v, and was a directory", v.at(path), info.Mode())
		default:
			local[path] = true
		}
	}
	return nil
}
