package mapping

import (
	"bytes"
	"unsafe"

	"github.com/tidwall/gjson"
)

// WriteOptions qualify a Write. The zero value overwrites or creates.
type WriteOptions struct {
	// Type the leaf gets: that of a scratch file or a copied attribute
	// user.type. Empty keeps the type of what is there and infers that of a new leaf.
	Type Type
	// Like is what a removed leaf of this name was, so that a new one takes its
	// type, its place among the fields and its lease. It is a wish: content that does not fit
	// the type gets one that it fits.
	Like *Shape
	// Base is what the writer had read, if HasBase. A leaf that is now neither
	// that nor the new content makes the write Stale.
	Base    []byte
	HasBase bool
	// NoNewline: the content of a raw value ends in a newline that was added for
	// showing it (attribute user.ovscfgfs.newline) and is not to be stored.
	NoNewline bool
	// Text is the stored spelling that a copy carries (attribute
	// user.ovscfgfs.text); a key gets it if it means what the content does.
	Text []byte
	// Segments are what cut names in the path stand for, if a copy has told.
	Segments Segments
	// MustExist and MustNotExist refuse, as NotFound and Exists, to create and to overwrite.
	MustExist, MustNotExist bool
}

// Write plans the leaf at path to have the content. A leaf that is there keeps
// its type and the bytes around it; a new one is a field in a document and a
// key where keys are, of the type its text has. Content that reads as what is
// there already changes nothing.
//
// Errors: Invalid (the content does not fit the type, or nothing can have that
// name), IsDirectory, NotDirectory, NotFound, Exists, NameTooLong, Stale.
func Write(path string, content []byte, o WriteOptions) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := placeKnowing(t, path, o.Segments)
		if err != nil {
			return Plan{}, err
		}
		d := newDraft(t)
		if p.exists() {
			err = d.overwrite(&p, content, &o)
		} else {
			err = d.create(&p, content, &o)
		}
		if err != nil {
			return Plan{}, err
		}
		return d.finish(), nil
	}
}

// Check reports the error that Write would answer with on this tree.
func Check(t *Tree, path string, content []byte, o WriteOptions) error {
	_, err := Write(path, content, o)(t)
	return err
}

// OneLine reports whether one line of text is all of the leaf at path: a JSON
// scalar whose content now is one line. A raw value may have more lines to come,
// and so may a new leaf, unless its type is known to have one.
func OneLine(t *Tree, path string) bool {
	node, ok := t.Lookup(path)
	is := node.Type()
	switch {
	case !ok:
		if is = t.knownType(path); is == String {
			return false
		}
	case node.IsDir():
		return false
	}
	switch is {
	case Number, Boolean, Null:
		return true
	case String:
		return bytes.IndexByte(chomp(node.Content()), '\n') < 0
	}
	return false
}

func (d *draft) overwrite(p *place, content []byte, o *WriteOptions) error {
	if p.node.IsDir() {
		return Errorf(IsDirectory, p.path, "is a directory; its whole content is in %s.json", p.node.Name())
	}
	if o.MustNotExist {
		return Errorf(Exists, p.path, "is there already")
	}
	is, to := p.node.Type(), o.Type
	if to == "" || to == Directory || d.tree.rawKey(p.key) || p.field && to == Raw {
		to = is
	}
	shown := p.node.Content()
	if bytes.Equal(content, shown) && to == is && !o.NoNewline && o.Text == nil {
		return nil
	}
	var text []byte
	var err error
	switch {
	case to == Raw:
		if text = content; o.NoNewline || is == Raw && p.node.Newline() {
			text = chomp(content)
		}
	case is == Null && o.Type == "":
		if text, err = d.tree.infer(p.path, content, p.field); err != nil {
			return err
		}
		if string(text) == "null" {
			return nil
		}
	default:
		if text, err = d.tree.encode(p.path, content, to); err != nil {
			return err
		}
		if to == String && is == String && o.Text == nil && bytes.Equal(d.tree.text(content), d.tree.text(shown)) {
			return nil
		}
	}
	text = spelled(p, text, o)
	before := d.value(p.key)
	if is == Raw || to == Raw || !p.field && (o.Text != nil || !isJSON(text)) {
		d.put(p.key, text)
	} else if err := d.setText(p, text); err != nil {
		return err
	}
	if o.HasBase && !bytes.Equal(o.Base, shown) && !bytes.Equal(before, d.value(p.key)) {
		return Errorf(Stale, p.path, "was changed by someone else since it was read; read it again")
	}
	return nil
}

// setText replaces the JSON text of an existing place.
func (d *draft) setText(p *place, text []byte) error {
	if depthOver(text, maxDepth-len(p.spot)) {
		return tooDeep(p.path)
	}
	doc := d.value(p.key)
	if f := p.node.field(); f != nil && p.field && sameBytes(doc, p.node.value.bytes()) {
		// As it is in the tree: its places are known.
		d.put(p.key, replace(doc, int(f.start), int(f.end), text))
		return nil
	}
	d.put(p.key, setValue(doc, p.spot, text))
	return nil
}

// sameBytes reports whether two slices are one.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

func tooDeep(path string) error {
	return Errorf(Invalid, path, "would be nested deeper than %d levels, which no document here may be", maxDepth)
}

func (d *draft) create(p *place, content []byte, o *WriteOptions) error {
	if o.MustExist {
		return p.mustExist()
	}
	if o.HasBase {
		return Errorf(Stale, p.path, "was removed by someone else since it was read")
	}
	text, err := d.newText(p, content, o)
	if err != nil {
		return err
	}
	var lease int64
	if o.Like != nil {
		lease = o.Like.lease
	}
	return d.add(p, spelled(p, text, o), o.Like, lease)
}

// spelled is the spelling of a new whole value that a copy carries, or the text as it is.
func spelled(p *place, text []byte, o *WriteOptions) []byte {
	if o.Text != nil && !p.field && gjson.ValidBytes(o.Text) && gjson.ValidBytes(text) && parseJSON(o.Text).equal(parseJSON(text)) {
		return o.Text
	}
	return text
}

// newText is what a new leaf's content is stored as.
func (d *draft) newText(p *place, content []byte, o *WriteOptions) ([]byte, error) {
	t := d.tree
	noNewline := o.NoNewline || o.Like != nil && o.Like.newline
	raw := func() []byte {
		if noNewline {
			return chomp(content)
		}
		return content
	}
	if !p.field && t.rawKey(p.key) {
		return raw(), nil
	}
	to := o.Type
	if to == Raw && p.field {
		to = String
	}
	switch to {
	case "", Directory:
	case Raw:
		return raw(), nil
	default:
		return t.encode(p.path, content, to)
	}
	if o.Like != nil {
		if o.Like.typ == Raw && !p.field {
			return raw(), nil
		}
		if text, err := t.encode(p.path, content, o.Like.typ); err == nil {
			return text, nil
		}
	}
	switch to := t.knownType(p.path); {
	case to == Raw && !p.field:
		return raw(), nil
	case to == "" || to == Raw || to == Directory || len(content) == 0:
	default:
		return t.encode(p.path, content, to)
	}
	return t.infer(p.path, content, p.field)
}

// knownType is the type that a new entry at path should have, "" if nobody knows.
func (t *Tree) knownType(path string) Type {
	if f := t.Settings().TypeOf; f != nil {
		return f(path)
	}
	return ""
}

// add makes a new entry of JSON text, or of any bytes where keys are.
func (d *draft) add(p *place, text []byte, like *Shape, lease int64) error {
	if !p.field {
		d.newKey(p, text, lease)
		return nil
	}
	if depthOver(text, maxDepth-len(p.spot)-1) {
		return tooDeep(p.path)
	}
	doc := d.value(p.key)
	if p.element {
		d.put(p.key, insertMember(doc, p.spot, endOfMembers, nil, text))
		return nil
	}
	name, _ := quote([]byte(p.name))
	d.put(p.key, insertMember(doc, p.spot, like.position(doc, p.spot), name, text))
	return nil
}
