package catalogue

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// each visits the fields of an object in the order of their names, or the
// elements of an array.
func each(value any, visit func(name string, item any)) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			visit(name, v[name])
		}
	case []any:
		for i, item := range v {
			visit(strconv.Itoa(i), item)
		}
	}
}

// field is a field of an object, nil if there is none or it is no object.
func field(value any, name string) any {
	object, _ := value.(map[string]any)
	return object[name]
}

// elements are those of an array, none if it is not one.
func elements(value any) []any {
	array, _ := value.([]any)
	return array
}

// textOf is a scalar as boost's property_tree keeps it.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// wholeOf is a number, in quotes or not.
func wholeOf(value any) (int64, bool) {
	n, err := strconv.ParseInt(textOf(value), 10, 64)
	return n, err == nil
}
