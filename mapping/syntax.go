package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// byteOrderMark is what some editors put before UTF-8; RFC 8259 section 8.1 has
// no place for it in JSON.
var byteOrderMark = []byte("\ufeff")

// whereInvalid says in words where text stops being JSON: ": line 2, column 5:
// ...". It is empty for valid JSON.
func whereInvalid(text []byte) string {
	if len(bytes.TrimSpace(text)) == 0 {
		return ": it is empty"
	}
	if bytes.HasPrefix(text, byteOrderMark) {
		return ": it begins with a byte order mark; save it without, as plain UTF-8"
	}
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return ""
	}
	line, column := position(text, int(syntax.Offset)-1)
	return fmt.Sprintf(": line %d, column %d: %s", line, column, syntax)
}

// position returns the line and column, both from 1, of an offset. Columns
// count characters.
func position(text []byte, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	line = 1 + bytes.Count(before, []byte{'\n'})
	last := before[bytes.LastIndexByte(before, '\n')+1:]
	return line, 1 + len(bytes.Runes(last))
}
