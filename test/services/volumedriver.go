package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Parameter is one of the volumedriver's, a row of volumedriver-parameters.json.
type Parameter struct {
	Component string   `json:"component"`
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Required  bool     `json:"required"`
	Enum      []string `json:"enum"`
	Versions  []string `json:"versions"`
}

// LoadParameters reads the parameters that a version of the volumedriver has.
func LoadParameters(file, version string) ([]Parameter, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []Parameter
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p Parameter) bool { return !slices.Contains(p.Versions, version) }), nil
}

// propertyTree is boost's: text, or named children, in which JSON's types are
// lost. The children of an array have no name.
type propertyTree struct {
	text     string
	children []namedTree
}

type namedTree struct {
	name string
	propertyTree
}

func (t propertyTree) get(name string) (propertyTree, bool) {
	for _, c := range t.children {
		if c.name == name {
			return c.propertyTree, true
		}
	}
	return propertyTree{}, false
}

func parsePropertyTree(text []byte) (propertyTree, error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	t, err := readPropertyTree(d)
	if err == nil && d.More() {
		err = errors.New("there is something behind the JSON text")
	}
	return t, err
}

func readPropertyTree(d *json.Decoder) (t propertyTree, err error) {
	token, err := d.Token()
	if err != nil {
		return t, err
	}
	opening, ok := token.(json.Delim)
	if !ok {
		if token == nil {
			token = "null"
		}
		return propertyTree{text: fmt.Sprint(token)}, nil
	}
	for d.More() {
		c := namedTree{}
		if opening == '{' {
			name, err := d.Token()
			if err != nil {
				return t, err
			}
			c.name = name.(string)
		}
		if c.propertyTree, err = readPropertyTree(d); err != nil {
			return t, err
		}
		t.children = append(t.children, c)
	}
	_, err = d.Token()
	return t, err
}

// FetchComponents is the fetch of a volumedriver that has one key a component (EtcdConfigFetcher.cpp): each child of
// the directory holds the JSON text of the component of its name. The text of a component that the mount shows as a
// directory is in its view.
func FetchComponents(dir string) (propertyTree, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return propertyTree{}, err
	}
	if len(list) == 0 {
		return propertyTree{}, fmt.Errorf("%s has no components", dir)
	}
	var all propertyTree
	for _, entry := range list {
		file := filepath.Join(dir, entry.Name())
		if entry.IsDir() {
			file += ".json"
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return all, err
		}
		c, err := parsePropertyTree(text)
		if err != nil {
			return all, fmt.Errorf("%s: %w", file, err)
		}
		if len(c.children) == 0 {
			return all, fmt.Errorf("%s: holds no JSON object", file)
		}
		all.children = append(all.children, namedTree{entry.Name(), c})
	}
	return all, nil
}

// FetchFile is the fetch of one that has all components in one file.
func FetchFile(file string) (propertyTree, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return propertyTree{}, err
	}
	return parsePropertyTree(text)
}

// StartVolumedriver reports why a volumedriver with these parameters would not start.
// Components and parameters that it does not know are only logged.
func StartVolumedriver(config propertyTree, parameters []Parameter) error {
	for _, p := range parameters {
		component, _ := config.get(p.Component)
		value, ok := component.get(p.Name)
		if !ok {
			// A component that is not used has no required parameters.
			if _, used := config.get(p.Component); used && p.Required && p.applies(component) {
				return fmt.Errorf("%s/%s is required and not there", p.Component, p.Name)
			}
			continue
		}
		if err := p.check(value); err != nil {
			return fmt.Errorf("%s/%s: %w", p.Component, p.Name, err)
		}
	}
	return nil
}

// applies: what a local backend needs is not read for another.
func (p *Parameter) applies(component propertyTree) bool {
	backend, _ := component.get("backend_type")
	return p.Name != "local_connection_path" || backend.text == "LOCAL"
}

func (p *Parameter) check(v propertyTree) error {
	var err error
	switch p.Type {
	case "uint16":
		_, err = strconv.ParseUint(v.text, 10, 16)
	case "uint32":
		_, err = strconv.ParseUint(v.text, 10, 32)
	case "uint64":
		_, err = strconv.ParseUint(v.text, 10, 64)
	case "int32":
		_, err = strconv.ParseInt(v.text, 10, 32)
	case "float":
		_, err = strconv.ParseFloat(v.text, 32)
	case "boolean":
		if !slices.Contains([]string{"true", "false", "1", "0"}, v.text) {
			err = fmt.Errorf("%q is no boolean", v.text)
		}
	case "enum":
		if !slices.Contains(p.Enum, v.text) {
			err = fmt.Errorf("%q is none of %q", v.text, p.Enum)
		}
	case "dimensioned_size":
		err = checkSize(v.text)
	case "array<mount_point>":
		err = eachElement(v, "path", "size")
	case "array<arakoon_node>":
		err = eachElement(v, "node_id", "host", "port")
	case "array<mds_node>":
		err = eachElement(v, "host", "port")
	case "array<mds_server>":
		err = eachElement(v, "host", "port", "db_directory", "scratch_directory")
	case "array<amqp_uri>":
		err = eachElement(v, "amqp_uri")
	case "string", "uri":
		if len(v.children) > 0 {
			err = errors.New("is an object or a list, and must be text")
		}
	}
	return err
}

// checkSize takes an unsigned number and a unit, or UNLIMITED.
func checkSize(text string) error {
	if text == "UNLIMITED" {
		return nil
	}
	digits := strings.TrimRight(text, "KMGTPiB")
	unit := text[len(digits):]
	if _, err := strconv.ParseUint(digits, 10, 64); err != nil {
		return err
	}
	if !slices.Contains([]string{"B", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB"}, unit) {
		return fmt.Errorf("%q has no unit", text)
	}
	return nil
}

func eachElement(v propertyTree, fields ...string) error {
	for i, c := range v.children {
		if c.name != "" {
			return errors.New("is an object, and must be a list")
		}
		for _, field := range fields {
			value, ok := c.get(field)
			if !ok {
				return fmt.Errorf("element %d has no %s", i, field)
			}
			switch field {
			case "port":
				if _, err := strconv.ParseUint(value.text, 10, 16); err != nil {
					return err
				}
			case "size":
				if err := checkSize(value.text); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
