package model

import (
	"strings"
	"syscall"
)

func (o operation) expectView(t *tree, p *place) refusal {
	if o.what == "yaml" || o.what == "lines" { // the generator appends only what fits
		if o.what == "lines" {
			p.v.items = append(p.v.items, encode(o.text, p.v.items[0].is))
		} else {
			name, v, _ := strings.Cut(o.text, ": ")
			p.v.fields[name] = parse(chomp(v))
		}
		return nil
	}
	if o.what == "relines" {
		is := p.v.items[0].is
		p.v.items = nil
		for line := range strings.Lines(o.text) {
			p.v.items = append(p.v.items, encode(line, is))
		}
		return nil
	}
	want := parse(chomp(o.text))
	switch {
	case !want.isDir() || p.kind == plain && want.is != "object":
		return refusal{syscall.EINVAL}
	case p.kind == stored:
		t.set(p, want)
		return nil
	}
	return t.writeKeys(p, want)
}

// writeKeys makes a plain directory mean what an object says.
func (t *tree) writeKeys(p *place, want *value) refusal {
	for _, name := range t.names(p) {
		if child := t.at(0, join(p.path, name)); want.fields[child.name] == nil {
			t.remove(child)
		}
	}
	for name, item := range want.fields {
		if strings.Contains(name, "/") {
			return refusal{syscall.EINVAL}
		}
		child := &place{path: join(p.path, encodeName(name)), key: join(p.key, name)}
		switch now := t.keys[child.key]; {
		case now == nil && t.isPlain(child.path):
			child.kind = plain
			if item.is == "object" {
				if refused := t.writeKeys(child, item); refused != nil {
					return refused
				}
				continue
			}
			t.remove(child)
		case now != nil && now.is == "raw" && item.is == "string" && parse(item.text).is == "raw":
			item = &value{is: "raw", text: item.text}
		}
		t.put(child.key, item)
	}
	if len(want.fields) == 0 {
		t.put(p.key, emptyObject())
	}
	return nil
}
