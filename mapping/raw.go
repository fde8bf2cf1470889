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
	names    []segmentPattern   // for the last segment
	relative [][]segmentPattern // for the key below the prefix
	absolute [][]segmentPattern // for the whole key
}

func newRawTable(patterns []string) (*rawTable, error) {
	t := &rawTable{}
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return nil, Errorf(Invalid, "", "raw pattern %q is malformed; use the syntax of a shell pattern, such as services/*/config", p)
		}
		var segments []segmentPattern
		for segment := range strings.SplitSeq(p, "/") {
			segments = append(segments, newSegmentPattern(segment))
		}
		switch {
		case len(segments) == 1:
			t.names = append(t.names, segments[0])
		case p[0] == '/':
			t.absolute = append(t.absolute, segments)
		default:
			t.relative = append(t.relative, segments)
		}
	}
	return t, nil
}

// match reports whether key is marked raw; relative is key below the prefix.
func (t *rawTable) match(key, relative string) bool {
	name := relative[strings.LastIndexByte(relative, '/')+1:]
	for i := range t.names {
		if t.names[i].match(name) {
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

func segmentsMatch(pattern []segmentPattern, key string) bool {
	for i := range pattern {
		segment, rest, more := strings.Cut(key, "/")
		if more != (i < len(pattern)-1) || !pattern[i].match(segment) {
			return false
		}
		key = rest
	}
	return true
}

// segmentPattern is a pattern of path.Match for one segment. Every key is held
// against the table as it is loaded, so the usual shapes, a name and a star
// before a name, go without the general matcher.
type segmentPattern struct {
	pattern string
	tail    string // what a segment ends with, or is if not starred
	starred bool
	general bool
}

func newSegmentPattern(pattern string) segmentPattern {
	tail, starred := strings.CutPrefix(pattern, "*")
	return segmentPattern{pattern: pattern, tail: tail, starred: starred, general: strings.ContainsAny(tail, `*?[\`)}
}

func (p *segmentPattern) match(segment string) bool {
	switch {
	case p.general:
		ok, _ := path.Match(p.pattern, segment)
		return ok
	case p.starred:
		return strings.HasSuffix(segment, p.tail)
	}
	return segment == p.tail
}
