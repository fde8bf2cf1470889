package mapping

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// fold makes one document of all keys below a plain directory. Raw values
// become strings of the same bytes, directories objects. It is indented by four,
// as the services of this tree write theirs.
func (d *draft) fold(p *place, to Type) error {
	if p.path == "" {
		return Errorf(NotPermitted, p.path, "the root of the mount cannot become a document")
	}
	if _, ok := d.tree.Get(p.key); ok {
		return Errorf(Invalid, p.path, "has a value of its own (%s) beside its keys; remove that first", valueName)
	}
	if d.tree.rawKey(p.key) {
		return Errorf(Invalid, p.path, "is marked raw by its path, so it cannot become a document")
	}
	v, err := valueOf(p.node, p.path, true)
	if err != nil {
		return err
	}
	if to == Array {
		order, ok := elementOrder(v.names)
		if !ok {
			return notElements(p.path)
		}
		list := &jsonValue{is: Array}
		for _, i := range order {
			list.items = append(list.items, v.items[i])
		}
		v = list
	}
	text := v.write(nil, indentedStyle("    "))
	if depthOver(text, maxDepth) {
		return tooDeep(p.path)
	}
	d.deleteUnder(p.key)
	d.put(p.key, text)
	return nil
}

// unfold makes a key of each field of a document, with what the field holds.
func (d *draft) unfold(p *place) error {
	if p.field {
		return Errorf(Invalid, p.path, "is part of a document, and only a whole document can become a directory of keys")
	}
	doc := d.value(p.key)
	open := skipSpace(doc, 0)
	seen := map[string]bool{}
	var err error
	eachMember(doc, open, func(n int, m member) bool {
		err = d.unfoldMember(p, doc, n, m, seen)
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case len(seen) == 0:
		return Errorf(Invalid, p.path, "is empty, so there would be no directory of keys; remove it with rmdir")
	}
	d.delete(p.key)
	return nil
}

func (d *draft) unfoldMember(p *place, doc []byte, n int, m member, seen map[string]bool) error {
	name := memberName(doc, n, m)
	at := p.path + "/" + EncodeName(name)
	if strings.IndexByte(name, '/') >= 0 {
		return Errorf(Invalid, at, "has a slash in its name, which no segment of a key can hold")
	}
	if seen[name] {
		return Errorf(Invalid, at, "is there more than once in the document")
	}
	seen[name] = true
	key := p.key + "/" + name
	if k := d.look(key); k.had {
		return Errorf(Exists, at, "is a key already")
	}
	text := doc[m.start:m.end]
	if doc[m.start] == '"' && d.tree.rawKey(key) {
		text = []byte(unquote(string(text[1 : len(text)-1])))
	}
	d.put(key, text)
	return nil
}

func notElements(path string) error {
	return Errorf(Invalid, path, "cannot become an array: its names are not 0, 1, 2 and so on")
}

// elementOrder sorts names that are just the numbers from 0 on: the index of the
// name "0", of "1", and so on.
func elementOrder(names []string) ([]int, bool) {
	order := make([]int, len(names))
	for i := range order {
		order[i] = -1
	}
	for i, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil || strconv.Itoa(n) != name || n < 0 || n >= len(order) || order[n] >= 0 {
			return nil, false
		}
		order[n] = i
	}
	return order, true
}

// toArray makes an array of an object's values, which keep their bytes.
func (d *draft) toArray(p *place) error {
	doc := d.value(p.key)
	open, end, _ := locate(doc, p.spot)
	members := membersAt(doc, open)
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = memberName(doc, i, m)
	}
	order, ok := elementOrder(names)
	if !ok {
		return notElements(p.path)
	}
	texts := make([][]byte, len(order))
	for i, n := range order {
		texts[i] = doc[members[n].start:members[n].end]
	}
	d.put(p.key, replace(doc, open, end, rebracket(doc, open, end, members, texts, "[]")))
	return nil
}

// toObject makes an object of an array's elements, which keep their bytes, by
// their numbers.
func (d *draft) toObject(p *place) error {
	doc := d.value(p.key)
	st, _, _ := styleAt(doc, p.spot)
	open, end, _ := locate(doc, p.spot)
	members := membersAt(doc, open)
	texts := make([][]byte, len(members))
	for i, m := range members {
		texts[i] = slices.Concat([]byte(strconv.Quote(strconv.Itoa(i))), st.colon, doc[m.start:m.end])
	}
	d.put(p.key, replace(doc, open, end, rebracket(doc, open, end, members, texts, "{}")))
	return nil
}

// rebracket is the text of a container with other members, spaced as it was.
func rebracket(doc []byte, open, end int, members []member, texts [][]byte, brackets string) []byte {
	if len(members) == 0 {
		return slices.Concat([]byte(brackets[:1]), doc[open+1:end-1], []byte(brackets[1:]))
	}
	st := pythonStyle()
	st.learn(doc, open, members)
	comma := st.separator(doc, open, members)
	lead, tail := doc[open+1:members[0].nameStart], doc[members[len(members)-1].end:end-1]
	return slices.Concat([]byte(brackets[:1]), lead, bytes.Join(texts, comma), tail, []byte(brackets[1:]))
}
