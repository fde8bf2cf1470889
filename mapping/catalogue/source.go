package catalogue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// fileURL names the file to the schema library.
const fileURL = "catalogue:///catalogue"

// source is the file as it is written.
type source struct {
	References map[string]string `json:"references"`
	Entries    []struct {
		Path   string `json:"path"`
		Raw    string `json:"raw"`
		Class  Class  `json:"class"`
		Loose  bool   `json:"loose"`
		Schema any    `json:"schema"`
	} `json:"entries"`
	Defs map[string]any `json:"$defs"`
}

func parse(data []byte) (*Catalogue, error) {
	var tree any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("the catalogue is no YAML: %w", err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("the catalogue is not JSON in YAML: %w", err)
	}
	var src source
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&src); err != nil {
		return nil, fmt.Errorf("the catalogue is not of its form: %w", err)
	}
	file, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the catalogue: %w", err)
	}
	c := &Catalogue{
		file:       file,
		references: src.References,
		root:       &branch{names: map[string]*branch{}},
		compiler:   jsonschema.NewCompiler(),
		compiled:   map[string]*jsonschema.Schema{},
	}
	if err := c.compiler.AddResource(fileURL, file); err != nil {
		return nil, fmt.Errorf("the catalogue: %w", err)
	}
	for i, row := range src.Entries {
		e := &entry{pattern: row.Path, raw: row.Raw, class: row.Class, loose: row.Loose}
		if row.Path == "" || path.Clean(row.Path) != row.Path || row.Path[0] == '/' {
			return nil, fmt.Errorf("the catalogue's entry %d has the path %q", i, row.Path)
		}
		if (row.Raw == "") == (row.Schema == nil) {
			return nil, fmt.Errorf("the catalogue's entry %s must have a schema or a raw format", row.Path)
		}
		if row.Schema != nil {
			pointer := "/entries/" + strconv.Itoa(i) + "/schema"
			if e.schema, err = c.schemaAt(pointer); err != nil {
				return nil, err
			}
			if _, err := c.compile(pointer); err != nil {
				return nil, fmt.Errorf("the catalogue's schema of %s: %w", row.Path, err)
			}
		}
		if c.root.add(e) {
			return nil, fmt.Errorf("the catalogue has %s twice", row.Path)
		}
	}
	return c, nil
}

// compile returns the schema at a pointer into the file. Those of fields are
// compiled when a field is first met as a key of its own.
func (c *Catalogue) compile(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.compiled[pointer]; s != nil {
		return s, nil
	}
	s, err := c.compiler.Compile(fileURL + "#" + strings.ReplaceAll(pointer, "%", "%25"))
	if err != nil {
		return nil, err
	}
	c.compiled[pointer] = s
	return s, nil
}
