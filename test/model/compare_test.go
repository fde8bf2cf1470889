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

// around compares what is at path, all in it, and the listings on the way there.
func (v *view) around(path string) error {
	p := v.t.at(v.mount, path)
	if !p.exists() {
		if err := v.absent(path); err != nil {
			return err
		}
	}
	var on []string
	for dir := path; dir != ""; {
		dir, _ = splitPath(dir)
		on = append(on, dir)
	}
	for _, dir := range slices.Backward(on) {
		if p := v.t.at(v.mount, dir); p.isDir() {
			if _, err := v.list(p); err != nil {
				return err
			}
		}
	}
	if !p.exists() || path == "" {
		return nil
	}
	return v.entry(p)
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
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("%s reads %.200q, want %.200q (%s)", path, got, want, p.v.is)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != int64(len(want)) {
		return fmt.Errorf("%s is %v of %d bytes, and reads %d", path, info.Mode(), info.Size(), len(want))
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
		if text, err := os.ReadFile(path + ".json"); err != nil {
			return err
		} else if got := parse(string(text)); !got.equal(all) {
			return fmt.Errorf("%s.json reads %q, want %s", path, text, all.write())
		}
	}
	if lines := all.lines(); p.kind == stored && all.is == "array" && lines != nil {
		if text, err := os.ReadFile(path + ".lines"); err != nil {
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
