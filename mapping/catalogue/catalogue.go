package catalogue

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/openvstorage/ovscfgfs/mapping"
)

//go:embed catalogue.yaml
var embedded []byte

// Catalogue is the table of known paths. It is safe for concurrent use.
type Catalogue struct {
	file       any // the whole file as JSON, that the pointers of schemas point into
	references map[string]string
	root       *branch

	mu       sync.Mutex // guards what follows
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema // by pointer
}

// Kind is what a path holds.
type Kind string

// The kinds of paths.
const (
	Document Kind = "document" // a key whose value is a JSON object or array
	Scalar   Kind = "scalar"   // a key whose value is a JSON scalar
	Raw      Kind = "raw"      // a key whose value is no JSON
	Field    Kind = "field"    // a field of a document, at any depth
)

// Class says when a running service takes a changed value.
type Class string

// The classes. A path without one holds parameters of several, or of none.
const (
	Dynamic   Class = "dynamic"   // at its next reload
	Restart   Class = "restart"   // when it is started again
	Immutable Class = "immutable" // never: it is an identity
)

// Entry is what is known of one path.
type Entry struct {
	// Pattern is the path with a star for each segment that varies, of a field with its field names.
	Pattern string
	Kind    Kind
	Class   Class
	// Reference names what the value refers to ("url", "arakoon-cluster", "vrouter", ...); empty if nothing.
	Reference string
	// Secret values are never shown in words.
	Secret bool
	// Type is the one type that the value may have, besides null if Nullable; empty if there are several or none is known.
	Type     mapping.Type
	Nullable bool
	// Default is the JSON text of the value that a missing field stands for; nil without one.
	Default []byte
	// Required fields must be in their document.
	Required bool
}

// Dynamic reports whether a running service takes a changed value.
func (e Entry) Dynamic() bool { return e.Class == Dynamic }

// Load reads the embedded catalogue. An error means that the program was built
// with a broken one.
func Load() (*Catalogue, error) { return parse(embedded) }

// Entry returns what is known of a path, which need not exist. Paths below a
// document are its fields, whether they are stored as one document or as keys.
func (c *Catalogue) Entry(path string) (Entry, bool) {
	m, ok := c.match(path)
	if !ok {
		return Entry{}, false
	}
	return c.entryOf(m)
}

// Class is the class of a path, empty if it has none.
func (c *Catalogue) Class(path string) Class {
	e, _ := c.Entry(path)
	return e.Class
}

// TypeOf is the type that a new leaf or directory at path is to have, empty when
// the catalogue does not say or leaves it to the text: a value that may be null
// is null when it is written as null.
func (c *Catalogue) TypeOf(path string) mapping.Type {
	e, ok := c.Entry(path)
	if !ok || e.Nullable {
		return ""
	}
	return e.Type
}

// entryOf describes the field, or the whole value, that a match stands for.
func (c *Catalogue) entryOf(m match) (Entry, bool) {
	pattern := m.entry.pattern
	if m.entry.raw != "" {
		return Entry{Pattern: pattern, Kind: Raw, Class: m.entry.class, Type: mapping.Raw}, len(m.fields) == 0
	}
	s := m.entry.schema
	e := Entry{}
	s.describe(&e)
	for _, field := range m.fields {
		name, err := mapping.DecodeName(field)
		if err != nil {
			return Entry{}, false
		}
		child, ok := s.child(name)
		if !ok {
			return Entry{}, false
		}
		e = Entry{Class: e.Class, Secret: e.Secret, Required: slices.Contains(s.required, name)}
		child.describe(&e)
		if s.properties[name] == nil {
			field = "*"
		}
		pattern += "/" + field
		s = child
	}
	e.Pattern = pattern
	switch {
	case len(m.fields) > 0:
		e.Kind = Field
	case e.Type == mapping.Object || e.Type == mapping.Array:
		e.Kind = Document
	default:
		e.Kind = Scalar
	}
	return e, true
}
