package mapping

import (
	"bytes"
	"strconv"
)

// The functions here walk JSON text that is known to be valid: gjson.ValidBytes
// accepted it, so a container ends, a name is a string and a comma follows or
// not. They look at punctuation alone and never decode, which is what lets an
// edit keep duplicate names, invalid UTF-8 and every spelling it does not touch.

// member is one field of an object or element of an array, as offsets into the
// document. For an element nameStart and nameEnd are both start.
type member struct {
	nameStart, nameEnd int // the name with its quotes
	start, end         int // the value
}

// skipSpace returns the first offset from i on that is not white space.
func skipSpace(doc []byte, i int) int {
	for i < len(doc) && isSpace(doc[i]) {
		i++
	}
	return i
}

// skipString returns the offset after the string whose opening quote is at i.
func skipString(doc []byte, i int) int {
	i++
	for {
		quote := bytes.IndexByte(doc[i:], '"')
		if quote < 0 {
			return len(doc)
		}
		end := i + quote
		slashes := 0
		for doc[end-1-slashes] == '\\' {
			slashes++
		}
		i = end + 1
		if slashes%2 == 0 {
			return i
		}
	}
}

// skipValue returns the offset after the value that starts at i.
func skipValue(doc []byte, i int) int {
	switch doc[i] {
	case '"':
		return skipString(doc, i)
	case '{', '[':
		depth := 0
		for i < len(doc) {
			switch doc[i] {
			case '"':
				i = skipString(doc, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return i
	}
	for i < len(doc) && doc[i] != ',' && doc[i] != '}' && doc[i] != ']' && !isSpace(doc[i]) {
		i++
	}
	return i
}

// eachMember calls yield for the members of the container that opens at open,
// in order, until yield says false. It returns the offset of the closing
// bracket, or -1 when it was stopped.
func eachMember(doc []byte, open int, yield func(n int, m member) bool) int {
	object := doc[open] == '{'
	i := skipSpace(doc, open+1)
	for n := 0; doc[i] != '}' && doc[i] != ']'; n++ {
		var m member
		m.nameStart, m.nameEnd = i, i
		if object {
			m.nameEnd = skipString(doc, i)
			i = skipSpace(doc, skipSpace(doc, m.nameEnd)+1)
		}
		m.start = i
		m.end = skipValue(doc, i)
		if !yield(n, m) {
			return -1
		}
		if i = skipSpace(doc, m.end); doc[i] == ',' {
			i = skipSpace(doc, i+1)
		}
	}
	return i
}

// isContainer reports whether an object or array starts at i.
func isContainer(doc []byte, i int) bool { return i < len(doc) && (doc[i] == '{' || doc[i] == '[') }

// memberName is the decoded name of a field; of the nth element, the number.
func memberName(doc []byte, n int, m member) string {
	if m.nameStart == m.nameEnd {
		return strconv.Itoa(n)
	}
	return unquote(string(doc[m.nameStart+1 : m.nameEnd-1]))
}
