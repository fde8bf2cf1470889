// Package transfer moves whole trees between etcd and files.
//
// JSON is one object, full key -> stored value. A value is a JSON string that holds its text, or
// {"base64": "..."} for bytes that are not UTF-8. A key that is not UTF-8 is
// written as "base64:" and its bytes in base64; no real key starts that way,
// since all of them start with a slash.
//
// YAML is one mapping, full key -> what the value means (mapping.WriteYAMLKeys). A directory is
// the tree as a mount shows it.
package transfer

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// keyMark starts a key that is written in base64.
const keyMark = "base64:"

// Pair is one key and its value.
type Pair struct {
	Key   string
	Value []byte
	// Meaning: Value is JSON text of which only the meaning counts (mapping.Value).
	Meaning bool
	// Line is where the file has the key, counted from 1; 0 when it comes from etcd.
	Line int
}

func encodeKey(key string) string {
	if utf8.ValidString(key) && !strings.HasPrefix(key, keyMark) {
		return key
	}
	return keyMark + base64.StdEncoding.EncodeToString([]byte(key))
}

func decodeKey(text string) (string, error) {
	encoded, marked := strings.CutPrefix(text, keyMark)
	if !marked {
		return text, nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	return string(key), err
}

// below reports whether key is prefix or lies below it.
func below(key, prefix string) bool {
	rest, ok := strings.CutPrefix(key, prefix)
	return ok && (rest == "" || rest[0] == '/')
}
