package mapping

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Masked stands for the value of a secret wherever one would be told.
const Masked = "(secret)"

// Difference is one path at which two trees show something else: a leaf, an
// empty directory of a document, or a directory of another type.
type Difference struct {
	// Path is the shown path.
	Path string
	// Old and New are what is there; one that is not valid: nothing.
	Old, New Node
}

// Diff returns what differs at and below a shown path, in the order of a
// listing, elements of an array by their index. What the trees share is not
// looked into. Spacing, the spelling of strings and the order of fields are no
// difference.
func Diff(old, now *Tree, path string) iter.Seq[Difference] {
	return func(yield func(Difference) bool) {
		a, _ := old.Lookup(path)
		b, _ := now.Lookup(path)
		diff(path, a, b, yield)
	}
}

func diff(path string, a, b Node, yield func(Difference) bool) bool {
	switch {
	case a == b:
		return true
	case a.IsDir() != b.IsDir() && a.Valid() && b.Valid():
		return diff(path, a, Node{}, yield) && diff(path, Node{}, b, yield)
	case !a.IsDir() && !b.IsDir():
		return sameMeaning(a, b) || yield(Difference{path, a, b})
	}
	alone := !a.Valid() || !b.Valid()
	if (alone && a.Len()+b.Len() == 0 || !alone && a.Type() != b.Type()) && !yield(Difference{path, a, b}) {
		return false
	}
	for _, name := range namesOf(a, b) {
		was, _ := a.Lookup(name)
		is, _ := b.Lookup(name)
		if !diff(joinPath(path, name), was, is, yield) {
			return false
		}
	}
	return true
}

// namesOf are the names of the entries of two directories, those of the second
// that the first lacks at the end.
func namesOf(a, b Node) []string {
	names := make([]string, 0, max(a.Len(), b.Len()))
	for child := range a.Children() {
		names = append(names, child.Name())
	}
	if a.Type() == Array {
		slices.Reverse(names)
	}
	added := len(names)
	for child := range b.Children() {
		name := child.Name()
		if _, ok := a.Lookup(name); !ok {
			names = append(names, name)
		}
	}
	if b.Type() == Array {
		slices.Reverse(names[added:])
	}
	return names
}

func sameMeaning(a, b Node) bool {
	if !a.Valid() || !b.Valid() || a.Type() != b.Type() {
		return false
	}
	_, was := a.leaf()
	_, is := b.leaf()
	return was == is || a.Type() == String && bytes.Equal(a.Content(), b.Content())
}

// Op is what happened: "create", "delete" or "modify".
func (d Difference) Op() string {
	switch {
	case !d.Old.Valid():
		return "create"
	case !d.New.Valid():
		return "delete"
	}
	return "modify"
}

// Key is the key of the value that the difference is in.
func (d Difference) Key() string {
	if d.New.Valid() {
		return d.New.Key()
	}
	return d.Old.Key()
}

// Texts are what was there and what is there as JSON text, raw values as strings; nil
// for nothing, Masked for a secret. Bytes that no JSON string can hold are {"base64": "..."}.
func (d Difference) Texts() (old, now json.RawMessage) {
	if d.Secret() {
		masked, _ := quote([]byte(Masked))
		if d.Old.Valid() {
			old = masked
		}
		if d.New.Valid() {
			now = masked
		}
		return old, now
	}
	return textOf(d.Old), textOf(d.New)
}

// Secret reports whether one of the two is a secret.
func (d Difference) Secret() bool {
	return SecretAt(d.Path, d.Old) || SecretAt(d.Path, d.New)
}

// SecretAt reports whether the leaf n, shown at path, is a secret: by its name,
// by that of the array that it is an element of, or by its content. Of a directory it says no.
func SecretAt(path string, n Node) bool {
	if !n.Valid() || n.IsDir() {
		return false
	}
	dir, name := splitPath(path)
	for n.Index() >= 0 && isIndex(name) && dir != "" || name == valueName {
		dir, name = splitPath(dir)
	}
	return Secret(name, n.Content())
}

func isIndex(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}

// JSON is a leaf as JSON text, a raw value as a string. Bytes that no JSON string can hold are {"base64": "..."}.
// Of a directory it is an empty object or array.
func (n Node) JSON() []byte { return textOf(n) }

func textOf(n Node) json.RawMessage {
	switch {
	case !n.Valid():
		return nil
	case n.Type() == Array:
		return json.RawMessage("[]")
	case n.IsDir():
		return json.RawMessage("{}")
	}
	_, text := n.leaf()
	if n.Type() != Raw && utf8.ValidString(text) {
		return json.RawMessage(text)
	}
	if quoted, ok := quote([]byte(text)); ok {
		return quoted
	}
	return json.RawMessage(`{"base64": "` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}`)
}

// MarshalJSON writes {op, path, key, pointer, old, new, old_type, new_type}, without those that there are not;
// the types only where they differ.
func (d Difference) MarshalJSON() ([]byte, error) {
	line := struct {
		Op      string          `json:"op"`
		Path    string          `json:"path"`
		Key     string          `json:"key"`
		Pointer string          `json:"pointer,omitempty"`
		Old     json.RawMessage `json:"old,omitempty"`
		New     json.RawMessage `json:"new,omitempty"`
		OldType Type            `json:"old_type,omitempty"`
		NewType Type            `json:"new_type,omitempty"`
	}{Op: d.Op(), Path: d.Path, Key: d.Key()}
	at := d.New
	if !at.Valid() {
		at = d.Old
	}
	line.Pointer = at.Pointer()
	line.Old, line.New = d.Texts()
	if d.Old.Valid() && d.New.Valid() && d.Old.Type() != d.New.Type() {
		line.OldType, line.NewType = d.Old.Type(), d.New.Type()
	}
	return json.Marshal(line)
}

// longText is how much of a text a line for people shows, in bytes.
const longText = 200

// String is the difference as a line for people: "~ path: 1 -> 2", "+ path: 2" or "- path: 1".
func (d Difference) String() string {
	old, now := d.Texts()
	path := d.Path
	if strings.IndexFunc(path, func(r rune) bool { return r < ' ' || r == utf8.RuneError || r == 0x7f }) >= 0 {
		quoted, _ := quote([]byte(strings.ToValidUTF8(path, "\uFFFD")))
		path = string(quoted)
	}
	switch {
	case old == nil:
		return "+ " + path + ": " + shortened(d.New, now)
	case now == nil:
		return "- " + path + ": " + shortened(d.Old, old)
	}
	from, to := shortened(d.Old, old), shortened(d.New, now)
	if d.Old.Type() != d.New.Type() {
		if d.Old.IsDir() {
			from, to = string(d.Old.Type()), string(d.New.Type())
		} else {
			from, to = from+" ("+string(d.Old.Type())+")", to+" ("+string(d.New.Type())+")"
		}
	}
	return "~ " + path + ": " + from + " -> " + to
}

func shortened(n Node, text json.RawMessage) string {
	if len(text) <= longText {
		return string(text)
	}
	end := longText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end]) + "... (" + sizeText(n.Size()) + ")"
}

func sizeText(size int64) string {
	b, _ := json.Marshal(size)
	return string(b) + " bytes"
}
