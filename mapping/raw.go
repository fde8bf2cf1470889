package mapping

import (
	"path"
	"strings"
)

// rawPaths are the values that are shown as their bytes whatever they look
// like: the INI files of Arakoon and of the ALBA proxies, which the services
// read whole, and what the framework names .ini or .raw (openvstorage
// framework-extensions, file_extensions.py).
//
// A pattern with slashes is matched segment by segment with path.Match against
// the key below the prefix, or against the whole key if it starts with a
// slash; one without any is matched against the last segment of every key.
func rawPaths() []string {
	return []string{
		"arakoon/*/config",
		"vpools/*/proxies/*/config/abm",
		"*.ini",
		"*.raw",
	}
}

// rawTable tells which keys are marked raw.
type rawTable struct {
	names    []string   // for the last segment
	relative [][]string // split patterns for the key below the prefix
	absolute [][]string // split patterns for the whole key
}

func newRawTable(patterns []string) (*rawTable, error) {
	t := &rawTable{}
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return nil, Errorf(Invalid, "", "raw pattern %q is malformed; use the syntax of a shell pattern, such as services/*/config", p)
		}
		switch {
		case strings.HasPrefix(p, "/"):
			t.absolute = append(t.absolute, strings.Split(p, "/"))
		case strings.Contains(p, "/"):
			t.relative = append(t.relative, strings.Split(p, "/"))
		default:
			t.names = append(t.names, p)
		}
	}
	return t, nil
}

// match reports whether key is marked raw; relative is key below the prefix.
func (t *rawTable) match(key, relative string) bool {
	name := relative[strings.LastIndexByte(relative, '/')+1:]
	for _, p := range t.names {
		if segmentMatch(p, name) {
			return true
		}
	}
	for _, p := range t.relative {
		if segmentsMatch(p, relative) {
			return true
		}
	}
	for _, p := range t.absolute {
		if segmentsMatch(p, key) {
			return true
		}
	}
	return false
}

func segmentsMatch(pattern []string, key string) bool {
	for i, p := range pattern {
		segment, rest, more := strings.Cut(key, "/")
		if more != (i < len(pattern)-1) || !segmentMatch(p, segment) {
			return false
		}
		key = rest
	}
	return true
}

func segmentMatch(pattern, segment string) bool {
	// Every key is held against the table as it is loaded: the usual shapes go without the general matcher.
	if pattern == "*" || pattern == segment {
		return true
	}
	if tail, ok := strings.CutPrefix(pattern, "*"); ok && !strings.ContainsAny(tail, `*?[\`) {
		return strings.HasSuffix(segment, tail)
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		return false
	}
	ok, _ := path.Match(pattern, segment)
	return ok
}
