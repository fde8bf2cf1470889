package volume

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
)

// config is a volume's configuration in the order of its fields.
type config struct {
	names  []string
	values map[string]any
}

var errNoObject = errors.New("no JSON object")

func parseConfig(text []byte) (config, error) {
	c := config{values: map[string]any{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return c, errNoObject
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return c, err
		}
		name, _ := token.(string)
		var value any
		if err := decoder.Decode(&value); err != nil {
			return c, err
		}
		if _, twice := c.values[name]; !twice {
			c.names = append(c.names, name)
		}
		c.values[name] = value
	}
	return c, nil
}

// text is a field as text, empty if it is not there, null or no string.
func (c config) text(name string) string {
	s, _ := c.values[name].(string)
	return s
}

// missing are the required fields that are absent.
func (c config) missing() (names []string) {
	for _, name := range required {
		if _, ok := c.values[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// unset are the required fields that are absent, null or empty.
func (c config) unset() (names []string) {
	for _, name := range required {
		if v, ok := c.values[name]; !ok || v == nil || v == "" {
			names = append(names, name)
		}
	}
	return names
}

// without is the configuration as JSON, less some fields.
func (c config) without(names []string) []byte {
	kept := make(map[string]any, len(c.values))
	for name, value := range c.values {
		if !slices.Contains(names, name) {
			kept[name] = value
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil // it was decoded from JSON
	}
	return text
}

// changes are the fields that differ, those of after first, in its order.
func changes(before, after config) (list []Change) {
	list = []Change{}
	for _, name := range after.names {
		if old, is := before.values[name], after.values[name]; !reflect.DeepEqual(old, is) {
			list = append(list, Change{name, old, is})
		}
	}
	for _, name := range before.names {
		if _, ok := after.values[name]; !ok && before.values[name] != nil {
			list = append(list, Change{name, before.values[name], nil})
		}
	}
	return list
}

// all are the changes that make the configuration out of nothing, or nothing out of it.
func (c config) all(gone bool) []Change {
	list := make([]Change, 0, len(c.names))
	for _, name := range c.names {
		change := Change{Name: name, New: c.values[name]}
		if gone {
			change.Old, change.New = change.New, nil
		}
		list = append(list, change)
	}
	return list
}
