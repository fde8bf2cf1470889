package mapping

import "strings"

// Format is how a view writes a directory down.
type Format uint8

// The formats, and the suffix of the directory's name that asks for each.
const (
	JSON  Format = iota + 1 // .json
	YAML                    // .yaml
	Lines                   // .lines: an array of scalars, one a line
)

// ViewOf splits the name of a view into the directory it is of and the format.
func ViewOf(name string) (target string, f Format, ok bool) {
	for suffix, f := range map[string]Format{".json": JSON, ".yaml": YAML, ".lines": Lines} {
		if target, ok := strings.CutSuffix(name, suffix); ok && target != "" {
			return target, f, true
		}
	}
	return "", 0, false
}

// Render writes a directory down. The text ends with a newline.
func Render(n Node, f Format) ([]byte, error) {
	return nil, Errorf(NotSupported, n.Name(), "not yet")
}

// WriteView plans the directory at path to be what the text says.
func WriteView(path string, f Format, content []byte) Edit {
	return func(*Tree) (Plan, error) { return Plan{}, Errorf(NotSupported, path, "not yet") }
}

// RemoveView plans the removal of a document through one of its views.
func RemoveView(path string, f Format) Edit {
	return func(*Tree) (Plan, error) { return Plan{}, Errorf(NotSupported, path, "not yet") }
}

// SetType plans the entry at path to have another type.
func SetType(path string, to Type) Edit {
	return func(*Tree) (Plan, error) { return Plan{}, Errorf(NotSupported, path, "not yet") }
}
