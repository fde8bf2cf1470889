package transfer

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

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
