package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// chooser picks what to do next.
type chooser struct{ *rand.Rand }

func pick[T any](r chooser, from ...T) T { return from[r.IntN(len(from))] }

func (r chooser) name() string {
	return pick(r, "a", "b", "c", "d", "x", "0", "1", "2", "p%2Fq", "n%25", "50%", "é")
}

// segment is a name that a key can have.
func (r chooser) segment() string { return pick(r, "a", "b", "c", "d", "0", "1") }

// content is the text of a file.
func (r chooser) content() string {
	return pick(r, "5\n", "7", "-1.50e3\n", "0.10\n", "true\n", "False\n", "null\n", "some text\n", "other", "two\nlines\n", "[a]\nb = 1", " 7 \n",
		"\"quoted\"\n", "{\"a\": 1, \"b\": [1, \"x\"]}\n", "[1, 2]\n", "[]", "{broken\n", "\xff\xfe\n", "é/\t\\\n", strings.Repeat("long ", 1000)+"\n",
		fmt.Sprintf("%d\n", r.IntN(1000)), fmt.Sprintf("text %d\n", r.IntN(1000)))
}

// json is the text of a JSON value.
func (r chooser) json(depth int) string {
	space := pick(r, "", " ", "\n  ")
	var items []string
	switch n := r.IntN(5); {
	case depth > 0 && n == 0:
		for range r.IntN(4) {
			items = append(items, r.json(depth-1))
		}
		return "[" + strings.Join(items, ","+space) + "]"
	case depth > 0 && n < 3:
		names := map[string]bool{}
		for range r.IntN(5) {
			name := pick(r, "a", "b", "c", "x", "0", "1", "p/q", "n%", "é")
			if !names[name] {
				names[name] = true
				items = append(items, text(name).write()+":"+space+r.json(depth-1))
			}
		}
		return "{" + strings.Join(items, ","+space) + "}"
	}
	return pick(r, "1", "-2.50", "1e3", "true", "false", "null", `"text"`, `""`, `"a\nb"`, `"5"`, `"\u00e9\/"`)
}

// stored is what a client puts into etcd.
func (r chooser) stored() string {
	if r.IntN(4) == 0 {
		return pick(r, "", "plain", "two\nlines\n", "no\nend", "{bad", "\x00\xff", "\xff\n")
	}
	return r.json(3)
}

// operation is a random one on what a mount has, most of the time one that can be done.
func (r chooser) operation(t *tree, mount int) operation {
	paths := t.paths(mount)
	any := func(suits func(*place) bool) string {
		if r.IntN(12) > 0 {
			var fit []string
			for _, path := range paths {
				if suits(t.at(mount, path)) {
					fit = append(fit, path)
				}
			}
			if len(fit) > 0 {
				return pick(r, fit...)
			}
		}
		return pick(r, append(paths, "a")...)
	}
	leaf := func(p *place) bool { return !p.isDir() }
	dir := func(p *place) bool { return p.isDir() }
	whatever := func(*place) bool { return true }
	fresh := func() string {
		in := ""
		if r.IntN(5) > 0 {
			in = any(dir)
		}
		if p := t.at(mount, in); p.kind == stored && p.v.is == "array" && r.IntN(4) > 0 {
			return join(in, fmt.Sprint(len(p.v.items)))
		}
		return join(in, r.name())
	}
	crowded := len(paths) > 80
	for {
		o := operation{what: pick(r, "write", "write", "append", "patch", "truncate", "create", "create", "create", "unlink", "rmdir", "mkdir",
			"rename", "rename", "rename", "rename", "settype", "replace", "view", "yaml", "lines", "unview")}
		if crowded {
			o.what = pick(r, "unlink", "unview", "rename", "view", "rmdir")
		}
		switch o.what {
		case "write", "append":
			o.path, o.text = any(leaf), r.content()
		case "patch", "truncate":
			o.path = any(leaf)
			p := t.at(mount, o.path)
			if p.v == nil || p.isDir() {
				continue
			}
			if size := len(p.v.content()); size > 0 {
				o.n = r.IntN(size + 1)
			}
			if o.what == "patch" {
				o.text = pick(r, "1", "9\n", "abc", "x\ny")
			}
		case "create", "replace":
			o.path, o.text = fresh(), r.content()
			if o.what == "replace" && r.IntN(3) > 0 {
				o.path = any(leaf)
			}
		case "unlink":
			o.path = any(leaf)
		case "rmdir":
			o.path = any(func(p *place) bool { return p.isDir() && t.isEmpty(mount, p) })
		case "mkdir":
			o.path = fresh()
		case "rename":
			o.path, o.to = any(whatever), fresh()
			if r.IntN(3) == 0 {
				o.to = any(func(p *place) bool { return p.isDir() == t.at(mount, o.path).isDir() })
			}
			o.n = pick(r, 0, 0, unix.RENAME_NOREPLACE, unix.RENAME_EXCHANGE)
			if o.n == unix.RENAME_EXCHANGE && r.IntN(4) > 0 {
				o.to = any(whatever)
			}
		case "settype":
			o.path = any(whatever)
			o.text = pick(r, "string", "number", "boolean", "null", "raw", "object", "array", "directory")
			if t.at(mount, o.path).isDir() && r.IntN(3) > 0 {
				o.text = pick(r, "object", "directory", "array")
			}
		default:
			if !r.view(t, mount, &o, any(func(p *place) bool { return p.kind == plain || p.isDir() && r.IntN(2) == 0 })) {
				continue
			}
		}
		return o
	}
}

// view makes o one of a view of the directory at path, if there can be.
func (r chooser) view(t *tree, mount int, o *operation, path string) bool {
	p := t.at(mount, path)
	o.path = path
	if p.kind != plain && p.kind != stored || !p.isDir() {
		return false
	}
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
		if p.kind != stored || p.v.is != "array" || len(p.v.items) == 0 {
			return false
		}
		is := p.v.items[0].is
		for _, item := range p.v.items {
			if item.is != is || strings.Contains(item.text, "\n") {
				return false
			}
		}
		o.text = map[string]string{"number": "42\n", "string": "a line\n", "boolean": "true\n"}[is]
		return o.text != ""
	}
	return true
}

// keys are what a client of etcd does to keys: put, or delete where the value
// is nil. What would be above or below a put is deleted with it.
func (r chooser) keys(t *tree, n int) map[string]*string {
	changes := map[string]*string{}
	for range n {
		var segments []string
		for range 1 + r.IntN(3) {
			segments = append(segments, r.segment())
		}
		key := strings.Join(segments, "/")
		if old := sortedKeys(t); len(old) > 0 && r.IntN(2) == 0 {
			key = pick(r, old...)
		}
		clash := false
		for other := range changes {
			clash = clash || other == key || inside(other, key) || inside(key, other)
		}
		switch {
		case clash:
		case r.IntN(3) == 0 || len(t.keys) > 20:
			changes[key] = nil
		default:
			value := r.stored()
			for other := range t.keys {
				if inside(other, key) || inside(key, other) {
					changes[other] = nil
				}
			}
			changes[key] = &value
		}
	}
	return changes
}

func sortedKeys(t *tree) []string {
	var keys []string
	for key := range t.keys {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
