package mapping

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"
)

// Tags of values that YAML has no form of its own for.
const (
	tagRaw    = "!raw"     // text that is no JSON
	tagJSON   = "!json"    // JSON text that would not come back as it is
	tagBinary = "!!binary" // bytes that are no text
)

// WriteYAMLKeys writes a tree as one YAML mapping, key -> value: what JSON values mean, raw text
// as !raw, bytes as !!binary, and as !json what YAML cannot hold (half a surrogate pair, a field
// that is there twice). A key is written by keyName. What it writes ReadYAMLKeys reads back.
func WriteYAMLKeys(w io.Writer, t *Tree, keyName func(string) string) error {
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	add := func(v *value) {
		root.Content = append(root.Content, yamlString(keyName(v.kv().Key), true), yamlValue(v))
	}
	if t.top.value != nil {
		add(t.top.value)
	}
	for v := range t.top.dir.values() {
		add(v)
	}
	if len(root.Content) == 0 {
		root.Style = yaml.FlowStyle
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return err
	}
	return enc.Close()
}

// yamlValue is the first form of a value that reads back as it is.
func yamlValue(v *value) *yaml.Node {
	stored := v.bytes()
	var forms []*yaml.Node
	switch {
	case v.kind() == kindRaw:
		forms = append(forms, taggedText(tagRaw, stored))
	case !halfSurrogate(stored) && (v.document() == nil || len(v.document().names.duplicates) == 0):
		forms = append(forms, yamlNode(parseJSON(stored)), taggedText(tagJSON, stored))
	default:
		forms = append(forms, taggedText(tagJSON, stored))
	}
	for _, form := range forms {
		if form != nil && readsBack(form, stored) {
			return form
		}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tagBinary, Value: base64.StdEncoding.EncodeToString(stored)}
}

func taggedText(tag string, text []byte) *yaml.Node {
	if !utf8.Valid(text) {
		return nil
	}
	n := yamlString(string(text), false)
	if n.Style == 0 {
		n.Style = yaml.DoubleQuotedStyle
	}
	n.Tag = tag
	return n
}

// readsBack reports whether a node that was written is read as the same value.
func readsBack(n *yaml.Node, stored []byte) bool {
	text, err := yaml.Marshal(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}})
	if err != nil {
		return false
	}
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) != 1 || len(doc.Content[0].Content) != 1 {
		return false
	}
	v, err := yamlKeyValue(doc.Content[0].Content[0])
	if err != nil || !v.Meaning {
		return err == nil && bytes.Equal(v.Bytes, stored)
	}
	return parseJSON(v.Bytes).equal(parseJSON(stored))
}

// YAMLValue is a Value, and the line of its key in the file.
type YAMLValue struct {
	Value
	Line int
}

// ReadYAMLKeys reads what WriteYAMLKeys writes, in its order. keyOf is the inverse of its keyName.
//
// Errors: Invalid, with the line.
func ReadYAMLKeys(text []byte, keyOf func(string) (string, error)) ([]YAMLValue, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, Errorf(Invalid, "", "line 1: the file is empty, and must be a mapping: key -> value")
	case err != nil:
		return nil, Errorf(Invalid, "", "%s", yamlReason(err))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, Errorf(Invalid, "", "%s", yamlReason(err))
		}
		return nil, Errorf(Invalid, "", "line %d: there is a second document, and place for one", more.Line)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || root.ShortTag() != "!!map" {
		return nil, Errorf(Invalid, "", "line %d: the file must be a mapping: key -> value", root.Line)
	}
	var list []YAMLValue
	for i := 0; i+1 < len(root.Content); i += 2 {
		name := root.Content[i]
		if name.Kind != yaml.ScalarNode || name.ShortTag() != "!!str" {
			return nil, Errorf(Invalid, "", "line %d: a key must be a string", name.Line)
		}
		key, err := keyOf(name.Value)
		if err != nil {
			return nil, Errorf(Invalid, "", "line %d: %w", name.Line, err)
		}
		v, err := yamlKeyValue(root.Content[i+1])
		if err != nil {
			return nil, Errorf(Invalid, "", "line %d: the value of %s: %w", root.Content[i+1].Line, key, err)
		}
		v.Key = key
		list = append(list, YAMLValue{v, name.Line})
	}
	return list, nil
}

func yamlKeyValue(n *yaml.Node) (Value, error) {
	exact := func(b []byte) (Value, error) { return Value{Bytes: b}, nil }
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case tagRaw:
			return exact([]byte(n.Value))
		case tagJSON:
			if !gjson.Valid(n.Value) {
				return Value{}, Errorf(Invalid, "", "the text after !json is not JSON%s", whereInvalid([]byte(n.Value)))
			}
			return exact([]byte(n.Value))
		case tagBinary:
			b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
			if err != nil {
				return Value{}, Errorf(Invalid, "", "the text after !!binary is not base64")
			}
			return exact(b)
		}
	}
	r := yamlReader{left: aliasNodes * 16}
	v, err := r.value(n, 0)
	if err != nil {
		return Value{}, err
	}
	return Value{Bytes: v.write(nil, pythonStyle()), Meaning: true}, nil
}
