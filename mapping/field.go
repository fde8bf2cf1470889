package mapping

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// field is one value within a document, by offsets into the document's text.
// Field 0 is the document itself; a container is followed by what is in it.
type field struct {
	// name and nameEnd bound the name of an object's member, between its
	// quotes; of an array's element name is the index.
	name, nameEnd uint32
	start, end    uint32 // the JSON text
	parent        uint32
	next          uint32 // the field behind all that is in this one
	count         uint32 // a container's fields
	kind          kind
	escapedName   bool // the name holds a backslash
	escaped       bool // the string holds a backslash
}

// unquote decodes what stands between the quotes of a valid JSON string. What
// is not UTF-8 stays as it is; half of a surrogate pair becomes U+FFFD, as in
// encoding/json.
func unquote(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		out = append(out, s[:i]...)
		var r rune
		r, i = escapeAt(s, i)
		out = utf8.AppendRune(out, r)
		s = s[i:]
	}
	return string(append(out, s...))
}

// unquotedLen is len(unquote(s)).
func unquotedLen(s string) int {
	n := 0
	for i := strings.IndexByte(s, '\\'); i >= 0; i = strings.IndexByte(s, '\\') {
		n += i
		var r rune
		r, i = escapeAt(s, i)
		n += utf8.RuneLen(r)
		s = s[i:]
	}
	return n + len(s)
}

// escapeAt decodes the escape that starts at s[i] and returns where it ends.
func escapeAt(s string, i int) (r rune, end int) {
	switch c := s[i+1]; c {
	case 'b':
		return '\b', i + 2
	case 'f':
		return '\f', i + 2
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	case 'u':
		r = hex4(s[i+2:])
		if !utf16.IsSurrogate(r) {
			return r, i + 6
		}
		if rest := s[i+6:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
			if both := utf16.DecodeRune(r, hex4(rest[2:])); both != utf8.RuneError {
				return both, i + 12
			}
		}
		return utf8.RuneError, i + 6
	default:
		return rune(c), i + 2
	}
}

func hex4(s string) rune {
	var r rune
	for i := range 4 {
		c := s[i]
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}
