package mapping

// SetType plans the entry at path to have another type: a leaf keeps its text,
// a plain directory of keys becomes one document (Object, or Array if its names
// are 0, 1, 2 and so on), a document a directory of one key per field
// (Directory), and objects and arrays each other. What has the type already is left alone.
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
		case is == Directory && (to == Object || to == Array):
			err = d.fold(&p, to)
		case (is == Object || is == Array) && to == Directory:
			err = d.unfold(&p)
		case is == Object && to == Array && !isMixed(node):
			err = d.toArray(&p)
		case is == Array && to == Object && !isMixed(node):
			err = d.toObject(&p)
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
