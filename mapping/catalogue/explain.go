package catalogue

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain turns a refusal of the schema library into problems, one for each
// value that is wrong.
func (c *Catalogue) explain(e *jsonschema.ValidationError, path string, value any) []Problem {
	if len(e.Causes) > 0 {
		var list []Problem
		for _, cause := range e.Causes {
			list = append(list, c.explain(cause, path, value)...)
		}
		// A value of the wrong type is also not one of an enumeration: said once.
		mistyped := map[string]bool{}
		for _, p := range list {
			if p.Rule == "type" {
				mistyped[p.Path] = true
			}
		}
		return slices.DeleteFunc(list, func(p Problem) bool { return p.Rule != "type" && mistyped[p.Path] })
	}
	at := join(path, e.InstanceLocation...)
	v := inside(value, e.InstanceLocation)
	one := func(rule, words string) []Problem { return []Problem{c.problem(at, rule, v, words)} }
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return one("type", "must be "+anyOf(k.Want))
	case *kind.Enum:
		return one("enum", "must be "+alternatives(k.Want))
	case *kind.Const:
		return one("enum", "must be "+shown(k.Want))
	case *kind.Minimum:
		return one("range", "must be at least "+number(k.Want))
	case *kind.Maximum:
		return one("range", "must be at most "+number(k.Want))
	case *kind.ExclusiveMinimum:
		return one("range", "must be more than "+number(k.Want))
	case *kind.ExclusiveMaximum:
		return one("range", "must be less than "+number(k.Want))
	case *kind.MultipleOf:
		return one("range", "must be a multiple of "+number(k.Want))
	case *kind.MinLength:
		if k.Want == 1 {
			return one("length", "must not be empty")
		}
		return one("length", "must have at least "+count(k.Want, "character"))
	case *kind.MaxLength:
		return one("length", "must have at most "+count(k.Want, "character"))
	case *kind.MinItems:
		return one("items", "must have at least "+count(k.Want, "element"))
	case *kind.MaxItems:
		return one("items", "must have at most "+count(k.Want, "element"))
	case *kind.UniqueItems:
		return []Problem{c.problem(join(at, strconv.Itoa(k.Duplicates[1])), "unique-items", inside(v, []string{strconv.Itoa(k.Duplicates[1])}),
			"is in the list already, as element "+strconv.Itoa(k.Duplicates[0]))}
	case *kind.Pattern:
		return one("format", "must be "+c.meaning(e.SchemaURL, k.Want))
	case *kind.Required:
		var list []Problem
		for _, name := range k.Missing {
			list = append(list, missing(join(at, name), "required", "is missing, and must be there"))
		}
		return list
	case *kind.AdditionalProperties:
		var list []Problem
		for _, name := range k.Properties {
			list = append(list, c.problem(join(at, name), "unknown-field", inside(v, []string{name}), "is no field that this can have: is its name spelled right?"))
		}
		return list
	case *kind.FalseSchema:
		return one("unknown-field", "must not be there")
	}
	// The file uses no other words of JSON Schema yet; say at least where it is.
	return one("schema", "does not fit the schema")
}

// meaning says in words what a pattern is there for.
func (c *Catalogue) meaning(schemaURL, pattern string) string {
	if _, pointer, ok := strings.Cut(schemaURL, "#"); ok {
		if words, ok := c.at(pointer + "/words").(string); ok {
			return words
		}
	}
	return "text that matches " + pattern
}

// inside is the value at a way into a decoded value, nil if there is none.
func inside(v any, way []string) any {
	for _, name := range way {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func anyOf(types []string) string {
	words := make([]string, len(types))
	for i, name := range types {
		words[i] = withArticle(name)
	}
	return strings.Join(words, " or ")
}

func withArticle(name string) string {
	switch name {
	case "integer", "object", "array":
		if name == "integer" {
			return "a whole number"
		}
		return "an " + name
	case "null":
		return "null"
	}
	return "a " + name
}

// needs says what a value must be.
func needs(s *schema) string {
	if len(s.types) > 0 {
		return "must be " + anyOf(s.types)
	}
	return "must be JSON"
}

func alternatives(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = shown(v)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func number(n *big.Rat) string {
	if n.IsInt() {
		return n.Num().String()
	}
	f, _ := n.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}
