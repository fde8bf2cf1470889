package service

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Name is the name of a parameter. The component is the key that it is in, for
// a service whose configuration is a directory of keys, else empty.
type Name struct {
	Component string `json:"component_name,omitempty"`
	Param     string `json:"param_name"`
}

func (n Name) compare(m Name) int {
	return cmp.Or(cmp.Compare(n.Component, m.Component), cmp.Compare(n.Param, m.Param))
}

// Config are the parameters of a service by their names, values as decoded
// JSON with numbers in their own spelling. A value that is no JSON object is
// one parameter, called as its key.
type Config map[Name]any

// ConfigIn reads the configuration of the service from the tree of its
// directory. components: its parameters are those of components. It is false if
// there is none.
func (s Service) ConfigIn(t *mapping.Tree) (c Config, components, ok bool) {
	node, ok := t.Lookup("config")
	if !ok {
		return nil, false, false
	}
	c = Config{}
	if kv, has := node.KV(); has {
		c.add("", "config", kv.Value)
		if s.Kind == VolumeDriver {
			// One document of all components (framework, 2016-08).
			return ParseConfig(c.JSON(), true), true, true
		}
		return c, false, true
	}
	for child := range node.Children() {
		// The volumedriver takes the keys right below, and no deeper ones.
		if kv, has := child.KV(); has {
			name := child.Name()
			c.add(name, name, kv.Value)
		}
	}
	return c, true, true
}

// add takes in the value of one key.
func (c Config) add(component, key string, value []byte) {
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	if decoder.Decode(&decoded) != nil {
		decoded = string(value)
	}
	fields, ok := decoded.(map[string]any)
	if !ok {
		c[Name{Param: key}] = decoded
		return
	}
	for name, field := range fields {
		c[Name{component, name}] = field
	}
}

// names are the names of two configurations, in order.
func names(a, b Config) []Name {
	list := make([]Name, 0, len(a)+len(b))
	for name := range a {
		list = append(list, name)
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			list = append(list, name)
		}
	}
	slices.SortFunc(list, Name.compare)
	return list
}

// JSON is the configuration as an object: of the parameters, below their
// components where there are any.
func (c Config) JSON() map[string]any {
	if c == nil {
		return nil
	}
	object := map[string]any{}
	for name, value := range c {
		if name.Component == "" {
			object[name.Param] = value
			continue
		}
		component, ok := object[name.Component].(map[string]any)
		if !ok {
			component = map[string]any{}
			object[name.Component] = component
		}
		component[name.Param] = value
	}
	return object
}

// ParseConfig is the inverse of JSON. components tells whether objects are those.
func ParseConfig(object map[string]any, components bool) Config {
	c := Config{}
	for name, value := range object {
		fields, ok := value.(map[string]any)
		if !components || !ok {
			c[Name{Param: name}] = value
			continue
		}
		for param, field := range fields {
			c[Name{name, param}] = field
		}
	}
	return c
}
