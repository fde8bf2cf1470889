package transfer

import (
	"bufio"
	"io"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// ExportYAML writes all keys of a tree as one YAML mapping (mapping.WriteYAMLKeys).
func ExportYAML(w io.Writer, tree *mapping.Tree) error {
	out := bufio.NewWriter(w)
	if err := mapping.WriteYAMLKeys(out, tree, encodeKey); err != nil {
		return unwritable(err)
	}
	if err := out.Flush(); err != nil {
		return unwritable(err)
	}
	return nil
}

// ParseYAML reads what ExportYAML writes; it refuses what Parse does.
func ParseYAML(data []byte, prefix string) ([]Pair, error) {
	if at := invalidUTF8(data); at >= 0 {
		return nil, bad(data, at, "it is not UTF-8: write a value of other bytes as !!binary")
	}
	list, err := mapping.ReadYAMLKeys(data, func(name string) (string, error) {
		key, err := decodeKey(name)
		switch {
		case err != nil:
			return "", mapping.Errorf(mapping.Invalid, "", "the key's base64 cannot be decoded: %w", err)
		case !below(key, prefix):
			return "", mapping.Errorf(mapping.Invalid, "", "key %s is not below %s: correct it, or give its --prefix", quote(key), prefix)
		}
		return key, nil
	})
	if err != nil {
		return nil, err
	}
	lines := make(map[string]int, len(list))
	pairs := make([]Pair, len(list))
	for i, v := range list {
		if first, twice := lines[v.Key]; twice {
			return nil, mapping.Errorf(mapping.Invalid, "", "line %d: key %q is on line %d too: leave one", v.Line, v.Key, first)
		}
		lines[v.Key] = v.Line
		pairs[i] = Pair{Key: v.Key, Value: v.Bytes, Meaning: v.Meaning, Line: v.Line}
	}
	return pairs, nil
}
