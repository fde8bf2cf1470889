package mapping

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"
)

// Format is how a view writes a directory down.
type Format uint8

// The formats. Each is asked for with a suffix to the directory's name.
const (
	// JSON (.json) is a document's stored text, and of keys one object with raw values as strings.
	JSON Format = iota + 1
	// YAML (.yaml) is the same value in YAML.
	YAML
	// Lines (.lines) is an array of scalars, one a line.
	Lines
)

// ViewOf splits the name of a view into the name of the directory it is of and
// the format.
func ViewOf(name string) (target string, f Format, ok bool) {
	for _, v := range [...]struct {
		suffix string
		format Format
	}{{".json", JSON}, {".yaml", YAML}, {".lines", Lines}} {
		if target, ok = strings.CutSuffix(name, v.suffix); ok && target != "" {
			return target, v.format, true
		}
	}
	return "", 0, false
}

// Render writes a directory down. The text ends with a newline, but the lines
// of an empty array are none.
//
// Errors: NotDirectory; NotFound when there is no such view of it: lines of
// anything but an array whose elements are scalars of one line; Invalid when
// two entries would have one name.
func Render(n Node, f Format) ([]byte, error) {
	if !n.IsDir() {
		return nil, Errorf(NotDirectory, n.Name(), "is a file, and only a directory has views")
	}
	switch f {
	case Lines:
		return renderLines(n)
	case JSON:
		if !isMixed(n) {
			text := n.Stored()
			if bytes.HasSuffix(text, []byte{'\n'}) {
				return text, nil
			}
			return append(bytes.Clone(text), '\n'), nil
		}
	}
	v, err := valueOf(n, n.Name(), false)
	if err != nil {
		return nil, err
	}
	if f == YAML {
		return writeYAML(v)
	}
	return append(v.write(nil, indentedStyle("  ")), '\n'), nil
}

// WriteView plans the directory at path to be what the text of a view says, as
// one change of the keys that differ. A document written as JSON is stored as it was given; otherwise only fields that
// differ are touched, and the rest of each document keeps its bytes.
//
// Errors: NotFound, NotDirectory, Invalid (the text is not of the format, with
// line and column, or does not fit the directory).
func WriteView(path string, f Format, content []byte) Edit {
	return writeView(path, f, content, false)
}

// WriteMeaning is WriteView of a text that was not written the way the document is
// stored: a document written as JSON, too, keeps the bytes of what means the same.
func WriteMeaning(path string, f Format, content []byte) Edit {
	return writeView(path, f, content, true)
}

func writeView(path string, f Format, content []byte, meaning bool) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := viewTarget(t, path)
		if err != nil {
			return Plan{}, err
		}
		if shown, err := Render(p.node, f); err == nil && bytes.Equal(shown, content) {
			return Plan{}, nil
		}
		want, err := parseView(p, f, content)
		if err != nil {
			return Plan{}, err
		}
		d := newDraft(t)
		switch {
		case isMixed(p.node):
			err = d.writeKeys(p.node, p.path, want)
		case f == JSON && !meaning:
			err = d.writeDocument(p, content)
		default:
			err = d.reconcile(p, want)
		}
		if err != nil {
			return Plan{}, err
		}
		return d.finish(), nil
	}
}

// RemoveView plans the removal of a document through one of its views.
//
// Errors: NotFound, NotDirectory, NotPermitted when keys are in the directory,
// Busy in the middle of an array.
func RemoveView(path string, f Format) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := viewTarget(t, path)
		if err != nil {
			return Plan{}, err
		}
		if isMixed(p.node) {
			return Plan{}, Errorf(NotPermitted, path, "is a directory of keys, and its view cannot remove them; use rm -r")
		}
		if _, err := Render(p.node, f); err != nil {
			return Plan{}, err
		}
		return removal(t, p)
	}
}

func viewTarget(t *Tree, path string) (*place, error) {
	node, ok := t.Lookup(path)
	if !ok {
		return nil, Errorf(NotFound, path, "there is no such directory")
	}
	if !node.IsDir() {
		return nil, Errorf(NotDirectory, path, "is a file, and only a directory has views")
	}
	p := existingPlace(path, node)
	return &p, nil
}

// parseView reads what was written to a view of p.
func parseView(p *place, f Format, content []byte) (*jsonValue, error) {
	var want *jsonValue
	var err error
	switch f {
	case Lines:
		return parseLines(p, content)
	case YAML:
		if want, err = readYAML(p.path, content); err != nil {
			return nil, err
		}
	default:
		if depthOver(content, maxDepth) {
			return nil, tooDeep(p.path)
		}
		if !gjson.ValidBytes(content) {
			return nil, Errorf(Invalid, p.path, "the text written is not JSON%s", whereInvalid(content))
		}
		want = parseJSON(content)
	}
	switch {
	case isMixed(p.node) && want.is != Object:
		return nil, Errorf(Invalid, p.path, "is a directory of keys, so its view must be an object, not a %s", want.is)
	case !want.isContainer():
		return nil, Errorf(Invalid, p.path, "is a document, so its view must be an object or an array, not a %s", want.is)
	}
	return want, nil
}

// writeDocument stores the JSON text that was given for a document or a part of one.
func (d *draft) writeDocument(p *place, content []byte) error {
	if p.field {
		return d.setText(p, bytes.TrimSpace(content))
	}
	if !bytes.HasSuffix(p.node.Stored(), []byte{'\n'}) {
		content = chomp(content)
	}
	d.put(p.key, content)
	return nil
}

// reconcile makes a document, or a part of one, mean what is wanted.
func (d *draft) reconcile(p *place, want *jsonValue) error {
	doc := reconciled(d.value(p.key), p.spot, want)
	if depthOver(doc, maxDepth) {
		return tooDeep(p.path)
	}
	d.put(p.key, doc)
	return nil
}
