package fs

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// fits reports whether text can still become a value of the type t, when more
// bytes may follow it. It lets write(2) refuse what no later write can mend,
// because the shell looks at errors of write and not at those of close.
func fits(t mapping.Type, text []byte) bool {
	line := string(bytes.TrimSuffix(text, []byte("\n")))
	switch t {
	case mapping.Number:
		return numberPrefix(line)
	case mapping.Boolean:
		for _, word := range []string{"true", "false", "True", "False"} {
			if strings.HasPrefix(word, line) {
				return true
			}
		}
		return false
	case mapping.String:
		return len(text) > maxFit || utf8Prefix(text)
	}
	return true
}

// maxFit bounds the text that is looked at again for each write.
const maxFit = 1 << 16

// utf8Prefix reports whether text is UTF-8, up to a last rune that may be incomplete.
func utf8Prefix(text []byte) bool {
	for k := 1; k < utf8.UTFMax && k <= len(text); k++ {
		if tail := text[len(text)-k:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				text = text[:len(text)-k]
			}
			break
		}
	}
	return utf8.Valid(text)
}

// numberPrefix reports whether s is the beginning of a number of RFC 8259.
func numberPrefix(s string) bool {
	s = strings.TrimPrefix(s, "-")
	integer, s := digits(s)
	if len(integer) > 1 && integer[0] == '0' {
		return false
	}
	if s == "" {
		return true
	}
	if integer == "" {
		return false
	}
	if s[0] == '.' {
		var fraction string
		fraction, s = digits(s[1:])
		if s == "" {
			return true
		}
		if fraction == "" {
			return false
		}
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	_, s = digits(s)
	return s == ""
}

// digits splits the digits off the front of s.
func digits(s string) (front, rest string) {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}
