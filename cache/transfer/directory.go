package transfer

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

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
