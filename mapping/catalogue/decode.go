package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// maxDepth is how deep a document may be nested to be shown as directories; a
// deeper one is raw (package mapping).
const maxDepth = 200

var errTooDeep = errors.New("it is nested deeper than 200 levels")

// decoded is a JSON value with numbers in their own spelling.
type decoded struct {
	value any
	// twice are the ways to fields that an object has more than once; the last one counts.
	twice [][]string
}

// decode reads one JSON value.
func decode(text []byte) (decoded, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out decoded
	var err error
	if out.value, err = out.next(d, nil); err != nil {
		return out, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return out, errors.New("there is something behind its end")
	}
	return out, nil
}

func (out *decoded) next(d *json.Decoder, way []string) (any, error) {
	token, err := d.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if len(way) > maxDepth {
		return nil, errTooDeep
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ := token.(string)
			below := append(way[:len(way):len(way)], name)
			if _, ok := object[name]; ok {
				out.twice = append(out.twice, below)
			}
			if object[name], err = out.next(d, below); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	case json.Delim('['):
		array := []any{}
		for d.More() {
			item, err := out.next(d, append(way[:len(way):len(way)], strconv.Itoa(len(array))))
			if err != nil {
				return nil, err
			}
			array = append(array, item)
		}
		_, err := d.Token()
		return array, err
	}
	return token, nil
}
