package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestViewsRefuse(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"l": [1, 2], "o": {}, "b": [true], "s": ["x"], "m": ["x\ny"]}`, "/ovs/k/x.ini", "x", "/ovs/k/y", "1")
	for _, c := range []struct {
		path, content string
		f             Format
		kind          Kind
		words         string
	}{
		{"d", "{\n  bad}\n", JSON, Invalid, "line 2, column 3"},
		{"d", "", JSON, Invalid, "empty"},
		{"d", "\ufeff{}", JSON, Invalid, "byte order mark"},
		{"d", "{} {}", JSON, Invalid, "line 1, column 4"},
		{"d", "5", JSON, Invalid, "document"},
		{"d", strings.Repeat("[", 300), JSON, Invalid, "200 levels"},
		{"k", "[1]", JSON, Invalid, "object"},
		{"k", `{"x.ini": 5, "y": 1}`, JSON, Invalid, "raw"},
		{"k", `{"x.ini": "x", "y": 1, "new.ini": {}}`, JSON, Invalid, "raw"},
		{"k", `{"a/b": 1}`, JSON, Invalid, "slash"},
		{"d", "a: [1\n", YAML, Invalid, "line"},
		{"d", "", YAML, Invalid, "empty"},
		{"d", "a: 1\n---\nb: 2\n", YAML, Invalid, "several"},
		{"d", "a: 1\nb:\n  - .inf\n", YAML, Invalid, "line 3, column 5"},
		{"d", "a: 1\na: 2\n", YAML, Invalid, "twice"},
		{"d", "? [a]\n: 2\n", YAML, Invalid, "scalar"},
		{"d", "a: !!bool hunter2\n", YAML, Invalid, "boolean"},
		{"d", "a: !!int hunter2\n", YAML, Invalid, "number"},
		{"d", "a: !x 1\n", YAML, Invalid, "tag"},
		{"d", "a: !!binary aGk=\n", YAML, Invalid, "tag"},
		{"d", "a: &a [*a]\n", YAML, Invalid, "levels"},
		{"d", "a: &a {b: 1}\nc:\n  <<: *a\n", YAML, Invalid, "merge"},
		{"d", bomb(), YAML, Invalid, "too large"},
		{"d/l", "1\nx\n", Lines, Invalid, "line 2"},
		{"d/b", "yes\n", Lines, Invalid, "line 1"},
		{"d/s", "\xff\n", Lines, Invalid, "UTF-8"},
		{"d/m", "x\n", Lines, NotFound, "no .lines"},
		{"d/o", "x\n", Lines, NotFound, "no .lines"},
		{"k", "x\n", Lines, NotFound, "no .lines"},
		{"d/l/0", "1\n", Lines, NotDirectory, "file"},
		{"none", "{}", JSON, NotFound, "no such"},
	} {
		t.Run(fmt.Sprintf("%s %.20q", c.path, c.content), func(t *testing.T) {
			edit := view(c.path, c.f, c.content)
			refused(t, tree, edit, c.kind)
			if _, err := edit(tree); err != nil && !strings.Contains(err.Error(), c.words) {
				t.Errorf("the reason does not say %q: %v", c.words, err)
			}
		})
	}
}

// bomb is YAML whose aliases would make 10^9 scalars.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 x\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return b.String()
}
