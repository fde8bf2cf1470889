package model

import (
	"strconv"
	"strings"
	"syscall"
)

func (o operation) expectType(t *tree, mount int, p *place) refusal {
	invalid := refusal{syscall.EINVAL}
	to := o.text
	switch p.kind {
	case localOnly:
		switch to {
		case "object", "array":
			t.set(p, encode(map[string]string{"object": "{}", "array": "[]"}[to], to))
		case "directory":
		default:
			return invalid
		}
		return nil
	case plain:
		v := t.asValue(p)
		switch to {
		case "object":
		case "array":
			if v = toArray(v); v == nil {
				return invalid
			}
		case "directory":
			return nil
		default:
			return invalid
		}
		if !validText(v) {
			return invalid
		}
		t.remove(p)
		t.put(p.key, v)
		return nil
	}
	var v *value
	switch {
	case p.v.is == to:
		return nil
	case p.v.isDir() && to == "directory":
		return t.unfold(p)
	case p.v.is == "object" && to == "array":
		v = toArray(p.v)
	case p.v.is == "array" && to == "object":
		v = emptyObject()
		for i, item := range p.v.items {
			v.fields[strconv.Itoa(i)] = item
		}
	case p.v.isDir():
	case to == "raw":
		if raw := parse(chomp(p.v.content())); !p.field && raw.is == "raw" {
			v = raw
		}
	case (to == "object" || to == "array") && chomp(p.v.content()) == "":
		v = encode(map[string]string{"object": "{}", "array": "[]"}[to], to)
	default:
		v = encode(p.v.content(), to)
	}
	if v == nil {
		return invalid
	}
	t.set(p, v)
	return nil
}

// validText reports whether all of v can be in a document.
func validText(v *value) bool {
	if v.is == "string" {
		return encode(v.text, "string") != nil
	}
	for _, f := range v.fields {
		if !validText(f) {
			return false
		}
	}
	for _, item := range v.items {
		if !validText(item) {
			return false
		}
	}
	return true
}

func toArray(v *value) *value {
	list := &value{is: "array"}
	for i := range len(v.fields) {
		item := v.fields[strconv.Itoa(i)]
		if item == nil {
			return nil
		}
		list.items = append(list.items, item)
	}
	return list
}

func (t *tree) unfold(p *place) refusal {
	if p.field || p.v.len() == 0 {
		return refusal{syscall.EINVAL}
	}
	members := map[string]*value{}
	for name, f := range p.v.fields {
		if strings.Contains(name, "/") {
			return refusal{syscall.EINVAL}
		}
		members[name] = f
	}
	for i, item := range p.v.items {
		members[strconv.Itoa(i)] = item
	}
	t.del(p.key)
	for name, v := range members {
		t.put(join(p.key, name), v)
	}
	return nil
}
