package mapping

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func hardDocuments() []string {
	return []string{
		`{"port": 26203, "ips": ["10.0.0.1"], "x": {"y": null}}`,
		"{\n    \"a\" : [[26200, 26299]],\r\n\t\"b\":-0.0e-1}\n",
		`{"a": 1, "a": 2, "a": {"a": "}]\"\\"}, "\u0061": 3}`,
		"{\"\": \"\", \"\xff\": \"\xfe\", \"/\": \"\\ud800\", \".\": \"\\u0000\"}",
		strings.Repeat(`{"x":[`, 30) + `{}` + strings.Repeat(`]}`, 30),
		`[[], {}, "", 0, [[]]]`,
		` [ 1 , 2 ] `,
	}
}

// leafPlaces are the places of all that can be removed or written in a document.
func leafPlaces(tree *Tree) []place {
	var all []place
	var walk func(n Node, path string)
	walk = func(n Node, path string) {
		for child := range n.Children() {
			at := joinPath(path, child.Name())
			all = append(all, existingPlace(at, child))
			if child.IsDir() {
				walk(child, at)
			}
		}
	}
	n, _ := tree.Lookup("d")
	walk(n, "d")
	return all
}

// FuzzEdit holds edits of a document to what encoding/json says it is: each
// changes the one thing it should, and every other scalar, name and space stays.
func FuzzEdit(f *testing.F) {
	for i, doc := range hardDocuments() {
		for op := range uint8(4) {
			f.Add([]byte(doc), uint(i), op, "text")
			f.Add([]byte(doc), uint(7*i+3), op, "42\n")
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, which uint, op uint8, text string) {
		if len(doc) > 1<<16 {
			t.Skip()
		}
		tree := treeOf(t, "/ovs/d", string(doc))
		if n, _ := tree.Lookup("d"); !n.IsDir() {
			t.Skip()
		}
		places := leafPlaces(tree)
		if len(places) == 0 {
			t.Skip()
		}
		p := &places[which%uint(len(places))]
		want := partsOf(doc)
		way, nth := p.spot.parent()
		container, old := want.at(way), want.at(p.spot)
		lost := 0
		var edit Edit
		switch op % 4 {
		case 0:
			if p.node.IsDir() {
				t.Skip()
			}
			edit, lost = write(p.path, text), old.end-old.start
		case 1:
			if p.node.IsDir() && p.node.Len() > 0 {
				t.Skip()
			}
			edit, lost = Remove(p.path), len(doc)
			container.remove(nth)
		case 2:
			if p.element || text == "" || !utf8.ValidString(text) {
				t.Skip()
			}
			dir, _ := splitPath(p.path)
			edit, lost = write(joinPath(dir, EncodeName(text)), "0\n"), len("{ }")+len(doc)
			name, _ := json.Marshal(text)
			container.names, container.parts = append(container.names, string(name)), append(container.parts, &piece{raw: "0"})
		case 3:
			if p.element || !utf8.ValidString(text) {
				t.Skip()
			}
			dir, _ := splitPath(p.path)
			edit, lost = Rename(p.path, joinPath(dir, EncodeName(text)), NoReplace), len(container.names[nth])
			name, _ := json.Marshal(text)
			container.names[nth] = string(name)
		}
		plan, err := edit(tree)
		if err != nil {
			if kind := KindOf(err); kind != Invalid && kind != Busy && kind != Exists && kind != NameTooLong && kind != IsDirectory {
				t.Fatalf("refused as %v: %v", kind, err)
			}
			t.Skip()
		}
		next := applyPlan(t, tree, plan)
		kv, _ := next.Get("/ovs/d")
		if !json.Valid(kv.Value) {
			t.Fatalf("%q became %q, which is not JSON", doc, kv.Value)
		}
		if op%4 == 0 {
			checkWritten(t, p, text, old, kv.Value)
		} else if op%4 == 2 && plan.Empty() {
			t.Skip() // the name was there, and held 0
		}
		if op%4 == 2 {
			if dirOf, name := splitPath(p.path); name != "" {
				if n, ok := tree.Lookup(joinPath(dirOf, EncodeName(text))); ok && n.Valid() {
					t.Skip() // an overwrite, which op 0 is about
				}
			}
		}
		got := partsOf(kv.Value)
		if sameNames(got.line()) != sameNames(want.line()) {
			t.Fatalf("%q became %q, which means\n%s, want\n%s", doc, kv.Value, got.line(), want.line())
		}
		if !onePlace(doc, kv.Value, lost) {
			t.Fatalf("%q became %q: more than one place differs", doc, kv.Value)
		}
	})
}

// checkWritten checks what a leaf holds, and makes the oracle's part hold it too.
func checkWritten(t *testing.T, p *place, text string, old *piece, doc []byte) {
	t.Helper()
	is := partsOf(doc).at(p.spot)
	line := strings.TrimSuffix(text, "\n")
	switch p.node.Type() {
	case String:
		var s string
		if err := json.Unmarshal([]byte(is.raw), &s); err != nil {
			t.Fatal(err)
		}
		if s != line && is.raw != old.raw {
			t.Fatalf("%q was written and %q is stored", text, is.raw)
		}
	case Number:
		if is.raw != line {
			t.Fatalf("%q was written and %q is stored", text, is.raw)
		}
	case Boolean:
		if is.raw != strings.ToLower(line) {
			t.Fatalf("%q was written and %q is stored", text, is.raw)
		}
	}
	*old = *is
}

// sameNames undoes what json.Marshal escapes beyond need.
func sameNames(s string) string {
	var out bytes.Buffer
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+5 < len(s) && s[i+1] == 'u' {
			switch s[i+2 : i+6] {
			case "003c":
				out.WriteByte('<')
			case "003e":
				out.WriteByte('>')
			case "0026":
				out.WriteByte('&')
			case "2028":
				out.WriteString("\u2028")
			case "2029":
				out.WriteString("\u2029")
			default:
				out.WriteString(s[i : i+6])
			}
			i += 5
			continue
		}
		if s[i] == '\\' && i+1 < len(s) {
			out.WriteString(s[i : i+2])
			i++
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// FuzzReconcile holds that a document made equal to another means that, and
// that one that means it already keeps every byte.
func FuzzReconcile(f *testing.F) {
	for _, a := range hardDocuments() {
		f.Add([]byte(a), []byte(`{"a": [1, {"b": "c"}], "x": {"z": 1}}`))
		f.Add([]byte(`{"a": 1, "b": [1, 2, 3], "c": {"d": 1}}`), []byte(a))
	}
	f.Fuzz(func(t *testing.T, doc, want []byte) {
		if len(doc)+len(want) > 1<<16 || !kindOf(doc).container() || !kindOf(want).container() {
			t.Skip()
		}
		v := parseJSON(want)
		if !distinct(v) {
			t.Skip()
		}
		got := reconciled(doc, nil, v)
		if !json.Valid(got) {
			t.Fatalf("%q made equal to %q is %q, not JSON", doc, want, got)
		}
		if distinct(parseJSON(doc)) && !parseJSON(got).equal(v) {
			t.Fatalf("%q made equal to %q is %q", doc, want, got)
		}
		if again := reconciled(got, nil, v); distinct(parseJSON(doc)) && !bytes.Equal(again, got) {
			t.Fatalf("%q is changed once more to %q", got, again)
		}
		if same := reconciled(doc, nil, parseJSON(doc)); !bytes.Equal(same, doc) {
			t.Fatalf("%q made equal to itself is %q", doc, same)
		}
	})
}

// distinct reports whether all names of each object are UTF-8 and differ, with
// the suffixes that duplicates get.
func distinct(v *jsonValue) bool {
	seen := map[string]bool{}
	for i, item := range v.items {
		if v.is == Object {
			if seen[v.names[i]] || !utf8.ValidString(v.names[i]) || strings.Contains(v.names[i], dupSuffix) {
				return false
			}
			seen[v.names[i]] = true
		}
		if !distinct(item) {
			return false
		}
	}
	return true
}

// FuzzYAML holds that every document survives a trip through YAML, and that
// any text that YAML accepts becomes JSON.
func FuzzYAML(f *testing.F) {
	for _, doc := range hardDocuments() {
		f.Add([]byte(doc))
	}
	for _, text := range []string{
		`{"a": "1", "b": 1, "c": "true", "d": "null", "e": "~", "f": "1e3", "g": "0x1", "h": "2016-01-08", "i": " x ", "j": "a\n b\n"}`,
		`[1e400, -0, 0.10, 123456789012345678901234567890, 1E+5, 18446744073709551615]`,
		`["\n", "\na", "a\n\n", "a \nb", "\ta", "- a", "a: b", "#", "a #b", "&a", "*a", "!a", "%", "@", "\r", "\u0085", "\u2028", "\ufeff", "<<", "=", "\\", "'", "y", "no"]`,
		"a: &x [1, 2]\nb: *x\nc: !!str 5\nd: 1_000\ne: .5\nf: 0o17\ng: |\n  text\nh: ~\n? i\n: j\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			t.Skip()
		}
		if kindOf(text).container() && utf8.Valid(text) {
			v := parseJSON(text)
			if distinct(v) {
				y, err := writeYAML(v)
				if err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				back, err := readYAML("d", y)
				if err != nil {
					t.Fatalf("%q is written as\n%s\nwhich does not read: %v", text, y, err)
				}
				if !back.equal(v) {
					t.Fatalf("%q is written as\n%s\nand reads as %q", text, y, back.write(nil, pythonStyle()))
				}
			}
		}
		v, err := readYAML("d", text)
		if err != nil {
			if KindOf(err) != Invalid || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q is refused as %v: %v", text, KindOf(err), err)
			}
			return
		}
		if out := v.write(nil, pythonStyle()); !json.Valid(out) {
			t.Fatalf("%q reads as %q, which is not JSON", text, out)
		}
	})
}
