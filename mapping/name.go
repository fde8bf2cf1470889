package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// nameMax is the longest name the kernel passes on (NAME_MAX of limits.h), in bytes.
	nameMax = 255
	// cutMax leaves room behind a cut name for the longest suffix, %dup and ten digits.
	cutMax  = 240
	hashLen = 32

	emptyName  = "%empty"
	cutMark    = "%~"
	jsonSuffix = "%json"
	dupSuffix  = "%dup"

	// valueName is where the leaf of a key that is also a directory is shown.
	valueName = ".value"
	// controlName is the daemon's own directory in the root.
	controlName = ".ovscfgfs"
)

const upperHex = "0123456789ABCDEF"

// EncodeName returns the name under which a segment of a key, or a field, is
// shown: the segment itself, except that
//
//   - "%", "/" and NUL are written as % and two upper case hex digits,
//   - the leading dots of ".", "..", ".value" and ".ovscfgfs" are written so,
//   - the empty segment is "%empty",
//   - what would be longer than 255 bytes is cut: a prefix, "%~", and a hash
//     of the whole segment.
//
// No two segments have one name.
func EncodeName(segment string) string { return suffixedName(segment, "") }

// suffixedName is the name of a segment with a suffix, cut so that both fit.
func suffixedName(segment, suffix string) string {
	name := escapeName(segment)
	if len(name)+len(suffix) > nameMax {
		name = cutName(segment, name)
	}
	return name + suffix
}

func escapeName(segment string) string {
	switch segment {
	case "":
		return emptyName
	case ".", valueName, controlName:
		return "%2E" + segment[1:]
	case "..":
		return "%2E%2E"
	}
	n := 0
	for i := range len(segment) {
		if mustEscape(segment[i]) {
			n++
		}
	}
	if n == 0 {
		return segment
	}
	name := make([]byte, 0, len(segment)+2*n)
	for i := range len(segment) {
		if c := segment[i]; mustEscape(c) {
			name = append(name, '%', upperHex[c>>4], upperHex[c&15])
		} else {
			name = append(name, c)
		}
	}
	return string(name)
}

func mustEscape(c byte) bool { return c == '%' || c == '/' || c == 0 }

// cutName shortens an escaped name, between characters and not within an escape.
func cutName(segment, name string) string {
	end := cutMax - len(cutMark) - hashLen
	if i := strings.LastIndexByte(name[end-2:end], '%'); i >= 0 {
		end += i - 2
	}
	for back := range utf8.UTFMax {
		c := name[end-back]
		if c >= utf8.RuneSelf && utf8.RuneStart(c) {
			end -= back
			break
		}
		if c < utf8.RuneSelf {
			break // a character ends here, or these bytes are no UTF-8
		}
	}
	sum := sha256.Sum256([]byte(segment))
	return name[:end] + cutMark + hex.EncodeToString(sum[:hashLen/2])
}

// DecodeName is the inverse of EncodeName. It refuses, as Invalid, what
// EncodeName never answers with, and cut names, which only a tree that holds
// the segment can resolve.
func DecodeName(name string) (string, error) {
	segment, ok := decodeName(name)
	if !ok {
		return "", notName(name, name)
	}
	return segment, nil
}

// notName refuses a name within a path.
func notName(path, name string) error {
	switch {
	case name == "":
		return Errorf(Invalid, path, "a name is empty; the name of an empty segment is %s", emptyName)
	case strings.Contains(name, cutMark):
		return Errorf(Invalid, path, "%q is a cut name, which stands only for an entry that exists", name)
	}
	return Errorf(Invalid, path, "%q is the name of no key or field; write a %% itself as %%25", name)
}

func decodeName(name string) (string, bool) {
	if plainName(name) {
		return name, true
	}
	if name == emptyName {
		return "", true
	}
	segment, ok := unescapeName(name)
	// Only one spelling of a segment is its name.
	return segment, ok && EncodeName(segment) == name
}

// plainName reports whether a name is its own segment.
func plainName(name string) bool {
	if name == "" || len(name) > nameMax {
		return false
	}
	for i := range len(name) {
		if mustEscape(name[i]) {
			return false
		}
	}
	switch name {
	case ".", "..", valueName, controlName:
		return false
	}
	return true
}

func unescapeName(name string) (string, bool) {
	segment := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '%' {
			if len(name)-i < 3 {
				return "", false
			}
			hi := strings.IndexByte(upperHex, name[i+1])
			lo := strings.IndexByte(upperHex, name[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			c = byte(hi<<4 | lo)
			i += 2
		}
		segment = append(segment, c)
	}
	return string(segment), true
}

// suffixOf splits the suffix off the name of a field that is shown beside
// something of the same name. dup is 0 without a %dup suffix.
func suffixOf(name string) (base string, json bool, dup uint32) {
	if base, ok := strings.CutSuffix(name, jsonSuffix); ok {
		return base, true, 0
	}
	if i := strings.LastIndex(name, dupSuffix); i >= 0 {
		digits := name[i+len(dupSuffix):]
		n, err := strconv.ParseUint(digits, 10, 32)
		if err == nil && n > 0 && strconv.FormatUint(n, 10) == digits {
			return name[:i], false, uint32(n)
		}
	}
	return name, false, 0
}
