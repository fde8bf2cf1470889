package model

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// chooser picks what to do next.
type chooser struct{ *rand.Rand }

func pick[T any](r chooser, from ...T) T { return from[r.IntN(len(from))] }

// name is one that a user gives a file; some are of no file.
func (r chooser) name() string {
	return pick(r, "a", "b", "c", "d", "x", "0", "1", "2", "p%2Fq", "n%25", "50%", "é", "x%json", `q"'\`, "new\nline", "-n $x")
}

// segment is a name that a key can have.
func (r chooser) segment() string { return pick(r, "a", "b", "c", "d", "0", "1", "a", "b", "n%", "é") }

// content is the text of a file.
func (r chooser) content() string {
	return pick(r, "5\n", "7", "-1.50e3\n", "0.10\n", "true\n", "False\n", "null\n", "some text\n", "other", "two\nlines\n", "[a]\nb = 1", " 7 \n",
		"\"quoted\"\n", "{\"a\": 1, \"b\": [1, \"x\"]}\n", "[1, 2]\n", "[]", "{broken\n", "\xff\xfe\n", "é/\t\\\n", strings.Repeat("long ", 1000)+"\n",
		fmt.Sprintf("%d\n", r.IntN(1000)), fmt.Sprintf("text %d\n", r.IntN(1000)), "it's 100% \"$x\"\n", "\n", "\x00\n", "a\r\nb\n")
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
			name := pick(r, "a", "b", "c", "x", "0", "1", "p/q", "n%", "é", `q"'\`, "new\nline")
			if !names[name] {
				names[name] = true
				items = append(items, text(name).write()+":"+space+r.json(depth-1))
			}
		}
		return "{" + strings.Join(items, ","+space) + "}"
	}
	return pick(r, "1", "-2.50", "1e3", "true", "false", "null", `"text"`, `""`, `"a\nb"`, `"5"`, `"\u00e9\/"`, `"it's \"100%\""`)
}

// stored is what a client puts into etcd.
func (r chooser) stored() string {
	if r.IntN(4) == 0 {
		return pick(r, "", "plain", "two\nlines\n", "no\nend", "{bad", "\x00\xff", "\xff\n", " ", "\n", strings.Repeat("raw\n", 1500))
	}
	return r.json(3)
}

// keys are what a client of etcd does to keys: put, or delete where the value
// is nil. What would be above or below a put is mostly deleted with it.
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
			if r.IntN(4) > 0 {
				for other := range t.keys {
					if inside(other, key) || inside(key, other) {
						changes[other] = nil
					}
				}
			}
			changes[key] = &value
		}
	}
	return changes
}
