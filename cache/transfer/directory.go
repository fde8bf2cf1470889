package transfer

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// The attributes that make a copy exact, as a mount has them (fs/xattr.go).
const (
	attrType    = "user.type"
	attrNewline = "user.ovscfgfs.newline"
	attrText    = "user.ovscfgfs.text"
	attrName    = "user.ovscfgfs.name"
	// maxAttr is XATTR_SIZE_MAX of linux/limits.h.
	maxAttr = 64 << 10
)

// Directory is a directory tree that was read to be imported.
type Directory struct {
	name    string
	entries []entry // each directory before what is in it
	// segments are what cut names (%~) stand for.
	segments mapping.Segments
	// Skipped are the names of what has no place in etcd.
	Skipped []string
}

// entry is a file or directory, by its shown path.
type entry struct {
	path    string
	dir     bool
	content []byte
	typ     mapping.Type
	newline bool
	text    []byte
}

// ReadDirectory reads a directory tree. What skip says of a name is left out.
//
// Errors: Invalid for what is neither file nor directory; those of the operating system.
func ReadDirectory(name string, skip func(string) bool) (*Directory, error) {
	d := &Directory{name: name}
	return d, d.read(name, "", skip)
}

func (d *Directory) read(dir, path string, skip func(string) bool) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b os.DirEntry) int { return compareNames(a.Name(), b.Name()) })
	for _, item := range list {
		file, at := filepath.Join(dir, item.Name()), join(path, item.Name())
		if skip(item.Name()) {
			d.Skipped = append(d.Skipped, file)
			continue
		}
		e := entry{path: at, dir: item.IsDir()}
		e.typ = mapping.Type(attribute(file, attrType))
		e.newline = attribute(file, attrNewline) != ""
		if name := attribute(file, attrName); name != "" {
			d.segments = d.segments.With(item.Name(), name)
		}
		if text := attribute(file, attrText); text != "" {
			e.text = []byte(text)
		}
		switch {
		case e.dir:
		case !item.Type().IsRegular():
			return mapping.Errorf(mapping.Invalid, file, "is neither a file nor a directory, so it has no place in etcd")
		default:
			if e.content, err = os.ReadFile(file); err != nil {
				return err
			}
		}
		d.entries = append(d.entries, e)
		if e.dir {
			if err := d.read(file, at, skip); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownValue is the name of the value that a directory of keys has itself.
const ownValue = ".value"

// compareNames puts the elements of arrays in their order, and a directory's own value last: by
// then there is the directory.
func compareNames(a, b string) int {
	switch {
	case a == ownValue:
		return 1
	case b == ownValue:
		return -1
	}
	m, errA := strconv.ParseUint(a, 10, 32)
	n, errB := strconv.ParseUint(b, 10, 32)
	if errA == nil && errB == nil {
		return cmp.Compare(m, n)
	}
	return strings.Compare(a, b)
}

// attribute is an extended attribute, "" if there is none.
func attribute(file, name string) string {
	buffer := make([]byte, 256)
	for {
		n, err := unix.Lgetxattr(file, name, buffer)
		if errors.Is(err, unix.ERANGE) && len(buffer) < maxAttr {
			buffer = make([]byte, maxAttr)
			continue
		}
		if err != nil {
			return ""
		}
		return string(buffer[:n])
	}
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// Edit plans what a copy of the directory into a mount (cp -a) would do, as one
// change: values that are there keep their type, documents their other fields, and what is new
// has the type of its attribute, of the catalogue, or of its text. A directory is a document if its attribute or the
// catalogue says so, or if it is one there. With prune what the directory does not have is removed.
//
// Errors: those of mapping.Write, by the name of the file; those of mapping.Merge.
func (d *Directory) Edit(prune bool) mapping.Edit {
	return func(t *mapping.Tree) (mapping.Plan, error) {
		c := copying{directory: d, tree: t, keys: map[string]bool{}}
		if err := c.entries(); err != nil {
			return mapping.Plan{}, err
		}
		if prune {
			if err := c.prune(); err != nil {
				return mapping.Plan{}, err
			}
		}
		var keys []string
		for key := range c.keys {
			keys = append(keys, key)
		}
		return mapping.Merge(t, c.tree, keys)(t)
	}
}

// copying makes the tree that a directory makes of another.
type copying struct {
	directory *Directory
	tree      *mapping.Tree
	keys      map[string]bool // that changed
	kept      map[string]bool
	whole     []string // documents that were made of their text, before the files in them were looked at
}

func (c *copying) do(path string, edit mapping.Edit) error {
	plan, err := edit(c.tree)
	if err != nil {
		var e *mapping.Error
		if errors.As(err, &e) {
			return &mapping.Error{Kind: e.Kind, Path: filepath.Join(c.directory.name, path), Reason: e.Reason, Err: err}
		}
		return err
	}
	tree, keys := c.tree.With(&plan, time.Time{})
	c.tree = tree
	for _, key := range keys {
		c.keys[key] = true
	}
	return nil
}

func (c *copying) entries() error {
	var open []*entry // directories that have a text, from the top
	closeTo := func(path string) error {
		for len(open) > 0 {
			last := open[len(open)-1]
			if strings.HasPrefix(path, last.path+"/") {
				return nil
			}
			open = open[:len(open)-1]
			if slices.Contains(c.whole, last.path) {
				if err := c.pruneIn(last.path, c.names()); err != nil {
					return err
				}
			}
			if n, ok := c.tree.Lookup(last.path); ok && n.IsDir() && n.Type() != mapping.Directory {
				if err := c.do(last.path, mapping.SetText(last.path, last.text)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i := range c.directory.entries {
		e := &c.directory.entries[i]
		if err := closeTo(e.path); err != nil {
			return err
		}
		if err := c.entry(e); err != nil {
			return err
		}
		if e.dir && e.text != nil {
			open = append(open, e)
		}
	}
	return closeTo("")
}

func (c *copying) entry(e *entry) error {
	if dir, ok := strings.CutSuffix(e.path, "/"+ownValue); ok && !e.dir {
		if _, there := c.tree.Lookup(dir); !there {
			e = &entry{path: dir, content: e.content, typ: e.typ, newline: e.newline, text: e.text}
		}
	}
	if !e.dir {
		if dir, name, ok := c.view(e.path); ok {
			return c.do(e.path, mapping.WriteView(dir, name, e.content))
		}
		return c.do(e.path, mapping.Write(e.path, e.content, mapping.WriteOptions{Type: e.typ, NoNewline: e.newline, Text: e.text, Segments: c.directory.segments}))
	}
	n, there := c.tree.Lookup(e.path)
	to := e.typ
	if known := c.tree.Settings().TypeOf; to == "" && !there && known != nil {
		to = known(e.path)
	}
	switch {
	case to != mapping.Object && to != mapping.Array:
		if there && !n.IsDir() || c.inDocument(e.path) && !there {
			return c.do(e.path, mapping.Mkdir(e.path))
		}
		return nil
	case !there:
		text := []byte("{}")
		if to == mapping.Array {
			text = []byte("[]")
		}
		if e.text != nil && c.do(e.path, mapping.WriteJSON(e.path, e.text, mapping.WriteOptions{Type: to, Segments: c.directory.segments})) == nil {
			// Also what no file of its own could make: a field that is there twice.
			c.whole = append(c.whole, e.path)
			return nil
		}
		return c.do(e.path, mapping.Write(e.path, text, mapping.WriteOptions{Type: to, Text: text, Segments: c.directory.segments}))
	case n.Type() != to && e.typ != "":
		return c.do(e.path, mapping.SetType(e.path, to))
	}
	return nil
}

// view tells a file that is a view of a directory, as a mount with --list-views lists it.
func (c *copying) view(path string) (dir string, f mapping.Format, ok bool) {
	if _, there := c.tree.Lookup(path); there {
		return "", 0, false
	}
	dir, f, ok = mapping.ViewOf(path)
	if !ok {
		return "", 0, false
	}
	n, there := c.tree.Lookup(dir)
	return dir, f, there && n.IsDir()
}

// inDocument reports whether a new entry would be a field.
func (c *copying) inDocument(path string) bool {
	dir, ok := c.tree.Lookup(path[:max(0, strings.LastIndexByte(path, '/'))])
	return ok && (dir.Type() == mapping.Object || dir.Type() == mapping.Array)
}

// prune removes what the directory does not have.
func (c *copying) prune() error {
	return c.pruneIn("", c.names())
}

// names are the paths that the directory has.
func (c *copying) names() map[string]bool {
	if c.kept == nil {
		c.kept = map[string]bool{}
		for i := range c.directory.entries {
			c.kept[c.directory.entries[i].path] = true
		}
	}
	return c.kept
}

func (c *copying) pruneIn(path string, kept map[string]bool) error {
	dir, _ := c.tree.Lookup(path)
	for child := range dir.Children() { // in an order in which each can be removed
		at := join(path, child.Name())
		var err error
		switch {
		case !kept[at]:
			err = c.removeAll(at, child)
		case child.IsDir():
			err = c.pruneIn(at, kept)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *copying) removeAll(path string, n mapping.Node) error {
	if !n.IsDir() {
		return c.do(path, mapping.Remove(path))
	}
	if err := c.pruneIn(path, nil); err != nil {
		return err
	}
	if _, still := c.tree.Lookup(path); !still {
		return nil // a directory of keys goes with the last of them
	}
	return c.do(path, mapping.RemoveDir(path))
}
