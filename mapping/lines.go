package mapping

import "bytes"

// renderLines writes the elements of an array of scalars one a line.
func renderLines(n Node) ([]byte, error) {
	if n.Type() != Array || isMixed(n) {
		return nil, noLines(n.Name())
	}
	var out []byte
	for _, item := range parseJSON(n.Stored()).items {
		line, ok := lineOf(item)
		if !ok {
			return nil, noLines(n.Name())
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

func noLines(path string) error {
	return Errorf(NotFound, path, "is not an array of scalars of one line each, so it has no .lines view")
}

// lineOf is the line of an array's element.
func lineOf(item *jsonValue) (string, bool) {
	switch item.is {
	case Object, Array:
		return "", false
	case String:
		s := item.decoded()
		return s, !bytes.ContainsRune([]byte(s), '\n')
	}
	return string(item.text), true
}

// parseLines reads the elements of the array at p from lines. A line that was
// there keeps its type. A new one has the type that all elements have, or in an empty or mixed
// array the one that its text suggests.
func parseLines(p *place, content []byte) (*jsonValue, error) {
	if _, err := renderLines(p.node); err != nil {
		return nil, err
	}
	was := parseJSON(p.node.Stored()).items
	var lines []string
	if len(content) > 0 {
		for line := range bytes.SplitSeq(chomp(content), []byte{'\n'}) {
			lines = append(lines, string(line))
		}
	}
	known := map[string][]*jsonValue{} // the elements of each text, in order
	for _, item := range was {
		line, _ := lineOf(item)
		known[line] = append(known[line], item)
	}
	common := commonType(was)
	want := &jsonValue{is: Array}
	for i, line := range lines {
		if items := known[line]; len(items) > 0 {
			want.items = append(want.items, items[0])
			known[line] = items[min(1, len(items)-1):]
			continue
		}
		item, err := newLine(p.path, i+1, line, common)
		if err != nil {
			return nil, err
		}
		want.items = append(want.items, item)
	}
	return want, nil
}

// newLine is the element that a line makes which no element had.
func newLine(path string, number int, line string, common Type) (*jsonValue, error) {
	text := []byte(line)
	switch {
	case common == Number && !isNumber(text):
		return nil, Errorf(Invalid, path, "line %d is not a number, and all elements are", number)
	case common == Boolean && line != "true" && line != "false":
		return nil, Errorf(Invalid, path, "line %d is neither true nor false, and all elements are", number)
	case common != String && isJSON(text) && !isContainer(text, skipSpace(text, 0)):
		return scalar(text), nil
	}
	quoted, ok := quote(text)
	if !ok {
		return nil, Errorf(Invalid, path, "line %d is not UTF-8", number)
	}
	return scalar(quoted), nil
}

// commonType is the type that all elements have, "" for none or mixed ones.
func commonType(items []*jsonValue) Type {
	var common Type
	for i, item := range items {
		if i > 0 && item.is != common {
			return ""
		}
		common = item.is
	}
	return common
}
