package catalogue

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Validate holds one key's whole value against its *schema and against the rules
// among its fields. path is the shown path of the key, which may lie below a
// document of the catalogue or be a whole directory of it in one document. A
// path that the catalogue does not know has no problems.
func (c *Catalogue) Validate(path string, stored []byte) []Problem {
	m, ok := c.locate(path)
	if !ok {
		return nil
	}
	if m.entry == nil {
		return sorted(c.validateDirectory(path, stored))
	}
	if m.entry.raw != "" {
		return sorted(c.validateRaw(m, path, stored))
	}
	s, ok := c.schemaOf(m)
	if !ok {
		parent, name := path[:strings.LastIndexByte(path, '/')], path[strings.LastIndexByte(path, '/')+1:]
		return []Problem{missing(path, "unknown-field", "is no field that "+parent+" can have: is "+name+" spelled right?")}
	}
	doc, err := decode(stored)
	if err != nil {
		p := c.problem(path, "json", string(stored), "is not JSON ("+err.Error()+"), and "+needs(s))
		if s.allows("object") || s.allows("array") {
			p.Value = count(len(stored), "byte") // which may hold a secret anywhere
		}
		return []Problem{p}
	}
	var list []Problem
	for _, way := range doc.twice {
		list = append(list, missing(join(path, way...), "duplicate-field", "is there more than once; the last one counts"))
	}
	list = append(list, c.validateValue(m.entry, s, path, doc.value)...)
	if len(m.fields) == 0 {
		list = append(list, c.validateFields(m.entry.pattern, path, doc.value)...)
	}
	return sorted(list)
}

// validateDocument holds a whole document of an entry, however it is stored.
func (c *Catalogue) validateDocument(e *entry, path string, doc any) []Problem {
	return append(c.validateValue(e, e.schema, path, doc), c.validateFields(e.pattern, path, doc)...)
}

// validateDirectory holds a document that stands for a whole directory of the
// catalogue, such as all components of a volumedriver, against what is below.
func (c *Catalogue) validateDirectory(path string, stored []byte) []Problem {
	doc, err := decode(stored)
	object, ok := doc.value.(map[string]any)
	if err != nil || !ok {
		return nil
	}
	var list []Problem
	for name, value := range object {
		text, err := json.Marshal(value)
		if err != nil {
			continue
		}
		list = append(list, c.Validate(join(path, name), text)...)
	}
	return list
}

// schemaOf is the schema of a match, at whatever depth.
func (c *Catalogue) schemaOf(m match) (*schema, bool) {
	s := m.entry.schema
	for _, field := range m.fields {
		name, err := mapping.DecodeName(field)
		if err != nil {
			return nil, false
		}
		var ok bool
		if s, ok = s.child(name); !ok {
			return nil, false
		}
	}
	return s, true
}

// validateValue is what JSON Schema says of a value.
func (c *Catalogue) validateValue(e *entry, s *schema, path string, value any) []Problem {
	if s.pointer == "" {
		return nil
	}
	compiled, err := c.compile(s.pointer)
	if err != nil {
		return nil // Load has compiled all that the file has
	}
	var list []Problem
	s.walk(path, value, func(path string, s *schema, v any) {
		if n, ok := v.(json.Number); ok && !e.loose && onlyWhole(s) && strings.ContainsAny(n.String(), ".eE") {
			list = append(list, c.problem(path, "number", v, "must be a whole number, written without a point or an exponent"))
		}
	})
	held := value
	if e.loose {
		held = s.loosen(value)
	}
	held = tame(held)
	var invalid *jsonschema.ValidationError
	if errors.As(compiled.Validate(held), &invalid) {
		list = append(list, c.explain(invalid, path, value)...)
	}
	return list
}

func onlyWhole(s *schema) bool { return s.allows("integer") && !s.allows("number") }

// walk visits a value and everything in it that the schema speaks of.
func (s *schema) walk(path string, value any, visit func(path string, s *schema, value any)) {
	visit(path, s, value)
	each(value, func(name string, item any) {
		if child, ok := s.child(name); ok {
			child.walk(join(path, name), item, visit)
		}
	})
}

// loosen turns a value into what boost's property_tree makes of it, which keeps
// all scalars as text: numbers and booleans in quotes are as good as without,
// and a number is as good a string. What has no meaning for the type stays.
func (s *schema) loosen(value any) any {
	switch v := value.(type) {
	case map[string]any:
		loose := make(map[string]any, len(v))
		for name, item := range v {
			loose[name] = item
			if child, ok := s.child(name); ok {
				loose[name] = child.loosen(item)
			}
		}
		return loose
	case []any:
		loose := slices.Clone(v)
		if child, ok := s.child("0"); ok {
			for i := range loose {
				loose[i] = child.loosen(loose[i])
			}
		}
		return loose
	case string:
		switch {
		case s.allows("integer") && wholeNumber(v), s.allows("number") && json.Valid([]byte(v)) && startsNumber(v):
			return json.Number(v)
		case s.allows("boolean") && (v == "true" || v == "1"):
			return true
		case s.allows("boolean") && (v == "false" || v == "0"):
			return false
		}
	case json.Number:
		switch {
		case s.allows("string"):
			return v.String()
		case s.allows("boolean") && (v == "0" || v == "1"):
			return v == "1"
		}
	case bool:
		if s.allows("string") {
			if v {
				return "true"
			}
			return "false"
		}
	}
	return value
}

func startsNumber(s string) bool { return s != "" && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') }

func wholeNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && json.Valid([]byte(s))
}
