package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// piece is a JSON value as encoding/json's tokens tell it, with its bytes: what
// edits are held to, made without any code of this package.
type piece struct {
	start, end int
	raw        string // of a scalar
	open       json.Delim
	names      []string // with quotes and escapes as stored
	parts      []*piece
}

// partsOf takes valid JSON apart.
func partsOf(text []byte) *piece {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value func() *piece
	next := func() (json.Token, int) {
		from := int(dec.InputOffset())
		token, err := dec.Token()
		if err != nil {
			panic(err)
		}
		for strings.IndexByte(" \t\r\n,:", text[from]) >= 0 {
			from++
		}
		return token, from
	}
	value = func() *piece {
		token, from := next()
		p := &piece{start: from}
		delim, ok := token.(json.Delim)
		if !ok {
			p.end = int(dec.InputOffset())
			p.raw = string(text[from:p.end])
			return p
		}
		p.open = delim
		for dec.More() {
			if delim == '{' {
				_, from := next()
				p.names = append(p.names, string(text[from:dec.InputOffset()]))
			}
			p.parts = append(p.parts, value())
		}
		next()
		p.end = int(dec.InputOffset())
		return p
	}
	return value()
}

// at follows ordinals.
func (p *piece) at(way []int) *piece {
	for _, n := range way {
		p = p.parts[n]
	}
	return p
}

// line is the value on one line with every scalar and name as it is stored.
func (p *piece) line() string {
	if p.open == 0 {
		return p.raw
	}
	var b strings.Builder
	b.WriteRune(rune(p.open))
	for i, child := range p.parts {
		if i > 0 {
			b.WriteByte(',')
		}
		if p.open == '{' {
			b.WriteString(p.names[i] + ":")
		}
		b.WriteString(child.line())
	}
	b.WriteRune(rune(p.open) + 2) // the closing bracket, in ASCII
	return b.String()
}

func (p *piece) remove(n int) {
	p.parts = slices.Delete(p.parts, n, n+1)
	if p.open == '{' {
		p.names = slices.Delete(p.names, n, n+1)
	}
}

// onePlace reports whether b is a with one run of bytes replaced, of which at
// most the given number of a's bytes are lost.
func onePlace(a, b []byte, lost int) bool {
	front := 0
	for front < min(len(a), len(b)) && a[front] == b[front] {
		front++
	}
	back := 0
	for back < min(len(a), len(b))-front && a[len(a)-1-back] == b[len(b)-1-back] {
		back++
	}
	return len(a)-front-back <= lost
}
