package model

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is what a key or a field holds: a JSON value or raw bytes. is is the
// name that user.type has for it.
type value struct {
	is     string
	text   string // of a scalar: its text, as decoded; of a raw value its bytes
	fields map[string]*value
	items  []*value
}

func (v *value) isDir() bool { return v.is == "object" || v.is == "array" }

func (v *value) len() int { return len(v.fields) + len(v.items) }

func (v *value) clone() *value {
	c := &value{is: v.is, text: v.text}
	if v.fields != nil {
		c.fields = make(map[string]*value, len(v.fields))
		for name, f := range v.fields {
			c.fields[name] = f.clone()
		}
	}
	for _, item := range v.items {
		c.items = append(c.items, item.clone())
	}
	return c
}

func (v *value) equal(w *value) bool {
	if v.is != w.is || v.text != w.text || len(v.fields) != len(w.fields) || len(v.items) != len(w.items) {
		return false
	}
	for name, f := range v.fields {
		if g := w.fields[name]; g == nil || !f.equal(g) {
			return false
		}
	}
	for i, item := range v.items {
		if !item.equal(w.items[i]) {
			return false
		}
	}
	return true
}

func emptyObject() *value { return &value{is: "object", fields: map[string]*value{}} }

func text(s string) *value { return &value{is: "string", text: s} }

// parse reads stored bytes.
func parse(stored string) *value {
	if !json.Valid([]byte(stored)) {
		return &value{is: "raw", text: stored}
	}
	d := json.NewDecoder(strings.NewReader(stored))
	d.UseNumber()
	var any any
	if err := d.Decode(&any); err != nil {
		panic(err)
	}
	return valueOf(any)
}

func valueOf(any any) *value {
	switch x := any.(type) {
	case string:
		return text(x)
	case json.Number:
		return &value{is: "number", text: x.String()}
	case bool:
		return &value{is: "boolean", text: strconv.FormatBool(x)}
	case []interface{}:
		v := &value{is: "array"}
		for _, item := range x {
			v.items = append(v.items, valueOf(item))
		}
		return v
	case map[string]interface{}:
		v := emptyObject()
		for name, f := range x {
			v.fields[name] = valueOf(f)
		}
		return v
	}
	return &value{is: "null", text: "null"}
}

// write is the value as JSON text; raw bytes as they are.
func (v *value) write() string {
	switch v.is {
	case "string":
		b, err := json.Marshal(v.text)
		if err != nil {
			panic(err)
		}
		return string(b)
	case "object":
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v.fields)) {
			parts = append(parts, text(name).write()+": "+v.fields[name].write())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case "array":
		var parts []string
		for _, item := range v.items {
			parts = append(parts, item.write())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return v.text
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// addsNewline reports whether the file has a newline that is not stored.
func (v *value) addsNewline() bool {
	switch v.is {
	case "string":
		return v.text != ""
	case "raw":
		return v.text != "" && isText(v.text) && !strings.HasSuffix(v.text, "\n")
	}
	return true
}

// content is what the file reads.
func (v *value) content() string {
	if v.addsNewline() {
		return v.text + "\n"
	}
	return v.text
}

func chomp(s string) string { return strings.TrimSuffix(s, "\n") }

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// encode is the value of a type that a file's content means, nil if it means none.
func encode(content, to string) *value {
	s := chomp(content)
	switch to {
	case "string":
		if utf8.ValidString(s) {
			return text(s)
		}
	case "number":
		if number.MatchString(s) {
			return &value{is: to, text: s}
		}
	case "boolean":
		switch s {
		case "true", "True":
			return &value{is: to, text: "true"}
		case "false", "False":
			return &value{is: to, text: "false"}
		}
	case "null":
		if s == "" || s == "null" {
			return parse("null")
		}
	case "object", "array":
		if v := parse(s); v.is == to {
			return v
		}
	}
	return nil
}

// infer is the value of a new file, nil if it can have none.
func infer(content string, field bool) *value {
	s := chomp(content)
	if v := parse(s); v.isDir() || v.is != "raw" && string(bytes.TrimSpace([]byte(s))) == s {
		return v
	}
	if !field && (!isText(content) || strings.Contains(s, "\n")) && parse(content).is == "raw" {
		return &value{is: "raw", text: content}
	}
	return encode(content, "string")
}

// overwritten is the value that v becomes when content is written to its file.
func (v *value) overwritten(content string, field bool) *value {
	switch {
	case content == v.content():
		return v
	case v.is == "raw":
		if v.addsNewline() {
			content = chomp(content)
		}
		return parse(content)
	case v.is == "null":
		return infer(content, field)
	}
	return encode(content, v.is)
}

// inField is the value as a field, nil if no field can hold it.
func (v *value) inField() *value {
	if v.is == "raw" {
		return encode(v.content(), "string")
	}
	return v
}

// fitted is the leaf v as it replaces the leaf at: of that one's type if it fits.
func (v *value) fitted(at *value, field bool) *value {
	if v.is != at.is && at.is != "null" && at.is != "raw" {
		if fit := encode(v.content(), at.is); fit != nil {
			return fit
		}
	}
	if field {
		return v.inField()
	}
	return v
}
