package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
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

// decode reads one JSON value. encoding/json judges it; what is valid is then
// taken apart here, which is several times faster than by its tokens.
func decode(text []byte) (decoded, error) {
	if !json.Valid(text) {
		var value any
		return decoded{}, json.Unmarshal(text, &value) // for its words
	}
	p := parser{text: text}
	value := p.value()
	if p.tooDeep {
		return decoded{}, errTooDeep
	}
	return decoded{value, p.twice}, nil
}

// parser walks over valid JSON.
type parser struct {
	text    []byte
	at      int
	way     []string
	twice   [][]string
	tooDeep bool
}

// next skips white space and what separates members, and returns the byte that follows.
func (p *parser) next() byte {
	for {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			p.at++
		default:
			return c
		}
	}
}

func (p *parser) value() any {
	switch p.next() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.string()
	case 't':
		p.at += len("true")
		return true
	case 'f':
		p.at += len("false")
		return false
	case 'n':
		p.at += len("null")
		return nil
	}
	start := p.at
	for p.at < len(p.text) && bytes.IndexByte([]byte(" \t\r\n,]}"), p.text[p.at]) < 0 {
		p.at++
	}
	return json.Number(p.text[start:p.at])
}

// enter goes into a container; it is too deep when it answers false.
func (p *parser) enter() bool {
	p.at++
	p.way = append(p.way, "")
	if len(p.way) > maxDepth {
		p.tooDeep = true
	}
	return !p.tooDeep
}

func (p *parser) leave() {
	p.at++
	p.way = p.way[:len(p.way)-1]
}

func (p *parser) object() any {
	object := map[string]any{}
	for in := p.enter(); in && p.next() != '}'; {
		name := p.string()
		p.way[len(p.way)-1] = name
		if _, ok := object[name]; ok {
			p.twice = append(p.twice, append([]string(nil), p.way...))
		}
		object[name] = p.value()
		in = !p.tooDeep
	}
	if !p.tooDeep {
		p.leave()
	}
	return object
}

func (p *parser) array() any {
	array := []any{}
	for in := p.enter(); in && p.next() != ']'; {
		if c := p.text[p.at]; c == '{' || c == '[' { // only these hold names
			p.way[len(p.way)-1] = strconv.Itoa(len(array))
		}
		array = append(array, p.value())
		in = !p.tooDeep
	}
	if !p.tooDeep {
		p.leave()
	}
	return array
}

func (p *parser) string() string {
	start := p.at + 1
	plain := true
	for p.at++; p.text[p.at] != '"'; p.at++ {
		if c := p.text[p.at]; c == '\\' {
			plain = false
			p.at++
		}
	}
	p.at++
	text := p.text[start : p.at-1]
	if plain && utf8.Valid(text) {
		return string(text)
	}
	var s string
	_ = json.Unmarshal(p.text[start-1:p.at], &s) // cannot fail: it is valid
	return s
}
