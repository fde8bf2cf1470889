package mapping

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	genName   = rapid.SampledFrom([]string{"a", "b", "port", "é", "x y", ".h", "%"})
	genScalar = rapid.SampledFrom([]string{`1`, `-1.50`, `true`, `null`, `"x"`, `"a\nb"`, `"\u00e9\/"`, `""`, `"5"`})
)

// genJSON is a JSON value without duplicate names, spaced in its own way.
func genJSON(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		if depth == 0 || kind < 2 {
			return genScalar.Draw(t, "scalar")
		}
		comma := rapid.SampledFrom([]string{",", ", ", ",\n  "}).Draw(t, "comma")
		var items []string
		if kind == 2 {
			items = rapid.SliceOfN(genJSON(depth-1), 0, 3).Draw(t, "elements")
			return "[" + strings.Join(items, comma) + "]"
		}
		for _, name := range rapid.SliceOfNDistinct(genName, 0, 3, rapid.ID).Draw(t, "names") {
			items = append(items, fmt.Sprintf("%q: %s", name, genJSON(depth-1).Draw(t, "field")))
		}
		return "{" + strings.Join(items, comma) + "}"
	})
}

// genKeys are keys, none of which is a directory too, with values of all sorts.
func genKeys(prefix string) *rapid.Generator[[]string] {
	return rapid.Custom(func(t *rapid.T) []string {
		var keys []string
		taken := map[string]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "keys") {
			path := strings.Join(rapid.SliceOfN(genName, 1, 3).Draw(t, "path"), "/")
			clash := taken[path]
			for other := range taken {
				clash = clash || isInside(other, path) || isInside(path, other)
			}
			if clash {
				continue
			}
			taken[path] = true
			value := rapid.OneOf(genJSON(3), rapid.SampledFrom([]string{"raw text", "two\nlines\n", "{bad"})).Draw(t, "value")
			keys = append(keys, prefix+path, value)
		}
		return keys
	})
}

func genTree(t *rapid.T, tb testing.TB) *Tree { return treeOf(tb, genKeys("/ovs/").Draw(t, "tree")...) }
