package transfer

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// ExportDirectory writes a tree as a mount shows it into a directory that is made, or empty: it is there whole or not at
// all. Types, and what makes the copy exact, are in extended attributes as on the mount; exact is false when
// the file system of the directory keeps none, or not one that long. Secrets are their owner's only, and so is the directory.
//
// Errors: those of the operating system.
func ExportDirectory(name string, tree *mapping.Tree) (files int, exact bool, err error) {
	name = filepath.Clean(name)
	if list, err := os.ReadDir(name); err == nil && len(list) > 0 {
		return 0, false, mapping.Errorf(mapping.NotEmpty, name, "is not empty: give a new directory")
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, false, err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return 0, false, err
	}
	w := directoryWriter{exact: true}
	if err = w.children(temporary, "", tree.Root()); err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		_ = os.RemoveAll(temporary)
	}
	return w.files, w.exact, err
}

type directoryWriter struct {
	files int
	exact bool
}

func (w *directoryWriter) children(dir, path string, n mapping.Node) error {
	for child := range n.Children() {
		file, at := filepath.Join(dir, child.Name()), join(path, child.Name())
		if child.IsDir() {
			if err := os.Mkdir(file, 0o755); err != nil {
				return err
			}
			if err := w.children(file, at, child); err != nil {
				return err
			}
		} else {
			mode := os.FileMode(0o644)
			if mapping.SecretAt(at, child) {
				mode = 0o600
			}
			if err := os.WriteFile(file, child.Content(), mode); err != nil {
				return err
			}
			w.files++
		}
		w.attributes(file, child)
	}
	return nil
}

// attributes are those that a mount lists.
func (w *directoryWriter) attributes(file string, n mapping.Node) {
	if n.Type() == mapping.Directory {
		return
	}
	w.attribute(file, attrType, []byte(n.Type()))
	if n.Type() == mapping.Raw && n.Newline() {
		w.attribute(file, attrNewline, []byte("added"))
	}
	if text, ok := n.Text(); ok {
		w.attribute(file, attrText, text)
	}
}

func (w *directoryWriter) attribute(file, name string, value []byte) {
	if unix.Lsetxattr(file, name, value, 0) != nil {
		w.exact = false
	}
}
