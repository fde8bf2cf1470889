package mapping

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// writeYAML writes a value so that readYAML reads it back equal: fields in
// their order, numbers in their spelling, strings quoted where they would read
// as something else. Bytes that are no UTF-8 are replaced.
func writeYAML(v *jsonValue) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(yamlNode(v)); err != nil {
		return nil, Errorf(Other, "", "cannot be written as YAML: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, Errorf(Other, "", "cannot be written as YAML: %w", err)
	}
	return out.Bytes(), nil
}

func yamlNode(v *jsonValue) *yaml.Node {
	switch v.is {
	case Object:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if len(v.items) == 0 {
			n.Style = yaml.FlowStyle
		}
		for i, item := range v.items {
			n.Content = append(n.Content, yamlString(v.names[i], true), yamlNode(item))
		}
		return n
	case Array:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if len(v.items) == 0 {
			n.Style = yaml.FlowStyle
		}
		for _, item := range v.items {
			n.Content = append(n.Content, yamlNode(item))
		}
		return n
	case String:
		return yamlString(v.decoded(), false)
	case Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: numberTag(string(v.text)), Value: string(v.text)}
	case Boolean:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: string(v.text)}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}

// numberTag is the tag that keeps a number one when it is read: an integer beyond
// 64 bits is a float in YAML, and so, by its tag alone, is what exceeds that too.
func numberTag(text string) string {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return "!!int"
	}
	if _, err := strconv.ParseUint(text, 10, 64); err == nil {
		return "!!int"
	}
	return "!!float"
}

func yamlString(s string, key bool) *yaml.Node {
	s = strings.ToValidUTF8(s, "\uFFFD")
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case !key && isPlainBlock(s):
		n.Style = yaml.LiteralStyle
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// isPlainBlock reports whether text of several lines reads back the same from a
// literal block without indentation hints.
func isPlainBlock(s string) bool {
	if !strings.Contains(s, "\n") || strings.HasPrefix(s, "\n") || strings.HasPrefix(s, " ") || strings.TrimRight(s, "\n") == "" {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasSuffix(line, " ") || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return false
		}
	}
	return true
}

// yamlReader turns YAML into JSON values. It bounds what aliases can blow up.
type yamlReader struct {
	path string
	left int // nodes that may still be made
}

// aliasNodes is how many values aliases may add to those that are written out,
// of which there are no more than bytes.
const aliasNodes = 1 << 16

func readYAML(path string, content []byte) (*jsonValue, error) {
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, Errorf(Invalid, path, "the text written is empty, and no YAML")
	} else if err != nil {
		return nil, Errorf(Invalid, path, "the text written is not YAML: %s", yamlReason(err))
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return nil, Errorf(Invalid, path, "the text written has several YAML documents; there is place for one")
	} else if !errors.Is(err, io.EOF) {
		return nil, Errorf(Invalid, path, "the text written is not YAML: %s", yamlReason(err))
	}
	r := &yamlReader{path: path, left: len(content) + aliasNodes}
	return r.value(&doc, 0)
}

// yamlReason is the library's message on one line, without its own prefix.
func yamlReason(err error) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
}

func (r *yamlReader) invalid(n *yaml.Node, reason string) error {
	return Errorf(Invalid, r.path, "the YAML written has no meaning in JSON: line %d, column %d: %s", n.Line, n.Column, reason)
}

func (r *yamlReader) value(n *yaml.Node, depth int) (*jsonValue, error) {
	if r.left--; r.left < 0 {
		return nil, r.invalid(n, "the aliases make it too large")
	}
	if depth > maxDepth {
		return nil, tooDeep(r.path)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return r.value(n.Content[0], depth)
	case yaml.AliasNode:
		return r.value(n.Alias, depth+1)
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		if n.ShortTag() != "!!seq" {
			return nil, r.invalid(n, "the tag "+n.ShortTag())
		}
		v := &jsonValue{is: Array}
		for _, child := range n.Content {
			item, err := r.value(child, depth+1)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, item)
		}
		return v, nil
	case yaml.ScalarNode:
		return r.scalar(n)
	}
	return nil, r.invalid(n, "nothing")
}

func (r *yamlReader) mapping(n *yaml.Node, depth int) (*jsonValue, error) {
	if n.ShortTag() != "!!map" {
		return nil, r.invalid(n, "the tag "+n.ShortTag())
	}
	v := &jsonValue{is: Object}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return nil, r.invalid(n.Content[i], "the name of a field is not a scalar")
		case key.ShortTag() == "!!merge":
			return nil, r.invalid(key, "a merge (<<) is not supported; write the fields out")
		case seen[key.Value]:
			return nil, r.invalid(key, "the field is there twice")
		}
		if _, ok := quote([]byte(key.Value)); !ok {
			return nil, r.invalid(key, "the name of a field is not UTF-8")
		}
		seen[key.Value] = true
		item, err := r.value(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		v.add(key.Value, item)
	}
	return v, nil
}

func (r *yamlReader) scalar(n *yaml.Node) (*jsonValue, error) {
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		text, ok := quote([]byte(n.Value))
		if !ok {
			return nil, r.invalid(n, "the text is not UTF-8")
		}
		return scalar(text), nil
	case "!!null":
		return scalar([]byte("null")), nil
	case "!!bool":
		var b bool
		if n.Decode(&b) != nil { // its words repeat the text, which may be a secret
			return nil, r.invalid(n, "the text is no boolean")
		}
		return scalar(strconv.AppendBool(nil, b)), nil
	case "!!int", "!!float":
		return r.number(n)
	}
	return nil, r.invalid(n, "the tag "+n.ShortTag())
}

// number keeps the spelling of what is a JSON number and converts the rest: hexadecimal, 1_000, .5.
func (r *yamlReader) number(n *yaml.Node) (*jsonValue, error) {
	if isNumber([]byte(n.Value)) {
		return scalar([]byte(n.Value)), nil
	}
	var any any
	if n.Decode(&any) != nil {
		return nil, r.invalid(n, "the text is no number")
	}
	switch x := any.(type) {
	case int:
		return scalar(strconv.AppendInt(nil, int64(x), 10)), nil
	case int64:
		return scalar(strconv.AppendInt(nil, x, 10)), nil
	case uint64:
		return scalar(strconv.AppendUint(nil, x, 10)), nil
	case float64:
		if !math.IsInf(x, 0) && !math.IsNaN(x) {
			return scalar(strconv.AppendFloat(nil, x, 'g', -1, 64)), nil
		}
	}
	return nil, r.invalid(n, "JSON has no such number")
}
