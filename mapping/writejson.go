package mapping

import (
	"bytes"

	"github.com/tidwall/gjson"
)

// WriteJSON plans the entry at path to be this JSON text, spelled so: a scalar, or a whole
// document. What is there keeps its type, unless o.Type is that of the text; null takes any. Of o only Type, Segments,
// MustExist and MustNotExist count.
//
// Errors: those of Write and WriteView; Invalid for text that is not JSON or of
// another type, and for what is raw.
func WriteJSON(path string, text []byte, o WriteOptions) Edit {
	return func(t *Tree) (Plan, error) {
		text := bytes.TrimSpace(text)
		if len(text) == 0 || !gjson.ValidBytes(text) {
			return Plan{}, Errorf(Invalid, path, "the text is not JSON%s", whereInvalid(text))
		}
		p, err := placeKnowing(t, path, o.Segments)
		if err != nil {
			return Plan{}, err
		}
		d := newDraft(t)
		if err := d.writeJSON(&p, text, &o); err != nil {
			return Plan{}, err
		}
		return d.finish(), nil
	}
}

func (d *draft) writeJSON(p *place, text []byte, o *WriteOptions) error {
	is, to := p.node.Type(), typeOf(text)
	switch {
	case !p.field && d.tree.rawKey(p.key):
		return Errorf(Invalid, p.path, "is marked raw by its path, so JSON text has no meaning there; write it as it is to be stored")
	case !p.exists() && o.MustExist:
		return p.mustExist()
	case !p.exists():
		return d.add(p, text, nil, 0)
	case o.MustNotExist:
		return Errorf(Exists, p.path, "is there already")
	case is != to && o.Type != to && is != Null:
		return Errorf(Invalid, p.path, "is a %s, and the JSON text is a %s; ask for that type if it is meant", is, to)
	case isMixed(p.node):
		return Errorf(IsDirectory, p.path, "is a directory of keys, which is not replaced by one text")
	case p.field:
		return d.setText(p, text)
	}
	if depthOver(text, maxDepth) {
		return tooDeep(p.path)
	}
	if bytes.HasSuffix(p.node.Stored(), []byte{'\n'}) {
		text = append(bytes.Clone(text), '\n')
	}
	d.put(p.key, text)
	return nil
}

// Write plans what an address names to have the content, as Write does, or to be
// the content as JSON text. Where it goes on into a document with fields, objects that are
// missing on the way are made, and the document itself, as the Open vStorage framework does.
func (a Address) Write(content []byte, isJSON bool, o WriteOptions) Edit {
	return func(t *Tree) (Plan, error) {
		path, err := a.In(t)
		if err != nil {
			return Plan{}, err
		}
		if at, names, ok := a.missing(t); ok && !o.MustExist {
			return a.nested(t, at, names, path, content, isJSON, &o)
		}
		if isJSON {
			return WriteJSON(path, content, o)(t)
		}
		return Write(path, content, o)(t)
	}
}

// missing finds the first that is not there on the way into a document, and the names of the fields in it.
func (a Address) missing(t *Tree) (at string, names []string, ok bool) {
	if len(a.fields) == 0 {
		return "", nil, false
	}
	for i := range len(a.fields) {
		part := a
		part.fields = a.fields[:i]
		path, err := part.In(t)
		if err != nil {
			return "", nil, false
		}
		if _, there := t.Lookup(path); !there {
			return path, a.fields[i:], true
		}
	}
	return "", nil, false
}

func (a Address) nested(t *Tree, at string, names []string, path string, content []byte, isJSON bool, o *WriteOptions) (Plan, error) {
	text := bytes.TrimSpace(content)
	if !isJSON {
		d := newDraft(t)
		var err error
		if text, err = d.newText(&place{path: path, name: names[len(names)-1], field: true}, content, o); err != nil {
			return Plan{}, err
		}
	} else if !gjson.ValidBytes(text) {
		return Plan{}, Errorf(Invalid, path, "the text is not JSON%s", whereInvalid(text))
	}
	for i := len(names) - 1; i >= 0; i-- {
		name, ok := quote([]byte(names[i]))
		if !ok {
			return Plan{}, Errorf(Invalid, path, "a field cannot have this name: it is not UTF-8")
		}
		text = append(append(append(append([]byte{'{'}, name...), ": "...), text...), '}')
	}
	return WriteJSON(at, text, WriteOptions{})(t)
}
