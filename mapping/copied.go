package mapping

import (
	"bytes"

	"github.com/tidwall/gjson"
)

// Copied is an entry that a copy has brought and the tree does not have yet.
type Copied struct {
	Type    Type // Object or Array of a directory
	Content []byte
	// Maybe: it may be there for another reason than the copy.
	Maybe bool
}

// RestoreText plans the directory of keys, or document, at path, to be the
// document of this text, if that is what it holds together with the copied
// entries: by their paths in it, with the same names, types and contents. Else it changes nothing.
//
// Errors: Invalid, NotPermitted (the root), NotDirectory.
func RestoreText(path string, text []byte, copied map[string]Copied, known Segments) Edit {
	return func(t *Tree) (Plan, error) {
		n, exists := t.Lookup(path)
		switch {
		case path == "":
			return Plan{}, Errorf(NotPermitted, path, "the root of the mount cannot become a document")
		case exists && !n.IsDir():
			return Plan{}, Errorf(NotDirectory, path, "is a file")
		case len(n.spot()) > 0 || isMixed(n) && n.Type() != Directory:
			return Plan{}, nil
		case !gjson.ValidBytes(text) || !isContainer(text, skipSpace(text, 0)):
			return Plan{}, Errorf(Invalid, path, "the text is not a JSON object or array%s", whereInvalid(text))
		case depthOver(text, maxDepth):
			return Plan{}, tooDeep(path)
		}
		d := newDraft(t)
		if exists {
			if _, own := t.Get(n.Key()); own && n.Type() == Directory {
				return Plan{}, nil // it has a value beside its keys
			}
			d.deleteUnder(n.Key())
			d.put(n.Key(), text)
		} else {
			key, err := t.keyOf(path, known)
			if err != nil {
				return Plan{}, err
			}
			d.put(key, text)
		}
		plan := d.finish()
		now, _ := t.With(&plan, n.Seen())
		want, ok := now.Lookup(path)
		if !ok || !want.IsDir() {
			return Plan{}, nil // marked raw
		}
		c := comparison{copied: copied}
		for _, x := range copied {
			if !x.Maybe {
				c.missing++
			}
		}
		if !c.same("", want, n) || c.missing != 0 {
			return Plan{}, nil
		}
		return plan, nil
	}
}

// comparison is of a document with a directory and what was copied beside it.
type comparison struct {
	copied  map[string]Copied
	missing int // of those that are not there for another reason
}

// same reports whether want holds what have and what was copied into it do.
func (c *comparison) same(at string, want, have Node) bool {
	beside := 0
	for child := range want.Children() {
		path := joinPath(at, child.Name())
		if x, ok := c.copied[path]; ok {
			if !x.Maybe {
				c.missing--
			}
			beside++
			if x.Type != child.Type() || child.IsDir() && !c.same(path, child, Node{}) || !child.IsDir() && !bytes.Equal(x.Content, child.Content()) {
				return false
			}
			continue
		}
		other, ok := have.Lookup(child.Name())
		if !ok || other.IsDir() != child.IsDir() {
			return false
		}
		if !child.IsDir() && !other.Same(child) ||
			child.IsDir() && (other.Type() != child.Type() && other.Type() != Directory || !c.same(path, child, other)) {
			return false
		}
	}
	return want.Len() == have.Len()+beside
}
