package mapping

import (
	"bytes"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Text returns the stored bytes of a whole value when its content and type alone
// would not restore them: those of every document, and of a scalar with escapes
// or space of its own. A copy that carries them (attribute user.ovscfgfs.text) is exact.
func (n Node) Text() ([]byte, bool) {
	if n.value == nil || n.at > 0 || n.Type() == Raw || n.Type() == Directory {
		return nil, false
	}
	stored := n.Stored()
	if n.value.kind() == kindString {
		plain, ok := quote([]byte(unquote(string(bytes.TrimSpace(stored)[1 : len(bytes.TrimSpace(stored))-1]))))
		return stored, !ok || !bytes.Equal(plain, stored)
	}
	return stored, n.IsDir() || isSpace(stored[0]) || isSpace(stored[len(stored)-1])
}

// SetText plans the directory at path to be the document with exactly this
// text, if that means what the directory holds or if that is empty. Else it
// changes nothing: the text is that of a copy which others were merged with.
//
// Errors: NotFound, NotDirectory, Invalid, NotPermitted (the root).
func SetText(path string, text []byte) Edit {
	return func(t *Tree) (Plan, error) {
		p, err := viewTarget(t, path)
		if err != nil {
			return Plan{}, err
		}
		switch {
		case path == "":
			return Plan{}, Errorf(NotPermitted, path, "the root of the mount cannot become a document")
		case depthOver(text, maxDepth):
			return Plan{}, tooDeep(path)
		case !gjson.ValidBytes(text) || !isContainer(text, skipSpace(text, 0)):
			return Plan{}, Errorf(Invalid, path, "the text is not a JSON object or array%s", whereInvalid(text))
		case p.field:
			text = bytes.TrimSpace(text)
		case t.rawKey(p.key):
			return Plan{}, Errorf(Invalid, path, "is marked raw by its path, so it cannot become a document")
		}
		now, err := Render(p.node, JSON)
		if err != nil {
			return Plan{}, err
		}
		if p.node.Len() > 0 && !parseJSON(now).equal(parseJSON(text)) {
			return Plan{}, nil
		}
		d := newDraft(t)
		if p.field {
			if err := d.setText(p, text); err != nil {
				return Plan{}, err
			}
			return d.finish(), nil
		}
		d.deleteUnder(p.key)
		d.put(p.key, text)
		return d.finish(), nil
	}
}

// HalfSurrogate reports whether a string in what the node is has half a surrogate pair ("\ud800"), which is shown
// as U+FFFD since no UTF-8 can hold it. Only the JSON text does.
func HalfSurrogate(n Node) bool {
	if n.Type() != Raw && n.value != nil && halfSurrogate(n.Stored()) {
		return true
	}
	if isMixed(n) {
		for v := range n.dir.values() {
			if v.kind() != kindRaw && halfSurrogate(v.bytes()) {
				return true
			}
		}
	}
	return false
}

// halfSurrogate looks at the escapes of valid JSON text.
func halfSurrogate(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		if text[i+1] != 'u' {
			text = text[i+2:]
			continue
		}
		r, next := escapeAt(string(text[i:min(len(text), i+12)]), 0)
		if r == utf8.RuneError && !bytes.EqualFold(text[i+2:i+6], []byte("fffd")) {
			return true
		}
		text = text[i+next:]
	}
}
