package model

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// scene is what an operation can be about: the tree as a mount shows it.
type scene struct {
	chooser
	t      *tree
	mount  int
	places []*place
}

// operation is a random one on what a mount has, most of the time one that can be done.
func (r chooser) operation(t *tree, mount int) operation {
	s := scene{r, t, mount, t.places(mount)}
	for {
		o := operation{what: pick(r, "write", "write", "append", "patch", "truncate", "create", "create", "create", "unlink", "rmdir", "mkdir",
			"rename", "rename", "rename", "rename", "settype", "settype", "replace", "backup", "away and back", "rm -r", "view", "yaml", "lines", "relines", "unview")}
		if len(s.places) > 80 {
			o.what = pick(r, "unlink", "unview", "rename", "view", "rmdir", "rm -r", "rm -r")
		}
		if s.fill(&o) {
			return o
		}
	}
}

// any is the path of something that suits, now and then of anything.
func (s *scene) any(suits func(*place) bool) string {
	if s.IntN(12) > 0 {
		var fit []string
		for _, p := range s.places {
			if suits(p) {
				fit = append(fit, p.path)
			}
		}
		if len(fit) > 0 {
			return pick(s.chooser, fit...)
		}
	}
	if len(s.places) == 0 {
		return "a"
	}
	return pick(s.chooser, s.places...).path
}

func leaf(p *place) bool     { return !p.isDir() }
func dir(p *place) bool      { return p.isDir() }
func whatever(p *place) bool { return true }

// fresh is a path that most likely nothing has.
func (s *scene) fresh() string {
	in := ""
	if s.IntN(5) > 0 {
		in = s.any(dir)
	}
	if p := s.t.at(s.mount, in); p.v != nil && p.v.is == "array" && s.IntN(4) > 0 {
		return join(in, fmt.Sprint(len(p.v.items)))
	}
	return join(in, s.name())
}

// fill gives an operation what it is about; false if nothing is fit for it.
func (s *scene) fill(o *operation) bool {
	r, t := s.chooser, s.t
	at := func(path string) *place { return t.at(s.mount, path) }
	switch o.what {
	case "write", "append":
		o.path, o.text = s.any(leaf), r.content()
	case "patch", "truncate":
		o.path = s.any(leaf)
		p := at(o.path)
		if p.v == nil || p.isDir() {
			return false
		}
		if size := len(p.v.content()); size > 0 {
			o.n = r.IntN(size + 1)
		}
		if o.what == "patch" {
			o.text = pick(r, "1", "9\n", "abc", "x\ny")
		}
	case "create", "replace":
		o.path, o.text = s.fresh(), r.content()
		if o.what == "replace" && r.IntN(3) > 0 {
			o.path = s.any(leaf)
		}
		return !at(o.path).waits()
	case "backup", "away and back":
		o.path, o.text = s.any(leaf), r.content()
		p := at(o.path)
		// Of what a document has, only the end of an array can go for a while.
		return p.kind == stored && !p.isDir() && p.last() && (o.what != "backup" || p.v.overwritten(o.text, p.field) != nil)
	case "unlink":
		o.path = s.any(leaf)
	case "rmdir":
		o.path = s.any(func(p *place) bool { return p.isDir() && t.isEmpty(s.mount, p) })
	case "rm -r":
		o.path = s.any(dir)
		if r.IntN(10) == 0 {
			o.n = 1
		}
		p := at(o.path)
		if t.leavesLeaf(p) {
			o.n = 0 // rm would complain, see docs/limitations.md
		}
		return p.isDir() && p.last() && !t.uncovers(s.mount, p)
	case "mkdir":
		o.path = s.fresh()
		return !at(o.path).waits()
	case "rename":
		o.path, o.to = s.any(whatever), s.fresh()
		if r.IntN(3) == 0 {
			o.to = s.any(func(p *place) bool { return p.isDir() == at(o.path).isDir() })
		}
		o.n = pick(r, 0, 0, unix.RENAME_NOREPLACE, unix.RENAME_EXCHANGE)
		if o.n == unix.RENAME_EXCHANGE && r.IntN(4) > 0 {
			o.to = s.any(whatever)
		}
	case "settype":
		o.path = s.any(whatever)
		o.text = pick(r, "string", "number", "boolean", "null", "raw", "object", "array", "directory")
		if at(o.path).isDir() && r.IntN(3) > 0 {
			o.text = pick(r, "object", "directory", "array")
		}
		return !t.mixed(at(o.path)) && at(o.path).v == nil || at(o.path).kind != plain
	default:
		return s.view(o, s.any(func(p *place) bool { return p.kind == plain || p.isDir() && r.IntN(2) == 0 }))
	}
	return true
}

// view makes o one of a view of the directory at path, if there can be.
func (s *scene) view(o *operation, path string) bool {
	r, t := s.chooser, s.t
	p := t.at(s.mount, path)
	o.path = path
	if p.kind != plain && p.kind != stored || !p.isDir() || t.mixed(p) {
		return false
	}
	array := p.kind == stored && p.v.is == "array"
	switch o.what {
	case "view":
		o.text = r.json(3) + "\n"
		if r.IntN(8) == 0 {
			o.text = pick(r, "{broken\n", "5\n", "[1]\n")
		}
		if now := t.asValue(p); r.IntN(3) > 0 && now.is == "object" && validText(now) { // most of it as it is
			now = now.clone()
			now.fields[pick(r, "a", "b", "x")] = parse(r.json(2))
			o.text = now.write() + "\n"
		}
	case "yaml":
		name := pick(r, "new", "other")
		if p.kind != stored || p.v.is != "object" || len(p.v.fields) == 0 || p.v.fields[name] != nil {
			return false
		}
		o.text = name + ": " + pick(r, "5", "true", `"text"`) + "\n"
	case "lines":
		if !array || p.v.lines() == nil {
			return false
		}
		o.text = map[string]string{"number": "42\n", "string": "a line\n", "boolean": "true\n"}[p.v.items[0].is]
	case "relines":
		if !array || p.v.lines() == nil {
			return false
		}
		lines := p.v.lines()
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		o.text = strings.Join(lines[:1+r.IntN(len(lines))], "\n") + "\n"
	}
	return true
}

// lines are those of the .lines view of an array of scalars of one type, nil
// where it is another, or where more than the lines would say what is in it.
func (v *value) lines() []string {
	var lines []string
	for _, item := range v.items {
		if item.is != v.items[0].is || item.isDir() || item.is == "null" || strings.ContainsAny(item.text, "\n\r") || item.text == "" {
			return nil
		}
		lines = append(lines, item.text)
	}
	return lines
}
