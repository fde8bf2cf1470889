package mapping

import (
	"bytes"

	"github.com/tidwall/gjson"
)

// chomp drops one trailing newline.
func chomp(content []byte) []byte { return bytes.TrimSuffix(content, []byte{'\n'}) }

// text is what a file's content means as a JSON scalar: a mount that adds a
// newline to each takes one away again.
func (t *Tree) text(content []byte) []byte {
	if t.Settings().Exact {
		return content
	}
	return chomp(content)
}

// encode turns a file's content into JSON text of a type. The error says what
// the type wants, and never repeats the content, which may be a secret.
func (t *Tree) encode(path string, content []byte, to Type) ([]byte, error) {
	switch to {
	case String:
		if s, ok := quote(t.text(content)); ok {
			return s, nil
		}
		return nil, Errorf(Invalid, path, "is a string, which must be UTF-8; the text written is not (convert it, or store it raw in a key of its own)")
	case Number:
		if s := chomp(content); isNumber(s) {
			return s, nil
		}
		return nil, Errorf(Invalid, path, "is a number, and the text written is not one (42, -1.5 and 2e3 are); setfattr -n user.type changes the type")
	case Boolean:
		switch s := chomp(content); string(s) {
		case "true", "True":
			return []byte("true"), nil
		case "false", "False":
			return []byte("false"), nil
		}
		return nil, Errorf(Invalid, path, "is a boolean, and the text written is neither true nor false; setfattr -n user.type changes the type")
	case Null:
		if s := chomp(content); len(s) == 0 || string(s) == "null" {
			return []byte("null"), nil
		}
		return nil, Errorf(Invalid, path, "null holds no other text; give it another type")
	case Object, Array:
		s := bytes.TrimSpace(content)
		if len(s) > 0 && gjson.ValidBytes(s) && typeOf(s) == to {
			return s, nil
		}
		return nil, Errorf(Invalid, path, "the text written is not a JSON %s%s", to, whereInvalid(content))
	}
	return nil, Errorf(Invalid, path, "%q is no type of a file; the types are object, array, string, number, boolean, null and raw", string(to))
}

// typeOf returns the type of valid JSON text that begins without white space.
func typeOf(text []byte) Type { return kindAt(text[0]).typ() }

// infer turns the content of a new leaf into what is stored, by the rules for
// new files: JSON as such, other text of one line a string, several lines raw in
// a key and a string in a field. Lines that would be JSON as raw bytes, which
// loses the white space around it, are a string in a key too.
func (t *Tree) infer(path string, content []byte, field bool) ([]byte, error) {
	text := chomp(content)
	if isJSON(text) {
		return text, nil
	}
	if !field && (!isText(content) || bytes.IndexByte(text, '\n') >= 0) && !gjson.ValidBytes(content) {
		return content, nil
	}
	return t.encode(path, content, String)
}

// isJSON reports whether text is a JSON document, or a JSON scalar without
// white space around it, which would be lost.
func isJSON(text []byte) bool {
	if len(text) == 0 || !gjson.ValidBytes(text) {
		return false
	}
	return isContainer(text, skipSpace(text, 0)) || !isSpace(text[0]) && !isSpace(text[len(text)-1])
}

// rawKey reports whether a key's value is shown as its bytes whatever they are.
func (t *Tree) rawKey(key string) bool {
	relative, ok := t.relative(key)
	return ok && t.look.raw.match(key, relative)
}
