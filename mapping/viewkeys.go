package mapping

import (
	"strconv"
	"strings"
)

// writeKeys makes a directory of keys, which may be a document too, mean what
// is wanted, and touches only keys that differ.
func (d *draft) writeKeys(n Node, path string, want *jsonValue) error {
	shown, err := valueOf(n, path, false)
	if err != nil {
		return err
	}
	wanted := make(map[string]*jsonValue, len(want.names))
	for i, name := range want.names {
		wanted[name] = want.items[i]
	}
	fields := &jsonValue{is: Object} // what the document that the directory is too is to hold
	i := 0
	for child := range n.Children() {
		name, was := shown.names[i], shown.items[i]
		item := wanted[name]
		delete(wanted, name)
		i++
		at := joinPath(path, child.Name())
		switch {
		case child.at > 0:
			if item != nil {
				fields.add(fieldNameInDocument(child), item)
			}
		case item == nil:
			d.deleteEntry(child)
		case !was.equal(item) || isMixed(child) && !item.isContainer():
			if err := d.writeEntry(child, at, was, item); err != nil {
				return err
			}
		}
	}
	document := n.value != nil && n.value.kind().container()
	for i, name := range want.names {
		switch item := wanted[name]; {
		case item == nil:
		case document && n.Type() == Object:
			fields.add(name, want.items[i])
		default:
			if err := d.newEntry(n, path, name, want.items[i]); err != nil {
				return err
			}
		}
	}
	switch {
	case document:
		return d.writeFields(n, path, fields)
	case len(want.names) == 0 && path != "" && !d.tree.rawKey(n.Key()):
		// Without keys there would be no directory: it stays as an empty document.
		d.put(n.Key(), []byte("{}"))
	}
	return nil
}

// fieldNameInDocument is a field's name as reconciled knows it.
func fieldNameInDocument(n Node) string {
	doc := n.value.document()
	name, _ := doc.nameOf(n.value.text(), uint32(n.at))
	if dup := doc.names.duplicates[uint32(n.at)]; dup > 0 {
		name += dupSuffix + strconv.FormatUint(uint64(dup), 10)
	}
	return name
}

// writeFields makes the document of a directory that has keys too hold the fields.
func (d *draft) writeFields(n Node, path string, fields *jsonValue) error {
	if n.Type() == Array {
		list := &jsonValue{is: Array, items: fields.items}
		for i := range list.items { // a listing has the last element first
			if j := len(list.items) - 1 - i; i < j {
				list.items[i], list.items[j] = list.items[j], list.items[i]
			}
		}
		fields = list
	}
	p := existingPlace(path, n)
	return d.reconcile(&p, fields)
}

// deleteEntry removes a key, and what is below it.
func (d *draft) deleteEntry(n Node) {
	if n.value != nil {
		d.delete(n.Key())
	}
	if isMixed(n) {
		d.deleteUnder(n.Key())
	}
}

// writeEntry makes an entry of keys, which differs, what is wanted.
func (d *draft) writeEntry(n Node, path string, was, item *jsonValue) error {
	switch {
	case isMixed(n) && item.is == Object:
		return d.writeKeys(n, path, item)
	case isMixed(n):
		d.deleteUnder(n.Key())
	case n.Type() == Raw && item.is == String && (kindOf([]byte(item.decoded())) == kindRaw || d.tree.rawKey(n.Key())):
		d.put(n.Key(), []byte(item.decoded()))
		return nil
	case d.tree.rawKey(n.Key()):
		return rawWantsString(path)
	case n.Type() == Raw:
	default:
		p := existingPlace(path, n)
		return d.reconcile(&p, item)
	}
	return d.putNew(n.Key(), path, item)
}

func rawWantsString(path string) error {
	return Errorf(Invalid, path, "is raw, so a view must have a string there")
}

// newEntry adds a key to a directory.
func (d *draft) newEntry(dir Node, path, name string, item *jsonValue) error {
	at := joinPath(path, EncodeName(name))
	if strings.IndexByte(name, '/') >= 0 {
		return Errorf(Invalid, at, "has a slash in its name, which no segment of a key can hold")
	}
	key := dir.Key() + "/" + name
	if name == valueName {
		key = dir.Key()
	}
	return d.putNew(key, at, item)
}

// putNew stores a value as one whole key.
func (d *draft) putNew(key, path string, item *jsonValue) error {
	if d.tree.rawKey(key) {
		if item.is != String {
			return rawWantsString(path)
		}
		d.put(key, []byte(item.decoded()))
		return nil
	}
	text := item.write(nil, indentedStyle("    "))
	if depthOver(text, maxDepth) {
		return tooDeep(path)
	}
	d.put(key, text)
	return nil
}
