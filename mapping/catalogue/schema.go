package catalogue

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// schema is what this package asks a JSON Schema of the file, worked out once:
// the words that the file adds to JSON Schema, and the way to the schemas of
// fields and elements. Validation itself is the schema library's.
type schema struct {
	// pointer is the place in the file; empty for one that says nothing.
	pointer   string
	types     []string // the names of JSON Schema; none listed means all
	class     Class
	reference string
	secret    bool
	words     string // what a pattern means
	def       []byte
	required  []string

	properties map[string]*schema
	patterns   []patternSchema
	items      *schema
	additional *schema // of further fields; nil when closed
	closed     bool
}

type patternSchema struct {
	expression *regexp.Regexp
	*schema
}

// anything is the schema that says nothing, neither of a value nor of what is in it.
func anything() *schema {
	open := &schema{}
	open.additional = open
	return &schema{additional: open}
}

// schemaAt works out the schema at a pointer. A $ref is taken in: what stands
// beside it counts before what it names.
func (c *Catalogue) schemaAt(pointer string) (*schema, error) {
	words, ok := c.at(pointer).(map[string]any)
	if !ok {
		return anything(), nil // true and false; what false forbids the library says
	}
	s := anything()
	if ref, ok := words["$ref"].(string); ok {
		named, err := c.schemaAt(strings.TrimPrefix(ref, "#"))
		if err != nil {
			return nil, err
		}
		*s = *named
	}
	s.pointer = pointer
	for name, value := range words {
		if err := s.learn(c, name, value); err != nil {
			return nil, fmt.Errorf("the catalogue at %s/%s: %w", pointer, name, err)
		}
	}
	return s, nil
}

// learn takes in one word of a schema.
func (s *schema) learn(c *Catalogue, name string, value any) (err error) {
	below := s.pointer + "/" + name
	switch name {
	case "type":
		s.types = names(value)
	case "required":
		s.required = names(value)
	case "class":
		s.class = Class(names(value)[0])
		if !slices.Contains([]Class{Dynamic, Restart, Immutable}, s.class) {
			return fmt.Errorf("%q is no class", s.class)
		}
	case "reference":
		s.reference = names(value)[0]
		if _, known := c.references[s.reference]; !known {
			return fmt.Errorf("%q is not in the table of references", s.reference)
		}
	case "secret":
		s.secret = value == true
	case "words":
		s.words = names(value)[0]
	case "default":
		s.def, err = json.Marshal(value)
	case "items":
		s.items, err = c.schemaAt(below)
	case "additionalProperties":
		s.closed = value == false
		s.additional, err = c.schemaAt(below)
	case "properties":
		s.properties = map[string]*schema{}
		for field := range value.(map[string]any) {
			if s.properties[field], err = c.schemaAt(below + "/" + pointerEscape.Replace(field)); err != nil {
				return err
			}
		}
	case "patternProperties":
		for pattern := range value.(map[string]any) {
			p := patternSchema{}
			if p.expression, err = regexp.Compile(pattern); err != nil {
				return err
			}
			if p.schema, err = c.schemaAt(below + "/" + pointerEscape.Replace(pattern)); err != nil {
				return err
			}
			s.patterns = append(s.patterns, p)
		}
	}
	return err
}

var (
	pointerEscape   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// at returns what is at a pointer into the file, nil if nothing.
func (c *Catalogue) at(pointer string) any {
	way := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, step := range way {
		way[i] = pointerUnescape.Replace(step)
	}
	return inside(c.file, way)
}

// names are one text or a list of them.
func names(value any) []string {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	list := []string{}
	for _, item := range elements(value) {
		list = append(list, textOf(item))
	}
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

func (s *schema) allows(name string) bool { return slices.Contains(s.types, name) }

// child is the schema of a field or an element: false if there can be none of the name.
func (s *schema) child(name string) (*schema, bool) {
	if child := s.properties[name]; child != nil {
		return child, true
	}
	for _, p := range s.patterns {
		if p.expression.MatchString(name) {
			return p.schema, true
		}
	}
	if isIndex(name) && (s.items != nil || s.allows("array")) {
		if s.items != nil {
			return s.items, true
		}
		return s.additional, s.additional != nil
	}
	if s.closed || s.additional == nil || len(s.types) > 0 && !s.allows("object") {
		return nil, false
	}
	return s.additional, true
}

func isIndex(name string) bool {
	i, err := strconv.Atoi(name)
	return err == nil && i >= 0 && strconv.Itoa(i) == name
}

// describe adds to an entry what the schema says of its value.
func (s *schema) describe(e *Entry) {
	if s.class != "" {
		e.Class = s.class
	}
	e.Reference = s.reference
	e.Secret = e.Secret || s.secret
	e.Default = s.def
	var types []mapping.Type
	for _, name := range s.types {
		if name == "null" {
			e.Nullable = true
		} else if is := typeOf(name); !slices.Contains(types, is) {
			types = append(types, is)
		}
	}
	if len(types) == 1 {
		e.Type = types[0]
	}
}

// typeOf is the tree's name of a JSON Schema type.
func typeOf(name string) mapping.Type {
	if name == "integer" {
		return mapping.Number
	}
	return mapping.Type(name)
}
