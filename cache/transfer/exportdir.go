package transfer

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// ExportDirectory writes a tree as a mount shows it into a directory that is made, or empty: it is there whole or not at
// all. Types, and what makes the copy exact, are in extended attributes as on the mount. Secrets are their
// owner's only, and so is the directory. What an import of it would not bring back is in notes.
//
// Errors: those of the operating system.
func ExportDirectory(name string, tree *mapping.Tree) (files int, notes []string, err error) {
	name = filepath.Clean(name)
	if list, err := os.ReadDir(name); err == nil && len(list) > 0 {
		return 0, nil, mapping.Errorf(mapping.NotEmpty, name, "is not empty: give a new directory")
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, nil, err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return 0, nil, err
	}
	w := directoryWriter{tree: tree, exact: true}
	if err = w.children(temporary, "", tree.Root()); err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		_ = os.RemoveAll(temporary)
	}
	return w.files, w.notes(), err
}

type directoryWriter struct {
	tree  *mapping.Tree
	files int
	exact bool   // all attributes are kept
	mixed string // a document that has keys below it too
}

func (w *directoryWriter) notes() (notes []string) {
	if !w.exact {
		notes = append(notes, "the file system does not keep all attributes: an import takes types from the catalogue and the text, and the spelling of documents may change")
	}
	if w.mixed != "" {
		notes = append(notes, w.mixed+" is a document and has keys below it too, which an import of a directory cannot tell from fields: take the format json")
	}
	return notes
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
		if child.Type() != mapping.Directory && child.Pointer() == "" && child.IsDir() {
			for range w.tree.Under(child.Key()) {
				w.mixed = at
				break
			}
		}
	}
	return nil
}

// attributes are those that a mount lists.
func (w *directoryWriter) attributes(file string, n mapping.Node) {
	if name, ok := n.Whole(); ok {
		w.attribute(file, attrName, []byte(name))
	}
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
