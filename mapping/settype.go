package mapping

import "strings"

// SetType plans the entry at path to have another type: a leaf keeps its text,
// a plain directory of keys becomes one document (Object), a document a
// directory of one key per field (Directory). What has the type already is left alone.
//
// Errors: NotFound; Invalid when the content does not fit the type; Exists when a
// field would become a key that is there.
func SetType(path string, to Type) Edit {
	return func(t *Tree) (Plan, error) {
		node, ok := t.Lookup(path)
		if !ok {
			return Plan{}, Errorf(NotFound, path, "there is no such file or directory")
		}
		p := existingPlace(path, node)
		d := newDraft(t)
		var err error
		switch is := node.Type(); {
		case is == to:
			return Plan{}, nil
		case is == Directory && to == Object:
			err = d.fold(&p)
		case (is == Object || is == Array) && to == Directory:
			err = d.unfold(&p)
		case node.IsDir():
			err = Errorf(Invalid, path, "is a %s, which cannot become a %s", is, to)
		default:
			err = d.convert(&p, to)
		}
		if err != nil {
			return Plan{}, err
		}
		return d.finish(), nil
	}
}

// convert gives the leaf at p another type and leaves its text alone.
func (d *draft) convert(p *place, to Type) error {
	t, is := d.tree, p.node.Type()
	content := p.node.Content()
	if !p.field && t.rawKey(p.key) {
		return Errorf(Invalid, p.path, "is marked raw by its path, so it has no other type")
	}
	if to == Raw {
		return d.convertToRaw(p)
	}
	if (to == Object || to == Array) && len(chomp(content)) == 0 {
		content = emptyOf(to)
	}
	text, err := t.encode(p.path, content, to)
	if err != nil {
		return err
	}
	if is == Raw {
		d.put(p.key, text)
		return nil
	}
	return d.setText(p, text)
}

func emptyOf(container Type) []byte {
	if container == Array {
		return []byte("[]")
	}
	return []byte("{}")
}

// convertToRaw stores a leaf's text as the whole value of its key.
func (d *draft) convertToRaw(p *place) error {
	if p.field {
		return Errorf(Invalid, p.path, "is a field, and only the whole value of a key can be raw")
	}
	text := d.tree.text(p.node.Content())
	if k := kindOf(text); k != kindRaw {
		return Errorf(Invalid, p.path, "its text reads as JSON (%s), so it can be raw only under a path that is marked raw, such as a name that ends in .raw", k.typ())
	}
	d.put(p.key, text)
	return nil
}

// fold makes one document of all keys below a plain directory. Raw values
// become strings of the same bytes, directories objects. It is indented by four,
// as the services of this tree write theirs.
func (d *draft) fold(p *place) error {
	if p.path == "" {
		return Errorf(NotPermitted, p.path, "the root of the mount cannot become a document")
	}
	if _, ok := d.tree.Get(p.key); ok {
		return Errorf(Invalid, p.path, "has a value of its own (%s) beside its keys; remove that first", valueName)
	}
	if d.tree.rawKey(p.key) {
		return Errorf(Invalid, p.path, "is marked raw by its path, so it cannot become a document")
	}
	v, err := valueOf(p.node, p.path, true)
	if err != nil {
		return err
	}
	text := v.write(nil, indentedStyle("    "))
	if depthOver(text, maxDepth) {
		return tooDeep(p.path)
	}
	d.deleteUnder(p.key)
	d.put(p.key, text)
	return nil
}

// unfold makes a key of each field of a document, with what the field holds.
func (d *draft) unfold(p *place) error {
	if p.field {
		return Errorf(Invalid, p.path, "is part of a document, and only a whole document can become a directory of keys")
	}
	doc := d.value(p.key)
	open := skipSpace(doc, 0)
	seen := map[string]bool{}
	var err error
	eachMember(doc, open, func(n int, m member) bool {
		err = d.unfoldMember(p, doc, n, m, seen)
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case len(seen) == 0:
		return Errorf(Invalid, p.path, "is empty, so there would be no directory of keys; remove it with rmdir")
	}
	d.delete(p.key)
	return nil
}

func (d *draft) unfoldMember(p *place, doc []byte, n int, m member, seen map[string]bool) error {
	name := memberName(doc, n, m)
	at := p.path + "/" + EncodeName(name)
	if strings.IndexByte(name, '/') >= 0 {
		return Errorf(Invalid, at, "has a slash in its name, which no segment of a key can hold")
	}
	if seen[name] {
		return Errorf(Invalid, at, "is there more than once in the document")
	}
	seen[name] = true
	key := p.key + "/" + name
	if k := d.look(key); k.had {
		return Errorf(Exists, at, "is a key already")
	}
	text := doc[m.start:m.end]
	if doc[m.start] == '"' && d.tree.rawKey(key) {
		text = []byte(unquote(string(text[1 : len(text)-1])))
	}
	d.put(key, text)
	return nil
}
