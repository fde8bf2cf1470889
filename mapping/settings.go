package mapping

import (
	"slices"
	"strings"
)

// Settings say how a prefix is shown.
type Settings struct {
	// Prefix is the directory of keys that is the root: "/ovs". It starts with a slash and ends without; "" shows every key that starts with a slash.
	Prefix string
	// Raw are further patterns of values to show as their bytes, as in the built-in table: with slashes they are
	// matched per segment (path.Match) against the key below the prefix, or against the whole key if they start with
	// one; without, against the last segment of every key.
	Raw []string
	// Exact shows every leaf without an added newline.
	Exact bool
	// TypeOf knows what type a new entry at a shown path should have, "" if it does not. It may be nil, and is called from any number of goroutines.
	TypeOf func(path string) Type
}

func (s Settings) check() error {
	switch {
	case s.Prefix == "":
		return nil
	case s.Prefix[0] != '/':
		return Errorf(Invalid, s.Prefix, "the prefix must start with a slash; give /%s", s.Prefix)
	case s.Prefix == "/":
		return Errorf(Invalid, s.Prefix, "the prefix must name a directory of keys, such as /ovs")
	case strings.HasSuffix(s.Prefix, "/"):
		return Errorf(Invalid, s.Prefix, "the prefix must not end with a slash; give %s", strings.TrimRight(s.Prefix, "/"))
	case slices.Contains(strings.Split(s.Prefix[1:], "/"), ""):
		return Errorf(Invalid, s.Prefix, "the prefix must not hold two slashes in a row")
	case strings.ContainsRune(s.Prefix, 0):
		return Errorf(Invalid, s.Prefix, "the prefix must not hold a NUL byte")
	}
	return nil
}
