package transfer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Parse reads a file of this package's format, in its order. Every key must be
// prefix or lie below it. An *mapping.Error of kind Invalid names the line, as
// does one for a key that the file has twice: which one is meant cannot be known.
func Parse(data []byte, prefix string) ([]Pair, error) {
	if at := invalidUTF8(data); at >= 0 {
		return nil, bad(data, at, "it is not UTF-8: write a value of other bytes as {\"base64\": \"...\"}")
	}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		return nil, bad(data, 0, "it begins with a byte order mark; save it without, as plain UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	opening, err := d.Token()
	if err != nil {
		return nil, syntax(data, d, err)
	}
	if opening != json.Delim('{') {
		return nil, bad(data, skipSpace(data, 0), "the file must be one JSON object: key -> value")
	}
	var pairs []Pair
	lines := map[string]int{}
	for d.More() {
		p, err := pair(data, d, prefix)
		if err != nil {
			return nil, err
		}
		if first, twice := lines[p.Key]; twice {
			return nil, mapping.Errorf(mapping.Invalid, "", "line %d: key %q is on line %d too: leave one", p.Line, p.Key, first)
		}
		lines[p.Key] = p.Line
		pairs = append(pairs, p)
	}
	if _, err := d.Token(); err != nil {
		return nil, syntax(data, d, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, bad(data, skipSpace(data, int(d.InputOffset())), "there is something behind the object's end")
	}
	return pairs, nil
}

func pair(data []byte, d *json.Decoder, prefix string) (Pair, error) {
	start := skipSpace(data, int(d.InputOffset()))
	token, err := d.Token()
	if err != nil {
		return Pair{}, syntax(data, d, err)
	}
	name, ok := token.(string)
	if !ok {
		return Pair{}, bad(data, start, "a key must be a JSON string")
	}
	if replaced(name, data[start:d.InputOffset()]) {
		return Pair{}, bad(data, start, "the key has half a surrogate pair: write it as \"base64:...\"")
	}
	key, err := decodeKey(name)
	if err != nil {
		return Pair{}, bad(data, start, "the key's base64 cannot be decoded: "+err.Error())
	}
	if !below(key, prefix) {
		return Pair{}, bad(data, start, "key "+quote(key)+" is not below "+prefix+": correct it, or give its --prefix")
	}
	line := lineOf(data, start)

	start = skipSpace(data, int(d.InputOffset()))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return Pair{}, syntax(data, d, err)
	}
	value, words := decodeValue(raw)
	if words != "" {
		return Pair{}, bad(data, start, "the value of "+quote(key)+" "+words)
	}
	return Pair{Key: key, Value: value, Line: line}, nil
}

// decodeValue returns the stored bytes, or what is wrong.
func decodeValue(raw json.RawMessage) (value []byte, words string) {
	switch raw[0] {
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, "is no JSON string: " + err.Error()
		}
		if replaced(text, raw) {
			return nil, "has half a surrogate pair: write it as {\"base64\": \"...\"}"
		}
		return []byte(text), ""
	case '{':
		var binary struct {
			Base64 *string `json:"base64"`
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&binary); err != nil || binary.Base64 == nil {
			break
		}
		value, err := base64.StdEncoding.DecodeString(*binary.Base64)
		if err != nil {
			return nil, "has base64 that cannot be decoded: " + err.Error()
		}
		return value, ""
	}
	return nil, "must be a string that holds the stored text, such as \"{\\\"port\\\": 1}\", or {\"base64\": \"...\"}"
}

// replaced reports whether decoding put a replacement character where the
// source has none, as encoding/json does for half a surrogate pair.
func replaced(decoded string, source []byte) bool {
	n := strings.Count(decoded, "\uFFFD")
	if n == 0 {
		return false
	}
	return n > bytes.Count(source, []byte("\uFFFD"))+bytes.Count(bytes.ToLower(source), []byte(`\ufffd`))
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func syntax(data []byte, d *json.Decoder, err error) error {
	at := int(d.InputOffset())
	var wrong *json.SyntaxError
	if errors.As(err, &wrong) {
		at = int(wrong.Offset) - 1
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bad(data, len(data), "the file ends within the object: it is cut off or empty")
	}
	return bad(data, at, err.Error())
}

func bad(data []byte, at int, words string) error {
	return mapping.Errorf(mapping.Invalid, "", "line %d: %s", lineOf(data, at), words)
}

func lineOf(data []byte, at int) int {
	return 1 + bytes.Count(data[:min(max(at, 0), len(data))], []byte("\n"))
}

// skipSpace moves over white space and the commas and colons that a decoder has not yet read.
func skipSpace(data []byte, at int) int {
	for at < len(data) && strings.IndexByte(" \t\r\n,:", data[at]) >= 0 {
		at++
	}
	return at
}

func quote(key string) string {
	quoted, _ := json.Marshal(key)
	return string(quoted)
}
